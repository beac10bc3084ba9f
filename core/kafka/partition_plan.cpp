// unplaced → idle (end known) → wanted (from where is known) → opening → assigned → releasing → idle.
#include "core/kafka/partition_plan.hpp"

#include <algorithm>

namespace fluentgate::kafka {

void PartitionPlan::note_topic(std::uint8_t index, std::span<const Seen> partitions, bool all_new) {
  const std::lock_guard lock(mutex_);
  apply_changes();
  Topic& topic = topics_[index];
  const SteadyMs now = clock_.steady_ms();
  const bool first_sight = topic.partitions.empty();
  for (auto& [id, partition] : topic.partitions) partition.has_leader = false;
  for (const Seen& seen : partitions) {
    const auto [at, fresh] = topic.partitions.try_emplace(seen.partition);
    at->second.has_leader = seen.has_leader;
    if (!fresh || (first_sight && !all_new)) continue;
    at->second.whole = true;
    at->second.sampled = 0;
  }
  const auto count = static_cast<std::int32_t>(partitions.size());
  bool moved = false;
  if (count != topic.count) {
    if (topic.count > 0) topic.older.push_back({topic.count, now + options_.moved_keep_ms});
    if (topic.older.size() > older_counts_max) topic.older.erase(topic.older.begin());
    topic.count = count;
    moved = true;
  }
  if (std::erase_if(topic.older, [&](const OlderCount& older) { return now >= older.until_ms || older.count == topic.count; }) > 0) moved = true;
  if (moved) recount(index);
}

std::vector<PartitionPlan::Place> PartitionPlan::to_ask() {
  const std::lock_guard lock(mutex_);
  std::vector<Place> places;
  for (std::uint8_t index = 0; index < incoming_topics; ++index) {
    for (const auto& [id, partition] : topics_[index].partitions) {
      if (partition.has_leader && (partition.stage == Stage::unplaced || partition.stage == Stage::idle)) places.emplace_back(index, id);
    }
  }
  return places;
}

void PartitionPlan::note_ends(std::span<const Place> places, std::span<const std::int64_t> ends) {
  const std::lock_guard lock(mutex_);
  apply_changes();  // with what was known before: these ends may be later than the rooms' joins
  const SteadyMs now = clock_.steady_ms();
  for (std::size_t i = 0; i < places.size() && i < ends.size(); ++i) {
    Partition* partition = ends[i] < 0 ? nullptr : find(places[i]);
    if (partition == nullptr || (partition->stage != Stage::unplaced && partition->stage != Stage::idle)) continue;
    remember(*partition, ends[i], now);
    if (partition->stage == Stage::idle) continue;
    partition->stage = Stage::idle;
    if (partition->sampled < 0) partition->sampled = ends[i];
    if (partition->rooms > 0) want(*partition, false);  // it was there before Kafka was: from here on
  }
}

void PartitionPlan::remember(Partition& partition, std::int64_t end, SteadyMs now) {
  auto& known = partition.ends;
  if (!known.empty() && known.back().offset > end) {  // another log, or a shorter one
    known.clear();
    partition.sampled = std::min(partition.sampled, end);
  }
  known.push_back({now, end});
  while (known.size() > 1 && known[1].at_ms <= now - remembered_ms) known.pop_front();
}

bool PartitionPlan::incomplete() {
  const std::lock_guard lock(mutex_);
  return std::any_of(topics_.begin(), topics_.end(), [](const Topic& topic) {
    return std::any_of(topic.partitions.begin(), topic.partitions.end(),
                       [](const auto& entry) { return entry.second.stage == Stage::unplaced && entry.second.has_leader; });
  });
}

std::vector<PartitionPlan::Wanted> PartitionPlan::take_wanted(bool text) {
  const std::lock_guard lock(mutex_);
  apply_changes();
  std::vector<Wanted> taken;
  for (std::uint8_t index = text ? 1 : 0; index < (text ? incoming_topics : 1); ++index) {
    for (auto& [id, partition] : topics_[index].partitions) {
      if (partition.stage != Stage::wanted || !partition.has_leader) continue;
      partition.stage = Stage::opening;
      taken.push_back({{index, id}, partition.live_from, partition.whole});
      partition.whole = false;
    }
  }
  return taken;
}

void PartitionPlan::assigned(Place place) {
  const std::lock_guard lock(mutex_);
  if (Partition* partition = find(place)) partition->stage = Stage::assigned;
}

std::vector<PartitionPlan::Place> PartitionPlan::take_unwanted() {
  const std::lock_guard lock(mutex_);
  apply_changes();
  const SteadyMs now = clock_.steady_ms();
  std::vector<Place> taken;
  for (std::uint8_t index = 0; index < incoming_topics; ++index) {
    for (auto& [id, partition] : topics_[index].partitions) {
      if (partition.stage != Stage::assigned || partition.rooms > 0 || now - partition.unwanted_ms < options_.release_ms) continue;
      partition.stage = Stage::releasing;
      taken.emplace_back(index, id);
    }
  }
  return taken;
}

// What was read up to is an end as good as any: the log was at least there.
void PartitionPlan::released(Place place, std::int64_t next) {
  const std::lock_guard lock(mutex_);
  Partition* partition = find(place);
  if (partition == nullptr) return;
  const std::int64_t end = next >= 0 ? next : partition->live_from;
  partition->stage = Stage::idle;
  partition->ends.clear();
  partition->sampled = end;
  remember(*partition, end, clock_.steady_ms());
  if (partition->rooms > 0) want(*partition, false);
}

std::vector<PartitionPlan::Sample> PartitionPlan::next_samples(std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<Sample> taken;
  Place last = next_sample_;
  // Those after the one given last, then those before it.
  for (const bool after : {true, false}) {
    for (std::uint8_t index = 0; index < incoming_topics; ++index) {
      for (auto& [id, partition] : topics_[index].partitions) {
        const Place place{index, id};
        if (taken.size() == count || (place > next_sample_) != after) continue;
        if (partition.stage != Stage::idle || !partition.has_leader || partition.ends.empty()) continue;
        const std::int64_t end = partition.ends.back().offset;
        if (end <= partition.sampled) continue;
        taken.push_back({place, std::max(partition.sampled, end - sample_records), end});
        last = place;
      }
    }
  }
  next_sample_ = last;
  return taken;
}

void PartitionPlan::sampled(Place place, std::int64_t end) {
  const std::lock_guard lock(mutex_);
  Partition* partition = find(place);
  if (partition != nullptr) partition->sampled = std::max(partition->sampled, end);
}

std::vector<std::int32_t> PartitionPlan::partitions_of(std::uint8_t topic, std::string_view key) {
  const std::lock_guard lock(mutex_);
  return of_key(topics_[topic], key);
}

std::optional<std::vector<PartitionPlan::Place>> PartitionPlan::text_places_of(std::string_view room) {
  const std::lock_guard lock(mutex_);
  std::vector<Place> places;
  for (std::uint8_t index = 1; index < incoming_topics; ++index) {
    if (topics_[index].count == 0) return std::nullopt;
    for (const std::int32_t id : of_key(topics_[index], room)) places.emplace_back(index, id);
  }
  return places;
}

std::size_t PartitionPlan::placed() {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const Topic& topic : topics_) {
    for (const auto& [id, partition] : topic.partitions) count += partition.stage != Stage::unplaced ? 1 : 0;
  }
  return count;
}

