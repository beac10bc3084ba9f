// The pipeline's state, who may read the pages, and the way from other threads into the loop.
#include "core/gateway/mailbox.hpp"
#include "core/gateway/ops_access.hpp"
#include "core/gateway/pipeline_health.hpp"

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::gateway;

namespace {

bool allowed(const std::vector<std::string>& blocks, std::string_view address) {
  auto access = OpsAccess::parse(blocks);
  CHECK(access.ok());
  return access->allows(address);
}
std::vector<kafka::Inbound> batch(std::size_t frames, std::size_t others = 0) {
  std::vector<kafka::Inbound> out;
  std::vector<redis::Inbound> of_redis;
  for (std::size_t i = 0; i < frames; ++i) out.emplace_back(SynthesizedFrame{RoomId("r"), UserId("s"), LanguageTag::parse("es").value()});
  for (std::size_t i = 0; i < others; ++i) out.emplace_back(kafka::RecoveryDone{});
  return out;
}

}  // namespace

TEST(health_is_down_after_two_seconds_without_a_broker) {
  PipelineHealth health(1000);
  CHECK(!health.tick(2999, 0));
  CHECK(health.state() == PipelineState::ok);
  CHECK(health.tick(3000, 0));
  CHECK(health.state() == PipelineState::down);
  CHECK(!health.tick(3200, 0));
  health.broker({true, false, "c"}, 3300);
  CHECK(!health.ready());
  CHECK(health.tick(3300, 0));
  CHECK(health.state() == PipelineState::ok);
  health.broker({true, true, "c"}, 3400);
  CHECK(health.ready());
  health.broker({false, true, "c"}, 4000);
  health.broker({false, false, "c"}, 5900);  // told again: still the same break
  CHECK(!health.ready());
  CHECK(health.tick(6000, 0));
  CHECK(health.state() == PipelineState::down);
}

TEST(health_follows_the_oldest_unacknowledged_message) {
  PipelineHealth health(0);
  health.broker({true, true, "c"}, 0);
  CHECK(!health.tick(10, 500));
  CHECK(health.tick(20, 501));
  CHECK(health.state() == PipelineState::degraded);
  CHECK(!health.tick(30, 2000));
  CHECK(health.tick(40, 2001));
  CHECK(health.state() == PipelineState::down);
  CHECK(health.tick(50, 0));
  CHECK(health.state() == PipelineState::ok);
}

TEST(ops_access_by_address_and_block) {
  const std::vector<std::string> v4{"127.0.0.0/8", "10.1.2.0/23", "192.0.2.7"};
  CHECK(allowed(v4, "127.0.0.1") && allowed(v4, "127.255.1.2") && allowed(v4, "10.1.3.255") && allowed(v4, "192.0.2.7"));
  CHECK(!allowed(v4, "128.0.0.1") && !allowed(v4, "10.1.4.0") && !allowed(v4, "192.0.2.8") && !allowed(v4, "::1"));
  CHECK(allowed(v4, "::ffff:127.0.0.1"));
  CHECK(!allowed(v4, "::ffff:8.8.8.8"));
  const std::vector<std::string> v6{"::1", "2001:db8::/33", "fe80::/10"};
  CHECK(allowed(v6, "::1") && allowed(v6, "2001:db8:7fff::1") && allowed(v6, "febf::1"));
  CHECK(!allowed(v6, "::2") && !allowed(v6, "2001:db8:8000::1") && !allowed(v6, "fec0::1") && !allowed(v6, "127.0.0.1"));
  CHECK(allowed({"0.0.0.0/0"}, "8.8.8.8") && !allowed({"0.0.0.0/0"}, "2001:db8::1"));
  CHECK(!allowed({}, "127.0.0.1"));
  for (const char* nonsense : {"", "localhost", "127.0.0.1:80", "fe80::1%eth0", "127.1"}) CHECK(!allowed(v4, nonsense));
}

TEST(ops_access_refuses_what_is_no_block) {
  for (const char* bad : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129", "/8", "10.0.0/8"}) {
    const auto access = OpsAccess::parse({"127.0.0.1", bad});
    CHECK(!access.ok());
    CHECK_EQ(access.error().code, "bad_configuration");
    CHECK(access.error().text.find(std::string("\"") + bad + "\"") != std::string::npos);
  }
}

TEST(mailbox_wakes_once_until_it_is_emptied) {
  int woken = 0;
  Mailbox mailbox([&] { ++woken; });
  std::vector<kafka::Inbound> out;
  std::vector<redis::Inbound> of_redis;
  mailbox.deliver(std::vector<kafka::Inbound>{});
  CHECK_EQ(woken, 0);
  mailbox.deliver(batch(1));
  mailbox.deliver(batch(2));
  CHECK_EQ(woken, 1);
  mailbox.take(out, of_redis);
  CHECK_EQ(out.size(), 3u);
  mailbox.deliver_quietly(batch(0, 1));
  CHECK_EQ(woken, 1);
  mailbox.deliver(batch(1));  // somebody must be woken, though it is not empty
  CHECK_EQ(woken, 2);
  mailbox.take(out, of_redis);
  CHECK_EQ(out.size(), 2u);
  mailbox.take(out, of_redis);
  CHECK(out.empty());
  mailbox.silence();
  mailbox.deliver(batch(1));
  CHECK_EQ(woken, 2);
}

TEST(mailbox_drops_frames_only_when_it_is_full) {
  Mailbox mailbox([] {});
  mailbox.deliver(batch(limits::mailbox_messages_max - 1));
  mailbox.deliver(batch(3, 5));
  CHECK_EQ(mailbox.take_dropped(), 2u);
  CHECK_EQ(mailbox.take_dropped(), 0u);
  std::vector<kafka::Inbound> out;
  std::vector<redis::Inbound> of_redis;
  mailbox.take(out, of_redis);
  CHECK_EQ(out.size(), limits::mailbox_messages_max + 5);
}

TEST(mailbox_wakes_for_what_redis_tells) {
  int woken = 0;
  Mailbox mailbox([&] { ++woken; });
  mailbox.deliver(std::vector<redis::Inbound>{redis::BusState{true}});
  mailbox.deliver(batch(1));
  CHECK_EQ(woken, 1);
  std::vector<kafka::Inbound> out;
  std::vector<redis::Inbound> of_redis;
  mailbox.take(out, of_redis);
  CHECK_EQ(out.size(), 1u);
  CHECK_EQ(of_redis.size(), 1u);
  mailbox.take(out, of_redis);
  CHECK(of_redis.empty());
}
