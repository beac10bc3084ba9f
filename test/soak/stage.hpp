// What all actors share: the loop, the time line, the instances, the checkers and what is measured beside them. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/soak/check_audio.hpp"
#include "test/soak/check_captions.hpp"
#include "test/soak/check_chunks.hpp"
#include "test/soak/check_presence.hpp"
#include "test/soak/check_signals.hpp"
#include "test/soak/check_sockets.hpp"
#include "test/soak/instances.hpp"
#include "test/soak/plan.hpp"
#include "test/soak/reactor.hpp"

namespace fluentgate::soak {

// Why a client was without its sockets, and for how long.
struct Pause {
  enum class Cause : std::uint8_t { own, drain, lost } cause = Cause::own;
  Ms pause_ms = 0;        // from the first socket's end to all of them open again
  Ms since_fault_ms = 0;  // drain: from SIGTERM to open again
};

struct Stage {
  Reactor& reactor;
  Journal& journal;
  const Plan& plan;
  Instances& instances;
  ChunkChecker chunks{journal};
  PresenceChecker presence{journal};
  AudioChecker audio{journal};
  SignalChecker signals{journal};
  SocketChecker sockets{journal};
  HeartbeatChecker heartbeats{journal};
  std::vector<Pause> pauses = {};
  bool calm = false;       // nothing is broken, nor was a moment ago
  bool replacing = false;  // Redis has been there long enough for instances to know of each other's sockets
  bool redis_away = false;
  bool nobody_moves = false;  // by their own will
  int next_socket = 0;
};

inline constexpr std::string_view protocol_invariant = "messages are as the contract has them";

}  // namespace fluentgate::soak
