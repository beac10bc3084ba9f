// Which rooms have participants here and which languages they listen to: written by the loop when somebody joins, leaves or changes
// language, read by the kafka thread before it decodes anything.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"

namespace fluentgate::kafka {

class Interest {
 public:
  // Thread: loop. `wanted` is the union of the listening tags of the room's audio listeners; empty: hosted, but nobody listens.
  void set(const RoomId& room, LanguageList wanted);
  void erase(const RoomId& room);
  // Thread: any.
  bool hosts(std::string_view room) const;
  // Whether some listener's tag could match a frame in this language (either direction; the exact rule is the loop's).
  bool wants(std::string_view room, const LanguageTag& language) const;

 private:
  struct Shard {
    mutable std::mutex mutex;  // held for one look-up or one change; sharded, so the loop practically never waits
    std::unordered_map<RoomId, std::shared_ptr<const LanguageList>, IdHash, IdEqual> rooms;
  };
  static constexpr std::size_t shard_count = 64;
  static std::size_t shard_of(std::string_view room) noexcept { return IdHash{}(room) % shard_count; }
  std::array<Shard, shard_count> shards_;
};

}  // namespace fluentgate::kafka
