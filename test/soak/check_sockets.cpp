#include "test/soak/check_sockets.hpp"

#include <algorithm>

namespace fluentgate::soak {
namespace {

bool may_close(int code, bool ours, Life life, bool replaced) {
  // A crossing of our close and the server's end leaves either answer.
  if (life == Life::killed) return true;
  switch (code) {
    case 1000: return ours;
    case 1001: return life == Life::draining || life == Life::over;
    case 1005:
    case 1006: return life == Life::over || (ours && life == Life::draining);
    case 4009: return replaced;
    default: return false;
  }
}

}  // namespace

void SocketChecker::closed(const std::string& socket, int code, bool ours, Life life, bool replaced) {
  ++codes_[code];
  if (!may_close(code, ours, life, replaced)) journal_.violation(stay, socket + " was closed with " + std::to_string(code));
  journal_.held(stay);
}

void SocketChecker::refused(const std::string& socket, int status, const std::string& body, Life life) {
  ++statuses_[status];
  const bool may = life != Life::serving || status == 503;
  if (!may) journal_.violation(refusals, socket + " was answered " + std::to_string(status) + " " + body);
  journal_.held(refusals);
}

void HeartbeatChecker::opened(int socket) { sockets_[socket] = {journal_.now_ms(), "", 0}; }
void HeartbeatChecker::closed(int socket) { sockets_.erase(socket); }

bool HeartbeatChecker::fits(const Socket& socket) const {
  const auto& states = expected_.front().states;
  return std::find(states.begin(), states.end(), socket.last) != states.end();
}

void HeartbeatChecker::state(int socket, const std::string& state) {
  const auto found = sockets_.find(socket);
  if (found == sockets_.end()) return;
  const bool changed = found->second.last != state;
  found->second.last = state;
  found->second.last_ms = journal_.now_ms();
  if (changed && !expected_.empty() && fits(found->second) && found->second.since_ms < expected_.front().from_ms) {
    worst_ms_ = std::max(worst_ms_, journal_.now_ms() - expected_.front().from_ms);
  }
}

void HeartbeatChecker::expect(std::vector<std::string> states, Ms within_ms) {
  const Ms now = journal_.now_ms();
  expected_ = {{std::move(states), now, now + within_ms}};
}

void HeartbeatChecker::expect_nothing() { expected_.clear(); }

void HeartbeatChecker::tick() {
  if (expected_.empty() || journal_.now_ms() < expected_.front().by_ms) return;
  const Expected expected = expected_.front();
  int wrong = 0, asked = 0;
  std::string one;
  for (const auto& [id, socket] : sockets_) {
    if (socket.since_ms >= expected.from_ms) continue;
    ++asked;
    if (fits(socket)) continue;
    ++wrong;
    one = "socket " + std::to_string(id) + " said \"" + socket.last + "\" last, at " + clock_text(socket.last_ms);
  }
  expected_.clear();
  if (wrong > 0) {
    journal_.violation(told, std::to_string(wrong) + " of " + std::to_string(asked) + " sockets do not say \"" + expected.states.front() + "\" since " +
                                 clock_text(expected.from_ms) + "; " + one);
  }
  journal_.held(told, static_cast<std::uint64_t>(asked));
}

}  // namespace fluentgate::soak
