// Sequence numbers of several instances, with a real redis-server and the embedded cluster: the scripts do what test/unit/domain/number_world.hpp plays,
// and a speaker's numbers go on from instance to instance (CONTRACT 2, docs/decisions/0006).
#include <algorithm>
#include <map>
#include <thread>

#include "core/domain/number_keeper.hpp"
#include "core/gateway/mailbox.hpp"
#include "core/gateway/speech_uploads.hpp"
#include "core/kafka/bridge.hpp"
#include "core/redis/numbering.hpp"
#include "test/integration/kafka_world.hpp"
#include "test/integration/redis/link_world.hpp"

namespace fluentgate::test {
namespace {

using Outcome = NumberClaimed::Outcome;
const NumberAuthority::Speaker ana{RoomId("r"), UserId("ana b")};

// One authority by itself.
struct Authority final : redis::InboundSink {
  Authority(const std::string& url, const std::string& name) : link(url), numbers(*link.link, name, *this, link.clock) {
    if (!link.told.wait_up()) FAIL("no redis\n" + link.log.all());
  }
  ~Authority() override { link.link->stop(0); }
  void deliver(std::vector<redis::Inbound> batch) noexcept override {
    const std::lock_guard lock(mutex);
    for (auto& message : batch) {
      if (auto* news = std::get_if<NumberNews>(&message)) told.push_back(std::move(*news));
    }
  }
  // The next of its kind.
  template <class T>
  T next() {
    std::optional<T> found;
    const bool came = eventually([&] {
      const std::lock_guard lock(mutex);
      for (auto it = told.begin(); it != told.end(); ++it) {
        if (const T* one = std::get_if<T>(&*it)) {
          found = *one;
          told.erase(it);
          return true;
        }
      }
      return false;
    });
    if (!came) FAIL("no answer");
    return *found;
  }
  NumberClaimed claim(std::optional<std::int64_t> first = std::nullopt) {
    numbers.claim(ana, ++ticket, first, 1000);
    return next<NumberClaimed>();
  }
  NumberSaved save(const NumberRecord& record, bool adopt = false) {
    numbers.save_all({{ana.room, ana.user, record, adopt}});
    return next<NumberSaved>();
  }
  std::mutex mutex;
  std::vector<NumberNews> told;
  std::uint64_t ticket = 0;
  LinkWorld link;
  redis::RedisNumbers numbers;
};

// One instance: everything between a chunk and Kafka, with a loop that the test turns.
struct Instance final : gateway::SpeechUploads::Listener {
  Instance(const std::string& url, const std::string& bootstrap) {
    settings.redis.url = url;
    settings.kafka.bootstrap_servers = bootstrap;
    auto made = kafka::Bridge::start(settings, mailbox, interest, log, clock);
    if (!made) FAIL(made.error().text);
    bridge = std::move(made).value();
    auto started = redis::Link::start({url, "numbers", 2000}, told, log, clock);
    if (!started) FAIL(started.error().text);
    link = std::move(started).value();
    numbers.emplace(*link, bridge->instance(), mailbox, clock);
    uploads.emplace(settings, clock, bridge->publisher(), *this);
    uploads->join(*numbers, *bridge->log_tail(), bridge->instance());
    bridge->set_eager(true);
    if (!told.wait_up()) FAIL("no redis");
    if (!eventually([&] { return turn(), uploads->numbers_known() && bridge->state().connected; })) FAIL("not ready\n" + log.all());
  }
  ~Instance() override { end(); }
  // As a process that is killed: nothing is told to anybody.
  void end() {
    if (link) link->stop(0);
    bridge->stop(0);
    link.reset();
  }
  void leave() {
    (void)bridge->flush(5000);
    turn();
    uploads->release_numbers();
    link->stop(1000);
    link.reset();
    bridge->stop(0);
  }
  void turn() {
    mailbox.take(taken, taken_of_redis);
    for (auto& message : taken_of_redis) {
      if (const auto* news = std::get_if<NumberNews>(&message)) uploads->numbers(*news);
    }
    for (auto& message : taken) {
      if (const auto* settled = std::get_if<kafka::ChunkSettled>(&message)) uploads->settled(*settled);
      else if (const auto* speaker = std::get_if<kafka::SpeakerRecovered>(&message)) uploads->recovered(*speaker);
      else if (std::holds_alternative<kafka::RecoveryDone>(message)) uploads->recovery_done();
      else if (const auto* read = std::get_if<TailRead>(&message)) uploads->numbers(*read);
    }
    if (clock.steady_ms() >= tick_due_ms) {
      tick_due_ms = clock.steady_ms() + 50;
      uploads->tick();
    }
  }
  void say(const std::string& user, int chunks = 1) {
    for (int i = 0; i < chunks; ++i) uploads->push(chunk("r", user, -1));
  }
  void chunk_published(const AudioChunk&) override { ++published; }
  void before_publish(AudioChunk&) override {}
  std::string spoken_in(const AudioChunk&) override { return ""; }
  void chunk_acknowledged(const std::string&, std::int64_t) override { ++acknowledged; }
  void chunk_dropped(std::int64_t) override {}
  void chunk_refused(const std::string&, std::int64_t) override {}
  void audio_dropped(const RoomId&, const UserId&, const gateway::SpeechUploads::Dropped&) override {}
  void numbers_owned(NumberKeeper::Way way, std::int64_t waited_ms) override {
    ways += std::string(NumberKeeper::name_of(way)) + " ";
    last_waited_ms = waited_ms;
  }
  void numbers_conflict(const RoomId&, const UserId&, const std::string& text) override { conflicts += text + "\n"; }

