// Final captions of the last minutes by room, for late joiners, for resume and for WebVTT (CONTRACT 3). Thread: loop.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/limits.hpp"
#include "core/domain/media.hpp"

namespace fluentgate {

using Partition = std::pair<std::uint8_t, std::int32_t>;  // topic index, partition

// A client's place in the text topics: the last record seen in each partition. Opaque to clients: encode() and decode().
struct LogCursor {
  struct Place { std::int64_t offset = -1; std::int64_t timestamp_ms = 0; };  // offset -1: nothing seen yet
  std::map<Partition, Place> places;
  std::string encode() const;                                  // URL-safe, no padding
  static std::optional<LogCursor> decode(std::string_view text);
};

// The last records of each partition of the text topics, of all rooms: says whether a cursor still stands for this log.
class LogWindow {
 public:
  // Reading began at `offset` in this partition (nothing before it was seen); `end` is where its log ended then.
  void opened(Partition partition, std::int64_t offset, std::int64_t end);
  void seen(const LogPosition& position);
  LogCursor cursor() const;
  // True if every place of the cursor is known to hold the same record, or lies before the first record this window could know but is its direct predecessor,
  // and no partition that the cursor lacks had records before it was found. See caption_history.cpp for each case.
  bool verifies(const LogCursor& cursor) const;

 private:
  struct Known { std::int64_t opened_at = 0; std::deque<std::pair<std::int64_t, std::int64_t>> records; std::int64_t last_offset = -1; std::int64_t last_timestamp_ms = 0; };
  std::map<Partition, Known> partitions_;
};

class CaptionHistory {
 public:
  struct Options { std::size_t per_language = 50; std::int64_t keep_ms = 300000; };
  explicit CaptionHistory(Options options) : options_(options) {}

  using Entry = std::shared_ptr<const Caption>;
  // Only finals are kept. The caption's age counts from its Kafka timestamp.
  void add(Entry caption, UnixMs now);
  // The last `count` (at most the option) finals per language that `wanted` accepts, in Kafka order, oldest first.
  std::vector<Entry> last(const RoomId& room, std::size_t count, UnixMs now) const;
  // Finals after the cursor; nothing if some that came after it are gone from here.
  std::optional<std::vector<Entry>> since(const RoomId& room, const LogCursor& cursor, UnixMs now) const;
  // Drops what is older than keep_ms, then the least recently written rooms while over the bounds of limits.hpp.
  void trim(UnixMs now);
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t rooms() const noexcept { return rooms_.size(); }

 private:
  struct Room {
    std::deque<Entry> finals;                          // in order of arrival
    std::map<Partition, std::int64_t> forgotten;       // highest offset dropped, by partition
    std::list<RoomId>::iterator recent;
    std::size_t bytes = 0;
  };
  Options options_;
  std::unordered_map<RoomId, Room, IdHash, IdEqual> rooms_;
  std::list<RoomId> recency_;
  std::size_t bytes_ = 0;
};

}  // namespace fluentgate
