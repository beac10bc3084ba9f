#include "test/soak/check_signals.hpp"

#include <algorithm>

#include "test/soak/mark.hpp"

namespace fluentgate::soak {

void SignalChecker::sent(std::uint64_t id, int from, const std::set<int>& to, const std::set<int>& must) {
  Probe probe;
  probe.from = from;
  probe.at_ms = journal_.now_ms();
  probe.to = to;
  probe.missing = must;
  probes_.emplace(id, std::move(probe));
}

void SignalChecker::received(std::uint64_t id, int by, int from) {
  ++received_;
  journal_.held(exact);
  const auto found = probes_.find(id);
  if (found == probes_.end()) {
    journal_.violation(exact, person_name(by) + " got message " + std::to_string(id) + ", which is unknown or older than a minute");
    return;
  }
  Probe& probe = found->second;
  const std::string what = "message " + std::to_string(id) + " of " + person_name(probe.from);
  if (from != probe.from) journal_.violation(exact, what + " came to " + person_name(by) + " as one of " + person_name(from));
  if (!probe.to.contains(by)) journal_.violation(exact, what + " came to " + person_name(by) + ", whom it was not for");
  if (!probe.got.insert(by).second) journal_.violation(exact, what + " came to " + person_name(by) + " twice");
  if (probe.missing.erase(by) == 0) return;
  const Ms took = journal_.now_ms() - probe.at_ms;
  worst_ms_ = std::max(worst_ms_, took);
  journal_.held(arrives);
}

void SignalChecker::unknown_peer(int from) {
  // Which message it was about is not said: of this sender's open ones any.
  for (auto& [id, probe] : probes_) {
    if (probe.from != from || probe.missing.empty()) continue;
    journal_.violation(arrives, "message " + std::to_string(id) + " of " + person_name(from) + ": unknown_peer, though " +
                                    person_name(*probe.missing.begin()) + " is there");
    probe.missing.clear();
    return;
  }
}

void SignalChecker::disturbed(int person) {
  for (auto& [id, probe] : probes_) {
    if (probe.from == person) {
      probe.missing.clear();
    } else {
      probe.missing.erase(person);
    }
  }
}

void SignalChecker::disturbed() {
  for (auto& [id, probe] : probes_) probe.missing.clear();
}

void SignalChecker::tick() {
  const Ms now = journal_.now_ms();
  while (!probes_.empty() && probes_.begin()->second.at_ms < now - remembered_ms) probes_.erase(probes_.begin());
  for (auto& [id, probe] : probes_) {
    if (now <= probe.at_ms + within_ms) break;
    for (const int person : probe.missing) {
      journal_.violation(arrives, "message " + std::to_string(id) + " of " + person_name(probe.from) + " to " + person_name(person) + ", sent at " +
                                      clock_text(probe.at_ms) + ", has not come");
    }
    probe.missing.clear();
  }
}

}  // namespace fluentgate::soak