  RealClock clock;
  CollectingLogger log;
  Told told;
  gateway::Mailbox mailbox{[] {}};
  kafka::Interest interest;
  config::Settings settings;
  std::unique_ptr<kafka::Bridge> bridge;
  std::unique_ptr<redis::Link> link;
  std::optional<redis::RedisNumbers> numbers;
  std::optional<gateway::SpeechUploads> uploads;
  std::vector<kafka::Inbound> taken;
  std::vector<redis::Inbound> taken_of_redis;
  SteadyMs tick_due_ms = 0;
  int published = 0, acknowledged = 0;
  std::int64_t last_waited_ms = 0;
  std::string ways, conflicts;
};

struct Instances {
  Instances() { world.use_outside_cluster(); }
  Instance& start() {
    all.push_back(std::make_unique<Instance>(server.url(), world.cluster().bootstrap()));
    return *all.back();
  }
  template <class Condition>
  bool until(Condition condition, int timeout_ms = 15000) {
    return eventually([&] {
      for (auto& instance : all) {
        if (instance->link) instance->turn();
      }
      return condition();
    }, timeout_ms);
  }
  // The numbers of each speaker in the order of the log.
  std::map<std::string, std::string> numbers(std::size_t count) {
    KafkaPeer peer(world.cluster().bootstrap());
    std::map<std::string, std::string> out;
    for (const PeerRecord& record : peer.read("audio.raw", count)) {
      const std::size_t user = record.value.find("\"user_id\":\"") + 11;
      out[record.value.substr(user, record.value.find('"', user) - user)] += *record.header("fg-seq") + " ";
    }
    return out;
  }
  RedisServer server;
  KafkaWorld world;
  std::vector<std::unique_ptr<Instance>> all;
};

}  // namespace

TEST(number_records_and_notes_are_read_as_they_were_written) {
  NumberRecord record{"host-1-ab", 3, 9007199254740991, 63, 123456789012, 1700000000000, true};
  CHECK(redis::parse_number_record(redis::number_record_text(record)) == record);
  record.owner.clear();
  record.partition = -1;
  record.offset = -1;
  CHECK(redis::parse_number_record(redis::number_record_text(record)) == record);
  for (const char* bad : {"", "-", "a 1 2 3 4 5", "a 1 2 3 4 5 2", "a 1 2 3 4 5 0 6", "a x 2 3 4 5 0", " 1 2 3 4 5 0"}) {
    CHECK(!redis::parse_number_record(bad));
  }
  const auto note = redis::parse_number_note(redis::number_note_text({NumberNote::Kind::busy, RoomId("r:1"), UserId("a b  c"), "i-2"}));
  CHECK(note && note->kind == NumberNote::Kind::busy && note->room.value == "r:1" && note->user.value == "a b  c" && note->from == "i-2");
  for (const char* bad : {"", "wanted", "wanted i", "wanted i r", "wanted i r ", "other i r u"}) CHECK(!redis::parse_number_note(bad));
}

TEST(number_scripts_grant_to_one_owner_and_refuse_the_others) {
  RedisServer server;
  Authority a(server.url(), "a"), b(server.url(), "b");
  const NumberClaimed absent = a.claim();
  CHECK(absent.outcome == Outcome::absent);
  CHECK(absent.born_ms > 0);
  NumberClaimed mine = a.claim(5);
  CHECK(mine.outcome == Outcome::granted);
  CHECK(mine.record == (NumberRecord{"a", 1, 5, -1, -1, 1000, false}));
  const NumberClaimed held = b.claim(9);
  CHECK(held.outcome == Outcome::held);
  CHECK_EQ(held.record.owner, "a");
  CHECK(a.save({"", 1, 9007199254740990, 2, 77, 2000, false}).outcome == NumberSaved::Outcome::kept);
  CHECK(b.save({"", 1, 1, 0, 0, 0, false}).outcome == NumberSaved::Outcome::refused);
  CHECK(b.save({"", 0, 1, 0, 0, 0, false}, true).outcome == NumberSaved::Outcome::refused);
  CHECK(a.save({"", 9, 1, 0, 0, 0, false}).outcome == NumberSaved::Outcome::refused);
  b.numbers.release(ana, {"", 1, 0, -1, -1, 0, false}, {});  // not its to release
  CHECK(b.claim().outcome == Outcome::held);
  a.numbers.release(ana, {"", 1, 9007199254740991, 2, 78, 3000, false}, {"b"});
  CHECK(b.next<NumberNote>().kind == NumberNote::Kind::released);
  mine = b.claim();
  CHECK(mine.outcome == Outcome::granted);
  CHECK(mine.record == (NumberRecord{"b", 2, 9007199254740991, 2, 78, 3000, false}));
  CHECK(a.save({"", 1, 1, 0, 0, 0, false}).outcome == NumberSaved::Outcome::refused);
  CHECK(server.ask({"PTTL", "fg:seq:r"}).size() >= 9);  // days
}

TEST(number_scripts_take_by_force_only_what_is_as_it_was_seen) {
  RedisServer server;
  Authority a(server.url(), "a"), b(server.url(), "b");
  (void)a.claim(5);
  NumberRecord held = b.claim().record;
  held.fence = 7;
  b.numbers.claim_by_force(ana, 1, held);
  CHECK(b.next<NumberClaimed>().outcome == Outcome::held);
  held.fence = 1;
  b.numbers.claim_by_force(ana, 2, held);
  const NumberClaimed taken = b.next<NumberClaimed>();
  CHECK(taken.outcome == Outcome::granted);
  CHECK(taken.record.tail && taken.record.owner == "b" && taken.record.fence == 2);
  CHECK(b.claim().record.tail);  // until it is saved
  CHECK(b.save({"", 3, 6, 0, 0, 0, false}).outcome == NumberSaved::Outcome::kept);
  CHECK(!b.claim().record.tail);
  a.numbers.ask_owner(ana, 3, "b");
  const OwnerAsked asked = a.next<OwnerAsked>();
  CHECK(asked.reached && !asked.leased && !asked.away);
  const NumberNote wanted = b.next<NumberNote>();
  CHECK(wanted.kind == NumberNote::Kind::wanted && wanted.from == "a" && wanted.user.value == "ana b");
  a.numbers.ask_owner(ana, 4, "nobody");
  CHECK(!a.next<OwnerAsked>().reached);
  // What was numbered while Redis was away is taken over unless Redis is ahead.
  CHECK(a.save({"", 0, 5, 0, 0, 0, false}, true).outcome == NumberSaved::Outcome::refused);
  CHECK(a.save({"", 0, 6, 0, 0, 0, false}, true).outcome == NumberSaved::Outcome::kept);
  CHECK_EQ(a.claim().record.owner, "a");
  server.kill();
  CHECK(a.link.told.wait_down());
  CHECK(a.claim().outcome == Outcome::away);
}

TEST(numbers_go_from_instance_to_instance) {
  Instances world;
  Instance& a = world.start();
  Instance& b = world.start();
  std::vector<std::int64_t> waited;
  int said = 0;
  for (int round = 0; round < 100; ++round) {
    Instance& at = round % 2 == 0 ? a : b;
    at.say("ana", 3);
    said += 3;
    CHECK(world.until([&] { return a.published + b.published == said; }));
    if (round > 0) waited.push_back(at.last_waited_ms);
  }
  CHECK(world.until([&] { return a.acknowledged + b.acknowledged == said; }));
  std::string expected;
  for (int i = 0; i < said; ++i) expected += std::to_string(i) + " ";
  CHECK_EQ(world.numbers(300)["ana"], expected);
  std::sort(waited.begin(), waited.end());
  std::printf("handed over %zu times: p50 %lld ms, p99 %lld ms\n", waited.size(), static_cast<long long>(waited[waited.size() / 2]),
              static_cast<long long>(waited[waited.size() * 99 / 100]));
  CHECK_EQ(a.conflicts + b.conflicts, "");
}

TEST(numbers_of_a_killed_instance_are_read_from_the_log_in_one_pass) {
  Instances world;
  Instance& a = world.start();
  Instance& b = world.start();
  constexpr int speakers = 200;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < speakers; ++i) a.say("u" + std::to_string(i));
  }
  CHECK(world.until([&] { return a.acknowledged == 3 * speakers; }));
  a.end();
  const SteadyMs killed_ms = b.clock.steady_ms();
  for (int i = 0; i < speakers; ++i) b.say("u" + std::to_string(i));
  CHECK(world.until([&] { return b.acknowledged == speakers; }));
  std::printf("%d speakers of a killed instance went on after %lld ms\n", speakers, static_cast<long long>(b.clock.steady_ms() - killed_ms));
  for (const auto& [user, numbers] : world.numbers(4 * speakers)) CHECK_EQ(numbers, "0 1 2 3 ");
  CHECK(b.ways.find("forced") != std::string::npos);
}

