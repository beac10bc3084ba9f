// Which rooms are hosted here and what their listeners want, as the kafka thread asks it.
#include "core/kafka/interest.hpp"

#include <algorithm>

namespace fluentgate::kafka {

void Interest::set(const RoomId& room, LanguageList wanted) {
  auto list = std::make_shared<const LanguageList>(std::move(wanted));
  Shard& shard = shards_[shard_of(room.value)];
  const std::lock_guard lock(shard.mutex);
  shard.rooms[room].swap(list);
}

void Interest::erase(const RoomId& room) {
  Shard& shard = shards_[shard_of(room.value)];
  const std::lock_guard lock(shard.mutex);
  shard.rooms.erase(room);
}

bool Interest::hosts(std::string_view room) const {
  const Shard& shard = shards_[shard_of(room)];
  const std::lock_guard lock(shard.mutex);
  return shard.rooms.find(room) != shard.rooms.end();
}

bool Interest::wants(std::string_view room, const LanguageTag& language) const {
  std::shared_ptr<const LanguageList> wanted;
  {
    const Shard& shard = shards_[shard_of(room)];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.rooms.find(room);
    if (found == shard.rooms.end()) return false;
    wanted = found->second;
  }
  return std::any_of(wanted->begin(), wanted->end(), [&](const LanguageTag& tag) { return related(tag, language); });
}

}  // namespace fluentgate::kafka
