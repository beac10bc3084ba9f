#include "core/domain/peers.hpp"

#include <algorithm>
#include <utility>

#include "core/domain/limits.hpp"

namespace fluentgate {

namespace {

template <class Newer>
const PeerSeat* best_of(const Peers::Users& users, const UserId& user, Newer&& newer) {
  const auto found = users.find(user);
  if (found == users.end()) return nullptr;
  const PeerSeat* best = nullptr;
  for (const PeerSeat& seat : found->second) {
    if (newer(seat, best)) best = &seat;
  }
  return best;
}

// By the socket that `since` names.
auto by(std::optional<std::int64_t> PeerSeat::* since) {
  return [since](const PeerSeat& seat, const PeerSeat* best) {
    return (seat.*since).has_value() && (best == nullptr || newer_socket(*(seat.*since), seat.instance, *(best->*since), best->instance));
  };
}

}  // namespace

bool newer_socket(std::int64_t since_us, std::string_view instance, std::int64_t than_us, std::string_view than_instance) noexcept {
  return since_us != than_us ? since_us > than_us : instance > than_instance;
}

std::int64_t newest_since_us(const PeerSeat& seat) noexcept { return std::max(seat.audio_since_us.value_or(0), seat.signaling_since_us.value_or(0)); }

bool Peers::put(const PeerSeat& seat) {
  if (const auto user = users_.find(seat.user); user != users_.end()) {
    const auto known = std::find_if(user->second.begin(), user->second.end(), [&](const PeerSeat& one) { return one.instance == seat.instance; });
    if (known != user->second.end()) {
      if (*known == seat) return false;
      *known = seat;
      return true;
    }
  }
  if (count_ >= limits::room_peers_max) return false;
  users_[seat.user].push_back(seat);
  ++count_;
  return true;
}

template <class Gone>
std::vector<UserId> Peers::erase_where(Gone&& gone) {
  std::vector<UserId> lost;
  for (auto user = users_.begin(); user != users_.end();) {
    const std::size_t erased = std::erase_if(user->second, gone);
    if (erased > 0) lost.push_back(user->first);
    count_ -= erased;
    user = user->second.empty() ? users_.erase(user) : std::next(user);
  }
  return lost;
}

bool Peers::erase(const UserId& user, std::string_view instance) {
  const auto found = users_.find(user);
  if (found == users_.end() || std::erase_if(found->second, [&](const PeerSeat& seat) { return seat.instance == instance; }) == 0) return false;
  --count_;
  if (found->second.empty()) users_.erase(found);
  return true;
}

std::vector<UserId> Peers::erase_instance(std::string_view instance) {
  return erase_where([instance](const PeerSeat& seat) { return seat.instance == instance; });
}

std::vector<UserId> Peers::keep_only(const std::vector<PeerSeat>& seats) {
  std::vector<std::pair<std::string_view, std::string_view>> kept;
  kept.reserve(seats.size());
  for (const PeerSeat& seat : seats) kept.emplace_back(seat.user.value, seat.instance);
  std::sort(kept.begin(), kept.end());
  return erase_where([&](const PeerSeat& seat) {
    return !std::binary_search(kept.begin(), kept.end(), std::pair<std::string_view, std::string_view>(seat.user.value, seat.instance));
  });
}

const PeerSeat* Peers::audio(const UserId& user) const { return best_of(users_, user, by(&PeerSeat::audio_since_us)); }
const PeerSeat* Peers::signaling(const UserId& user) const { return best_of(users_, user, by(&PeerSeat::signaling_since_us)); }

const PeerSeat* Peers::languages(const UserId& user) const {
  return best_of(users_, user, [](const PeerSeat& seat, const PeerSeat* best) {
    if (best == nullptr) return true;
    if (seat.languages_set_us != best->languages_set_us) return seat.languages_set_us > best->languages_set_us;
    return newer_socket(newest_since_us(seat), seat.instance, newest_since_us(*best), best->instance);
  });
}

bool Peers::listening() const noexcept {
  return std::any_of(users_.begin(), users_.end(), [](const auto& user) {
    return std::any_of(user.second.begin(), user.second.end(), [](const PeerSeat& seat) { return seat.audio_since_us.has_value(); });
  });
}

std::vector<std::string_view> Peers::instances() const {
  std::vector<std::string_view> names;
  for (const auto& [user, seats] : users_) {
    for (const PeerSeat& seat : seats) {
      if (std::find(names.begin(), names.end(), seat.instance) == names.end()) names.push_back(seat.instance);
    }
  }
  return names;
}

}  // namespace fluentgate