TEST(numbers_of_an_instance_that_ended_well_need_no_log) {
  Instances world;
  Instance& a = world.start();
  Instance& b = world.start();
  a.say("ana", 5);
  CHECK(world.until([&] { return a.acknowledged == 5; }));
  a.leave();
  b.say("ana");
  CHECK(world.until([&] { return b.acknowledged == 1; }));
  CHECK_EQ(b.ways, "resumed ");
  CHECK_EQ(world.numbers(6)["ana"], "0 1 2 3 4 5 ");
}

TEST(numbers_outlive_redis_and_are_told_to_it_again) {
  Instances world;
  Instance& a = world.start();
  Instance& b = world.start();
  a.say("ana", 2);
  b.say("ben", 2);
  CHECK(world.until([&] { return a.acknowledged + b.acknowledged == 4; }));
  world.server.kill();
  CHECK(world.until([&] { return !a.link->connected() && !b.link->connected(); }));
  a.say("ana");  // goes on
  b.say("eve");  // new: the log is asked
  CHECK(world.until([&] { return a.acknowledged + b.acknowledged == 6; }));
  CHECK_EQ(b.ways, "log log ");  // Redis was young, too
  world.server.start();
  CHECK(world.until([&] { return world.server.ask({"HLEN", "fg:seq:r"}) == "3"; }));
  b.say("ana");
  a.say("ben");
  a.say("eve");
  CHECK(world.until([&] { return a.acknowledged + b.acknowledged == 9; }));
  auto numbers = world.numbers(9);
  CHECK_EQ(numbers["ana"], "0 1 2 3 ");
  CHECK_EQ(numbers["ben"], "0 1 2 ");
  CHECK_EQ(numbers["eve"], "0 1 ");
}

}  // namespace fluentgate::test
