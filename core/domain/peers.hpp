// The participants of one room that other instances have sockets of, as those told it. A user may have sockets on several. Thread: loop.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "core/domain/cluster.hpp"
#include "core/domain/ids.hpp"

namespace fluentgate {

class Peers {
 public:
  using Seats = std::vector<PeerSeat>;  // of one user: one per instance, never empty
  using Users = std::map<UserId, Seats>;

  // Takes a seat, new or changed. False: nothing in it is new, or the room has limits::room_peers_max of them.
  bool put(const PeerSeat& seat);
  bool erase(const UserId& user, std::string_view instance);
  // The users who lost a seat by it.
  std::vector<UserId> erase_instance(std::string_view instance);
  // What is not among these is gone. The users who lost a seat by it.
  std::vector<UserId> keep_only(const std::vector<PeerSeat>& seats);

  bool empty() const noexcept { return users_.empty(); }
  std::size_t size() const noexcept { return count_; }
  const Users& users() const noexcept { return users_; }
  bool has(const UserId& user) const { return users_.contains(user); }
  // The seat with the newest socket of that kind; null: no such socket elsewhere. Valid until the next change.
  const PeerSeat* audio(const UserId& user) const;
  const PeerSeat* signaling(const UserId& user) const;
  // The seat whose languages count: where the participant said them last; of those that never did, the one with the newest control socket.
  const PeerSeat* languages(const UserId& user) const;
  // Somebody elsewhere has an audio socket.
  bool listening() const noexcept;
  std::vector<std::string_view> instances() const;

 private:
  template <class Gone>
  std::vector<UserId> erase_where(Gone&& gone);

  Users users_;
  std::size_t count_ = 0;
};

// The newest of a seat's two sockets, in unix microseconds; 0: it has none.
std::int64_t newest_since_us(const PeerSeat& seat) noexcept;
// Whether (since, instance) of a socket is newer than another's (CONTRACT 1, 4009): equal times are told apart by the instances' names.
bool newer_socket(std::int64_t since_us, std::string_view instance, std::int64_t than_us, std::string_view than_instance) noexcept;

}  // namespace fluentgate
