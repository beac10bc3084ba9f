// Which rooms are hosted here and what their listeners want, as the kafka thread asks it.
#include "core/kafka/interest.hpp"

#include <algorithm>
#include <utility>

namespace fluentgate::kafka {

void Interest::set(const RoomId& room, LanguageList wanted) {
  auto list = std::make_shared<const LanguageList>(std::move(wanted));
  bool fresh = false;
  {
    Shard& shard = shards_[shard_of(room.value)];
    const std::lock_guard lock(shard.mutex);
    const auto [at, inserted] = shard.rooms.try_emplace(room);
    fresh = inserted;
    if (fresh && clock_ != nullptr) at->second.since_ms = clock_->unix_ms();
    at->second.wanted.swap(list);
  }
  if (fresh) changed(room, true);
}

void Interest::erase(const RoomId& room) {
  bool was_here = false;
  {
    Shard& shard = shards_[shard_of(room.value)];
    const std::lock_guard lock(shard.mutex);
    was_here = shard.rooms.erase(room) > 0;
  }
  if (was_here) changed(room, false);
}

void Interest::changed(const RoomId& room, bool hosted) {
  const std::lock_guard lock(changes_mutex_);
  if (!followed_) return;
  changes_[room] = hosted;
  if (hosted && opened_) opened_();
}

void Interest::follow(std::function<void()> opened) {
  const std::lock_guard lock(changes_mutex_);
  for (Shard& shard : shards_) {
    const std::lock_guard shard_lock(shard.mutex);
    for (const auto& [room, hosted] : shard.rooms) changes_[room] = true;
  }
  opened_ = std::move(opened);
  followed_ = true;
}

void Interest::unfollow() {
  const std::lock_guard lock(changes_mutex_);
  followed_ = false;
  opened_ = nullptr;
  changes_.clear();
}

std::vector<Interest::Change> Interest::take_changes() {
  std::vector<Change> taken;
  const std::lock_guard lock(changes_mutex_);
  if (changes_.empty()) return taken;
  taken.reserve(changes_.size());
  for (auto& [room, hosted] : changes_) taken.push_back({room, hosted});
  changes_.clear();
  return taken;
}

bool Interest::hosts(std::string_view room) const {
  const Shard& shard = shards_[shard_of(room)];
  const std::lock_guard lock(shard.mutex);
  return shard.rooms.find(room) != shard.rooms.end();
}

UnixMs Interest::hosted_since_ms(std::string_view room) const {
  const Shard& shard = shards_[shard_of(room)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.rooms.find(room);
  return found == shard.rooms.end() ? 0 : found->second.since_ms;
}

bool Interest::wants(std::string_view room, const LanguageTag& language) const {
  std::shared_ptr<const LanguageList> wanted;
  {
    const Shard& shard = shards_[shard_of(room)];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.rooms.find(room);
    if (found == shard.rooms.end()) return false;
    wanted = found->second.wanted;
  }
  return std::any_of(wanted->begin(), wanted->end(), [&](const LanguageTag& tag) { return related(tag, language); });
}

}  // namespace fluentgate::kafka