std::size_t PartitionPlan::fetched() {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const Topic& topic : topics_) {
    for (const auto& [id, partition] : topic.partitions) count += partition.stage == Stage::assigned ? 1 : 0;
  }
  return count;
}

std::size_t PartitionPlan::rooms() {
  const std::lock_guard lock(mutex_);
  apply_changes();
  return rooms_.size();
}

void PartitionPlan::apply_changes() {
  for (const Interest::Change& change : interest_.take_changes()) {
    if (change.hosted) {
      if (!rooms_.insert(change.room).second) continue;
      for (Topic& topic : topics_) add_room(topic, change.room);
    } else if (rooms_.erase(change.room) > 0) {
      for (Topic& topic : topics_) remove_room(topic, change.room);
    }
  }
}

std::vector<std::int32_t> PartitionPlan::of_key(const Topic& topic, std::string_view key) const {
  std::vector<std::int32_t> found;
  keys_.add(key, topic.count, found);
  for (const OlderCount& older : topic.older) keys_.add(key, older.count, found);
  std::sort(found.begin(), found.end());
  return found;
}

void PartitionPlan::add_room(Topic& topic, const RoomId& room) {
  for (const std::int32_t id : of_key(topic, room.value)) {
    const auto at = topic.partitions.find(id);
    if (at == topic.partitions.end()) continue;
    if (++at->second.rooms == 1) want(at->second, false);
  }
}

void PartitionPlan::remove_room(Topic& topic, const RoomId& room) {
  for (const std::int32_t id : of_key(topic, room.value)) {
    const auto at = topic.partitions.find(id);
    if (at != topic.partitions.end() && at->second.rooms > 0 && --at->second.rooms == 0) unwant(at->second);
  }
}

// The partitions of all rooms anew: the count changed, or an older one has had its time.
void PartitionPlan::recount(std::uint8_t index) {
  Topic& topic = topics_[index];
  std::map<std::int32_t, std::size_t> rooms;
  for (const RoomId& room : rooms_) {
    for (const std::int32_t id : of_key(topic, room.value)) ++rooms[id];
  }
  for (auto& [id, partition] : topic.partitions) {
    const auto now = rooms.find(id);
    const std::size_t before = std::exchange(partition.rooms, now == rooms.end() ? 0 : now->second);
    if (before == 0 && partition.rooms > 0) want(partition, true);
    if (before > 0 && partition.rooms == 0) unwant(partition);
  }
}

void PartitionPlan::want(Partition& partition, bool moved) {
  if (partition.stage == Stage::idle) {
    partition.live_from = moved ? partition.ends.front().offset : partition.ends.back().offset;
  } else if (partition.stage == Stage::unplaced && partition.whole) {
    partition.live_from = 0;
  } else {
    return;  // fetched still, or not placed yet
  }
  if (partition.stage == Stage::idle) partition.whole = false;
  partition.stage = Stage::wanted;
}

void PartitionPlan::unwant(Partition& partition) {
  partition.unwanted_ms = clock_.steady_ms();
  if (partition.stage != Stage::wanted) return;
  partition.stage = Stage::idle;
  if (partition.ends.empty()) remember(partition, partition.live_from, partition.unwanted_ms);
}

PartitionPlan::Partition* PartitionPlan::find(Place place) {
  if (place.first >= incoming_topics) return nullptr;
  const auto at = topics_[place.first].partitions.find(place.second);
  return at == topics_[place.first].partitions.end() ? nullptr : &at->second;
}

}  // namespace fluentgate::kafka
