// Which rooms have participants here and which languages they listen to: written by the loop when somebody joins, leaves or changes
// language, read by the kafka thread before it decodes anything, and followed by PartitionPlan, which fetches by room.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"

namespace fluentgate::kafka {

class Interest {
 public:
  struct Change {
    RoomId room;
    bool hosted = false;
  };

  Interest() = default;
  explicit Interest(const Clock& clock) : clock_(&clock) {}

  // Thread: loop. `wanted` is the union of the listening tags of the room's audio listeners; empty: hosted, but nobody listens.
  void set(const RoomId& room, LanguageList wanted);
  void erase(const RoomId& room);

  // Thread: loop. From now on rooms that come and go are kept for take_changes(), those that are here already first. `opened` is called by set()
  // when there is a room more, before set() returns; it may not come back here.
  void follow(std::function<void()> opened);
  void unfollow();  // `opened` is not called any more when this returns

  // Thread: any. What changed since the last call, one entry a room: as it is now.
  std::vector<Change> take_changes();
  bool hosts(std::string_view room) const;
  // When the room came to this instance; 0: it is not here, or nobody told the time.
  UnixMs hosted_since_ms(std::string_view room) const;
  // Whether some listener's tag could match a frame in this language (either direction; the exact rule is the loop's).
  bool wants(std::string_view room, const LanguageTag& language) const;

 private:
  struct Hosted {
    UnixMs since_ms = 0;
    std::shared_ptr<const LanguageList> wanted;
  };
  struct Shard {
    mutable std::mutex mutex;  // held for one look-up or one change; sharded, so the loop practically never waits
    std::unordered_map<RoomId, Hosted, IdHash, IdEqual> rooms;
  };
  static constexpr std::size_t shard_count = 64;
  static std::size_t shard_of(std::string_view room) noexcept { return IdHash{}(room) % shard_count; }
  void changed(const RoomId& room, bool hosted);

  const Clock* clock_ = nullptr;
  std::array<Shard, shard_count> shards_;
  std::mutex changes_mutex_;
  bool followed_ = false;
  std::function<void()> opened_;
  std::unordered_map<RoomId, bool, IdHash, IdEqual> changes_;  // at most a room's last change: as many as are, or were a moment ago, here
};

}  // namespace fluentgate::kafka
