// Final captions of the last minutes by room, for late joiners, for resume and for WebVTT (CONTRACT 3). Thread: loop.
//
// A resume is answered by two questions: does the client's cursor still stand for this log (LogWindow::verifies), and is everything after it
// still here (CaptionHistory::since)? Only if both are yes is `recovered` true. In doubt the answer is no: the client then gets the
// normal history, which costs it a repetition; a wrong yes would cost it captions.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/limits.hpp"
#include "core/domain/media.hpp"

namespace fluentgate {

using Partition = std::pair<std::uint8_t, std::int32_t>;  // topic index, partition

// The partitions that a room's captions may be in; nothing: any of the log's.
using LogScope = std::optional<std::vector<Partition>>;

// A client's place in the text topics: the last record seen in each partition. Opaque to clients: encode() and decode().
struct LogCursor {
  static constexpr std::int64_t timestamp_unknown = -1;
  // offset -1: the partition was empty. timestamp_unknown: reading began after this offset and nothing has come since.
  struct Place {
    std::int64_t offset = -1;
    std::int64_t timestamp_ms = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::map<Partition, Place> places;

  std::string encode() const;  // URL-safe, no padding; about 12 characters a partition; never empty
  // Nothing for whatever encode() didn't make, and for more than limits::log_partitions_max places.
  static std::optional<LogCursor> decode(std::string_view text);
  friend bool operator==(const LogCursor&, const LogCursor&) = default;
};

// The last records of each partition of the text topics, of all rooms: says whether a cursor still stands for this log.
class LogWindow {
 public:
  // Reading began at `offset` in this partition (nothing before it was seen); `end` is where its log ended then. Said again for a partition
  // that is known: reading goes on if that leaves no gap, else what was known of it is forgotten.
  void opened(Partition partition, std::int64_t offset, std::int64_t end);
  // It is read no more, so nothing is known of it.
  void closed(Partition partition) { partitions_.erase(partition); }
  // A record at or before one seen already is that one read again, or, if its timestamp differs, a log that was replaced: what was known from
  // there on is then forgotten.
  void seen(const LogPosition& position);
  LogCursor cursor(const LogScope& scope = {}) const;
  // Whether every partition has been read up to where its log ended when it was opened: before that a cursor may be refused only for
  // want of reading. False while no partition, or one of the scope's not, is known.
  bool caught_up(const LogScope& scope = {}) const noexcept;
  // True if every place of the cursor is known to hold the same record, or lies before the first record this window could know but is its direct
  // predecessor, and of no partition that the cursor lacks are records unknown. With a scope, only what it names counts, and all of it must be
  // known: instances read different partitions, so a cursor may name more, but never less than its room's. See caption_history.cpp for each case.
  bool verifies(const LogCursor& cursor, const LogScope& scope = {}) const;

 private:
  struct Record {
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
  };
  struct Known {
    std::int64_t opened_at = 0;
    std::int64_t end = 0;
    std::deque<Record> records;  // by offset; at most limits::log_window_records_max, the newest
    std::int64_t next() const noexcept { return records.empty() ? opened_at : records.back().offset + 1; }
  };
  bool knows_all_of(const LogScope& scope) const noexcept;
  static bool holds(const Known& known, const LogCursor::Place& place);
  std::map<Partition, Known> partitions_;
};

class CaptionHistory {
 public:
  struct Options {
    std::size_t per_language = 50;   // captions.history
    std::int64_t keep_ms = 300000;   // captions.history_ms
  };
  explicit CaptionHistory(Options options) : options_(options) {}

  using Entry = std::shared_ptr<const Caption>;
  using Wanted = std::function<bool(const Caption&)>;
  // Only finals are kept. The caption's age counts from its Kafka timestamp (from now, where that is missing or lies in the future).
  void add(Entry caption, UnixMs now);
  // The last `count` (at most the option) finals per language that `wanted` accepts (none given: all), oldest first: in Kafka's order
  // within a partition, by its timestamps across partitions.
  std::vector<Entry> last(const RoomId& room, std::size_t count, UnixMs now, const Wanted& wanted = {}) const;
  // Finals after the cursor, in the same order; nothing if some that came after it are gone from here.
  std::optional<std::vector<Entry>> since(const RoomId& room, const LogCursor& cursor, UnixMs now) const;
  // Drops what is older than keep_ms, then the least recently written rooms while over the bounds of limits.hpp.
  void trim(UnixMs now);
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t rooms() const noexcept { return rooms_.size(); }

 private:
  using Forgotten = std::map<Partition, std::int64_t>;  // highest offset dropped
  struct Kept {
    Entry caption;
    UnixMs order_ms = 0;      // its timestamp, never before that of an earlier one of its partition, never in the future
    std::size_t bytes = 0;
    bool superseded = false;  // of a log that has been replaced since: shown to late joiners, outside of any cursor
  };
  struct Room {
    std::deque<Kept> finals;  // by order_ms, then topic; within a partition as they came
    std::map<std::string, std::size_t> count_by_language;  // key of the tag
    std::map<Partition, std::pair<std::int64_t, UnixMs>> newest;  // offset and order_ms of the last one added
    Forgotten forgotten;
    std::list<RoomId>::iterator recent;
    std::size_t bytes = 0;
  };
  Room& room_of(const RoomId& id);
  bool repeated_or_replaced(Room& room, const Caption& caption, UnixMs stamp);
  void drop(Room& room, std::deque<Kept>::iterator kept);
  void drop_older_than(Room& room, UnixMs oldest);
  void evict(const RoomId& id);
  void hold_bounds();
  UnixMs oldest_kept(UnixMs now) const noexcept { return now - options_.keep_ms; }

  Options options_;
  std::unordered_map<RoomId, Room, IdHash, IdEqual> rooms_;
  std::list<RoomId> recency_;  // last written first
  Forgotten evicted_;          // of rooms that are gone from rooms_: any room without a memory of its own starts with it
  std::size_t bytes_ = 0;
};

}  // namespace fluentgate
