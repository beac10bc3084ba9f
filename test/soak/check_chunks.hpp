// What audio.raw must hold: of each speaker the numbers 0, 1, 2, ... in the log's order, and the chunks in the order they were said, each at most once and
// none lost but those that went down with a killed instance or an ended socket, or were told as dropped. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

class ChunkChecker {
 public:
  static constexpr std::string_view numbers = "numbers rise by one", speech = "no chunk lost or repeated";
  // Of a socket that did not end by our own close: what was sent so shortly before may never have been read.
  static constexpr Ms unread_ms = 3000;

  explicit ChunkChecker(Journal& journal) : journal_(journal) {}

  // `life` is one run of one instance's process, `session` one audio socket.
  void sent(int person, std::uint32_t counter, int life, int session, Ms chunk_ms);
  // answered: our close, and the server's answer to it. Only the first call for a session counts.
  void session_ended(int session, bool answered);
  void life_ended(int life, bool killed);
  void dropped_told(int person, Ms dropped_ms);
  void record(int person, std::int64_t number, std::uint32_t counter);
  void finish();                                   // everything must have come by now

  std::uint64_t records() const noexcept { return records_; }
  std::uint64_t lost_excused() const noexcept { return lost_excused_; }
  std::uint64_t sent_count() const noexcept { return sent_; }
  std::size_t outstanding() const;

 private:
  struct Sent {
    std::uint32_t counter = 0;
    int life = 0, session = 0;
    Ms at_ms = 0, chunk_ms = 0;
  };
  struct Speaker {
    std::int64_t next_number = 0;
    std::int64_t newest_counter = -1;  // of the log
    std::deque<Sent> outstanding;
    Ms told_dropped_ms = 0;
    std::set<std::uint32_t> unread;    // left out on a socket that ended otherwise: may still have been on its way
  };
  struct SessionEnd {
    Ms at_ms = 0;
    bool answered = false;
  };
  void passed_by(int person, Speaker& speaker, const Sent& chunk, const std::string& by);
  bool excused(Speaker& speaker, const Sent& chunk);

  Journal& journal_;
  std::map<int, Speaker> speakers_;
  std::map<int, SessionEnd> ended_sessions_;
  std::map<int, bool> ended_lives_;  // life → killed
  std::uint64_t records_ = 0, lost_excused_ = 0, sent_ = 0;
};

}  // namespace fluentgate::soak
