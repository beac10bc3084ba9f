// What a run does, made from its seed alone: who is there, who does what when, and what is broken in which order. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

struct Sizes {
  int rooms = 12, speakers = 40, listeners = 60, subscribers = 24, instances = 3;
  int chunks_per_s = 10;  // of each speaker while it speaks
};

struct PersonPlan {
  int room = 0;
  bool speaks = false;
  bool framed = false;   // audio by fluentgate.audio.v1
  bool split = false;    // its signaling socket is on another instance than its audio socket
  int instance = 0;      // the first it goes to
  int spoken = 0;        // language, also of those who never speak
  std::vector<int> listening;
  std::uint64_t seed = 0;
};

struct SubscriberPlan {
  enum class Kind : std::uint8_t { all, originals, translations, one_language };
  int room = 0;
  Kind kind = Kind::all;
  int language = 0;      // of one_language
  int instance = 0;
  std::uint64_t seed = 0;
};

struct Deed {
  enum class Kind : std::uint8_t { leave, move, takeover, listen, speak, mute, subscriber_move };
  Ms at_ms = 0;
  Kind kind = Kind::move;
  int who = 0;           // person or subscriber
  int instance = 0;      // to which; where it is there already, to the next
  int language = 0;
  Ms for_ms = 0;         // leave, mute
};

struct Fault {
  enum class Kind : std::uint8_t { kill, roll, broker, redis_kill, redis_freeze, kill_while_redis_away, kill_while_broker_away };
  Kind kind = Kind::kill;
  int instance = 0;      // kill
  Ms for_ms = 0;         // how long it is away before it is started again
  Ms rest_ms = 0;        // after all is well again, until the next
};
std::string name_of(Fault::Kind kind);

struct Plan {
  std::uint64_t seed = 0;
  Ms length_ms = 0;
  Sizes sizes;
  std::vector<PersonPlan> persons;        // speakers first
  std::vector<SubscriberPlan> subscribers;
  std::vector<Deed> deeds;                // in order of time
  std::vector<Fault> faults;              // one after the other
};

inline constexpr Ms warm_up_ms = 15000;   // before the first fault
inline constexpr Ms last_calm_ms = 20000; // at the end

Plan make_plan(std::uint64_t seed, Ms length_ms, const Sizes& sizes);

}  // namespace fluentgate::soak
