// What is kept, in which order, and what is known to be gone: see caption_history.hpp.
#include "core/domain/caption_history.hpp"

#include <algorithm>
#include <tuple>

namespace fluentgate {
namespace {

void remember_forgotten(std::map<Partition, std::int64_t>& forgotten, const Partition& partition, std::int64_t offset) {
  const auto [at, fresh] = forgotten.try_emplace(partition, offset);
  if (!fresh) at->second = std::max(at->second, offset);
}

Partition partition_of(const Caption& caption) { return {caption.position.topic, caption.position.partition}; }

// What it holds in memory, roughly; the strings of a caption are what varies.
std::size_t size_of(const Caption& caption) {
  return sizeof(Caption) + 128 + caption.text.size() + (caption.original_text ? caption.original_text->size() : 0) + caption.room.value.size() +
         caption.speaker.value.size() + (caption.utterance_id ? caption.utterance_id->size() : 0);
}

std::int64_t offset_in(const LogCursor& cursor, const Partition& partition) {
  const auto at = cursor.places.find(partition);
  return at == cursor.places.end() ? -1 : at->second.offset;
}

}  // namespace

CaptionHistory::Room& CaptionHistory::room_of(const RoomId& id) {
  const auto [at, fresh] = rooms_.try_emplace(id);
  Room& room = at->second;
  if (fresh) {
    room.forgotten = evicted_;
    recency_.push_front(id);
    room.recent = recency_.begin();
  } else {
    recency_.splice(recency_.begin(), recency_, room.recent);
  }
  return room;
}

// True if this very record was here already (kept or dropped since). One at or before the last that wasn't means that the log was replaced.
bool CaptionHistory::repeated_or_replaced(Room& room, const Caption& caption, UnixMs stamp) {
  const Partition partition = partition_of(caption);
  const auto newest = room.newest.find(partition);
  if (newest == room.newest.end() || caption.position.offset > newest->second.first) return false;
  if (stamp <= newest->second.second) return true;  // a new log's records are newer than the old one's last
  for (Kept& kept : room.finals) {
    if (partition_of(*kept.caption) == partition) kept.superseded = true;
  }
  // Of the log that went, nothing is owed; of the new one, nothing is known before this record.
  room.forgotten[partition] = caption.position.offset - 1;
  return false;
}

void CaptionHistory::add(Entry caption, UnixMs now) {
  if (!caption || !caption->is_final) return;
  Room& room = room_of(caption->room);
  const UnixMs stamp = caption->position.timestamp_ms <= 0 ? now : std::min(caption->position.timestamp_ms, now);
  if (repeated_or_replaced(room, *caption, stamp)) return;
  const Partition partition = partition_of(*caption);
  auto& newest = room.newest[partition];
  newest = {caption->position.offset, std::max(newest.second, stamp)};
  if (stamp < oldest_kept(now) || options_.per_language == 0) {
    remember_forgotten(room.forgotten, partition, caption->position.offset);
    return;
  }
  const std::string& language = caption->language.key();
  if (std::size_t& count = room.count_by_language[language]; count >= options_.per_language) {
    const auto oldest = std::find_if(room.finals.begin(), room.finals.end(),
                                     [&](const Kept& kept) { return kept.caption->language.key() == language; });
    drop(room, oldest);
  }
  ++room.count_by_language[language];
  Kept kept{std::move(caption), newest.second, 0, false};
  kept.bytes = size_of(*kept.caption);
  room.bytes += kept.bytes;
  bytes_ += kept.bytes;
  const auto place = std::upper_bound(room.finals.begin(), room.finals.end(), kept, [](const Kept& a, const Kept& b) {
    return std::tuple(a.order_ms, a.caption->position.topic) < std::tuple(b.order_ms, b.caption->position.topic);
  });
  room.finals.insert(place, std::move(kept));
  hold_bounds();
}

void CaptionHistory::drop(Room& room, std::deque<Kept>::iterator kept) {
  if (!kept->superseded) remember_forgotten(room.forgotten, partition_of(*kept->caption), kept->caption->position.offset);
  const auto count = room.count_by_language.find(kept->caption->language.key());
  if (--count->second == 0) room.count_by_language.erase(count);
  room.bytes -= kept->bytes;
  bytes_ -= kept->bytes;
  room.finals.erase(kept);
}

void CaptionHistory::drop_older_than(Room& room, UnixMs oldest) {
  while (!room.finals.empty() && room.finals.front().order_ms < oldest) drop(room, room.finals.begin());
}

// A room that is forgotten whole leaves behind what a cursor must not be promised any more.
void CaptionHistory::evict(const RoomId& id) {
  const auto at = rooms_.find(id);
  Room& room = at->second;
  while (!room.finals.empty()) drop(room, room.finals.begin());
  for (const auto& [partition, offset] : room.forgotten) remember_forgotten(evicted_, partition, offset);
  recency_.erase(room.recent);
  rooms_.erase(at);
}

void CaptionHistory::hold_bounds() {
  while (rooms_.size() > limits::history_rooms_max || (bytes_ > limits::history_bytes_max && !recency_.empty())) {
    const RoomId id = recency_.back();
    evict(id);
  }
}

void CaptionHistory::trim(UnixMs now) {
  // Rooms stay when they are empty: what they remember of what is gone is little, and keeps old cursors honest.
  for (auto& [id, room] : rooms_) drop_older_than(room, oldest_kept(now));
  hold_bounds();
}

std::vector<CaptionHistory::Entry> CaptionHistory::last(const RoomId& id, std::size_t count, UnixMs now, const Wanted& wanted) const {
  std::vector<Entry> entries;
  const auto at = rooms_.find(id);
  if (at == rooms_.end()) return entries;
  const std::size_t per_language = std::min(count, options_.per_language);
  std::map<std::string_view, std::size_t> taken;
  const std::deque<Kept>& finals = at->second.finals;
  for (auto kept = finals.rbegin(); kept != finals.rend(); ++kept) {
    if (kept->order_ms < oldest_kept(now)) break;
    if (wanted && !wanted(*kept->caption)) continue;
    std::size_t& of_language = taken[kept->caption->language.key()];
    if (of_language >= per_language) continue;
    ++of_language;
    entries.push_back(kept->caption);
  }
  std::reverse(entries.begin(), entries.end());
  return entries;
}

std::optional<std::vector<CaptionHistory::Entry>> CaptionHistory::since(const RoomId& id, const LogCursor& cursor, UnixMs now) const {
  const auto missed = [&](const Forgotten& forgotten) {
    return std::any_of(forgotten.begin(), forgotten.end(),
                       [&](const auto& gone) { return gone.second > offset_in(cursor, gone.first); });
  };
  const auto at = rooms_.find(id);
  if (at == rooms_.end()) {
    if (missed(evicted_)) return std::nullopt;
    return std::vector<Entry>{};
  }
  if (missed(at->second.forgotten)) return std::nullopt;
  std::vector<Entry> entries;
  for (const Kept& kept : at->second.finals) {
    if (kept.superseded || kept.caption->position.offset <= offset_in(cursor, partition_of(*kept.caption))) continue;
    if (kept.order_ms < oldest_kept(now)) return std::nullopt;  // due for trim(): whether that has run must not matter
    entries.push_back(kept.caption);
  }
  return entries;
}

}  // namespace fluentgate
