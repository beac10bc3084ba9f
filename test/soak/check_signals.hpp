// Signaling messages between participants: whoever is addressed gets each exactly once, nobody else does, and while all is well within a bound. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

class SignalChecker {
 public:
  static constexpr std::string_view arrives = "signaling: arrives in time while all is well", exact = "signaling: exactly once, and only at whom it is for";
  static constexpr Ms within_ms = 3000;
  static constexpr Ms remembered_ms = 60000;

  explicit SignalChecker(Journal& journal) : journal_(journal) {}

  // to: who may get it; must: of these who have been there for a while, as the sender has, while nothing is broken.
  void sent(std::uint64_t id, int from, const std::set<int>& to, const std::set<int>& must);
  void received(std::uint64_t id, int by, int from);
  void unknown_peer(int from);     // the gateway said so to this sender
  void disturbed(int person);      // its sockets changed
  void disturbed();                // something was broken
  void tick();

  std::uint64_t received_count() const noexcept { return received_; }
  Ms worst_ms() const noexcept { return worst_ms_; }

 private:
  struct Probe {
    int from = 0;
    Ms at_ms = 0;
    std::set<int> to, missing;  // missing: of those that must get it
    std::set<int> got;
  };

  Journal& journal_;
  std::map<std::uint64_t, Probe> probes_;  // ids rise with time
  std::uint64_t received_ = 0;
  Ms worst_ms_ = 0;
};

}  // namespace fluentgate::soak
