// Which partitions of the incoming topics are fetched, and from where, when kafka.partition_aware is on: those in which the keys of the rooms
// hosted here may live. Rules only: it talks to nobody. Thread: any, one mutex, never held over a request.
//
// A room's first join must not miss a record that comes after the join's answer, and the loop can't wait for Kafka. So the end of every partition that
// is not fetched is asked for all the time and remembered, and a partition that is wanted is read from the end remembered at that moment.
// What makes that exact: the loop puts a room on Interest's list before it answers; an end that was asked for is only installed after all rooms on
// the list have got the end known before. So what a room gets was answered by the broker before the room's join was.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/domain/clock.hpp"
#include "core/domain/ids.hpp"
#include "core/kafka/interest.hpp"
#include "core/kafka/key_partitions.hpp"

namespace fluentgate::kafka {

inline constexpr std::size_t incoming_topics = 3;  // indices as in LogPosition: audio.synthesized, text.original, text.translated

class PartitionPlan {
 public:
  struct Options {
    std::vector<std::string> partitioners;
    SteadyMs release_ms = 30000;      // how long a partition is fetched after its last room left
    SteadyMs moved_keep_ms = 900000;  // how long keys are looked for where they were before the partition count changed: clients may write
                                      // by the old one until they ask again (Java and librdkafka: 5 minutes), and history is owed after that
  };
  using Place = std::pair<std::uint8_t, std::int32_t>;  // topic, partition
  struct Seen {
    std::int32_t partition = 0;
    bool has_leader = false;
  };
  struct Wanted {
    Place place;
    std::int64_t live_from = 0;  // records from here on came, or may have come, after the room was there
    bool whole = false;          // a partition that is new: there is nothing before live_from
  };
  struct Sample {
    Place place;
    std::int64_t from = 0, end = 0;
  };
  // Remembered ends go back at least so far: rooms whose keys move because of a new partition count are read from there, since whoever
  // writes may have known of it earlier than we.
  static constexpr SteadyMs remembered_ms = 6000;
  static constexpr std::int64_t sample_records = 8;

  // `interest` is followed by the owner of the plan.
  PartitionPlan(Options options, Interest& interest, const Clock& clock)
      : options_(std::move(options)), keys_(options_.partitioners), interest_(interest), clock_(clock) {}

  // What the cluster has. `all_new`: the topic was known to be missing, so everything in it was published since.
  void note_topic(std::uint8_t topic, std::span<const Seen> partitions, bool all_new);
  // Whose end is to be asked for: known, with a leader, not fetched.
  std::vector<Place> to_ask();
  // -1: not answered.
  void note_ends(std::span<const Place> places, std::span<const std::int64_t> ends);
  // Some partition with a leader whose place in the log is not known yet.
  bool incomplete();

  // What is to be opened now, of audio or of text; each is given once. Then assigned(), as soon as it is read.
  std::vector<Wanted> take_wanted(bool text);
  void assigned(Place place);
  // What nobody has wanted for release_ms. Each is given once; then released(), `next` being the first offset that was not read (-1: unknown), or
  // assigned() if it could not be.
  std::vector<Place> take_unwanted();
  void released(Place place, std::int64_t next);

  // Up to `count` partitions that are not fetched and have grown since they were sampled(), in turn.
  std::vector<Sample> next_samples(std::size_t count);
  void sampled(Place place, std::int64_t end);
  // Where the key's records may be.
  std::vector<std::int32_t> partitions_of(std::uint8_t topic, std::string_view key);
  // Of the text topics, for the loop. Nothing while a topic isn't known.
  std::optional<std::vector<Place>> text_places_of(std::string_view room);

  std::size_t placed();   // partitions that are fetched, or whose end is known
  std::size_t fetched();
  std::size_t rooms();

 private:
  enum class Stage : std::uint8_t { unplaced, idle, wanted, opening, assigned, releasing };
  struct Remembered {
    SteadyMs at_ms = 0;
    std::int64_t offset = 0;
  };
  struct Partition {
    Stage stage = Stage::unplaced;
    bool has_leader = false;
    bool whole = false;
    std::deque<Remembered> ends;  // oldest first; of the last remembered_ms and one before: about a dozen
    std::int64_t live_from = -1;
    std::int64_t sampled = -1;
    std::size_t rooms = 0;
    SteadyMs unwanted_ms = 0;
  };
  struct OlderCount {
    std::int32_t count = 0;
    SteadyMs until_ms = 0;
  };
  struct Topic {
    std::int32_t count = 0;
    std::vector<OlderCount> older;  // at most older_counts_max
    std::map<std::int32_t, Partition> partitions;
  };
  static constexpr std::size_t older_counts_max = 8;

  void apply_changes();
  void recount(std::uint8_t topic);
  std::vector<std::int32_t> of_key(const Topic& topic, std::string_view key) const;
  void add_room(Topic& topic, const RoomId& room);
  void remove_room(Topic& topic, const RoomId& room);
  void want(Partition& partition, bool moved);
  void unwant(Partition& partition);
  void remember(Partition& partition, std::int64_t end, SteadyMs now);
  Partition* find(Place place);

  const Options options_;
  const KeyPartitions keys_;
  Interest& interest_;
  const Clock& clock_;
  std::mutex mutex_;  // guards all below; Interest's are taken under it, never the other way
  std::array<Topic, incoming_topics> topics_;
  std::unordered_set<RoomId, IdHash, IdEqual> rooms_;
  Place next_sample_{0, 0};
};

}  // namespace fluentgate::kafka
