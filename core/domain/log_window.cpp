// LogWindow: whether a cursor still stands for the log that this process reads.
//
// A place of a cursor, against what is known of its partition:
//   partition unknown here                                  no   (topic gone, fewer partitions, or not found yet)
//   older than the direct predecessor of what was read      no   (records between the two were never seen here)
//   the direct predecessor of what was read                 yes, unless the first record read is older than it: nothing was missed in between
//   its record is in the window, same timestamp             yes
//   its record is in the window, another timestamp          no   (the log was replaced)
//   inside what was read, but not in the window             no   (forgotten, or no record there any more: compaction, another log)
//   beyond the last record read                             no   (a shorter log; or this instance lags: caught_up() says so)
//   empty partition (offset -1)                             yes where reading began at 0: all there is came later; else no
//   timestamp unknown                                       yes only as direct predecessor, that is where this window began at the same place
// A known partition that the cursor lacks came into being, or was found, after the cursor was made: all of it is after the cursor. If reading
// began at 0 all of it is known; if not, some of it may have been missed: no.
#include <algorithm>

#include "core/domain/caption_history.hpp"

namespace fluentgate {
namespace {

bool in(const LogScope& scope, const Partition& partition) noexcept {
  return !scope || std::find(scope->begin(), scope->end(), partition) != scope->end();
}

}  // namespace

void LogWindow::opened(Partition partition, std::int64_t offset, std::int64_t end) {
  const auto [at, fresh] = partitions_.try_emplace(partition);
  Known& known = at->second;
  if (!fresh && offset >= known.opened_at && offset <= known.next()) {
    known.end = std::max(known.end, end);
    return;
  }
  known = Known{offset, end, {}};
}

void LogWindow::seen(const LogPosition& position) {
  const Partition partition{position.topic, position.partition};
  const auto [at, fresh] = partitions_.try_emplace(partition);
  Known& known = at->second;
  if (fresh) known = Known{position.offset, position.offset, {}};
  const Record record{position.offset, position.timestamp_ms};
  if (record.offset < known.next()) {
    const auto same = std::lower_bound(known.records.begin(), known.records.end(), record.offset,
                                       [](const Record& r, std::int64_t offset) { return r.offset < offset; });
    if (same != known.records.end() && same->offset == record.offset && same->timestamp_ms == record.timestamp_ms) return;
    // Before the window: nothing can be compared, so what follows in it can't be relied on either.
    known.records.erase(same, known.records.end());
    known.opened_at = std::min(known.opened_at, record.offset);
    known.end = std::min(known.end, record.offset);
  }
  known.records.push_back(record);
  if (known.records.size() > limits::log_window_records_max) known.records.pop_front();
}

LogCursor LogWindow::cursor(const LogScope& scope) const {
  LogCursor cursor;
  for (const auto& [partition, known] : partitions_) {
    if (!in(scope, partition)) continue;
    LogCursor::Place place;
    if (!known.records.empty()) {
      place = {known.records.back().offset, known.records.back().timestamp_ms};
    } else if (known.opened_at > 0) {
      place = {known.opened_at - 1, LogCursor::timestamp_unknown};
    }
    cursor.places.emplace_hint(cursor.places.end(), partition, place);
  }
  return cursor;
}

bool LogWindow::knows_all_of(const LogScope& scope) const noexcept {
  if (!scope) return !partitions_.empty();
  return !scope->empty() && std::all_of(scope->begin(), scope->end(), [&](const Partition& partition) { return partitions_.count(partition) != 0; });
}

bool LogWindow::caught_up(const LogScope& scope) const noexcept {
  return knows_all_of(scope) && std::all_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
           return !in(scope, entry.first) || entry.second.next() >= entry.second.end;
         });
}

bool LogWindow::holds(const Known& known, const LogCursor::Place& place) {
  if (place.offset < 0) return known.opened_at == 0;
  if (place.offset == known.opened_at - 1) {
    return place.timestamp_ms == LogCursor::timestamp_unknown || known.records.empty() || known.records.front().offset != known.opened_at ||
           known.records.front().timestamp_ms >= place.timestamp_ms;
  }
  if (place.timestamp_ms == LogCursor::timestamp_unknown) return false;
  const auto at = std::lower_bound(known.records.begin(), known.records.end(), place.offset,
                                   [](const Record& r, std::int64_t offset) { return r.offset < offset; });
  return at != known.records.end() && at->offset == place.offset && at->timestamp_ms == place.timestamp_ms;
}

bool LogWindow::verifies(const LogCursor& cursor, const LogScope& scope) const {
  if (!knows_all_of(scope)) return false;  // nothing is known of any log, or not of the room's
  for (const auto& [partition, place] : cursor.places) {
    if (!in(scope, partition)) continue;
    const auto at = partitions_.find(partition);
    if (at == partitions_.end() || !holds(at->second, place)) return false;
  }
  return std::all_of(partitions_.begin(), partitions_.end(), [&](const auto& entry) {
    return !in(scope, entry.first) || entry.second.opened_at == 0 || cursor.places.count(entry.first) != 0;
  });
}

}  // namespace fluentgate
