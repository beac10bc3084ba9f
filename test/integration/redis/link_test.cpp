// The link against a real redis-server: commands, scripts, subscriptions, and every way in which Redis goes away.
#include "test/integration/redis/link_world.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>

namespace fluentgate::test {
namespace {

using redis::Link;

constexpr const char* append_script = "return redis.call('APPEND', KEYS[1], ARGV[1])";

std::int64_t ms_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST(commands_are_answered_with_their_kinds) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.ask({"k", {"SET", "k", std::string("a\0b\r\n", 5)}}), "OK");
  CHECK_EQ(world.ask({"k", {"GET", "k"}}), std::string("a\0b\r\n", 5));
  CHECK_EQ(world.ask({"k", {"STRLEN", "k"}}), "5");
  CHECK_EQ(world.ask({"none", {"GET", "none"}}), "(nil)");
  CHECK(world.ask({"k", {"HGET", "k", "f"}}).starts_with("error redis: WRONGTYPE"));
  CHECK(server.ask({"CLIENT", "LIST"}).find("name=fluentgate-test") != std::string::npos);
}

TEST(commands_of_one_key_are_done_in_the_order_of_the_calls) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i) + ",";
    expected += text;
    if (i % 2 == 0) {
      world.link->command({"k", {"APPEND", "k", text}});
    } else {
      world.link->script(append_script, "k", {text});
    }
  }
  CHECK_EQ(world.ask({"k", {"GET", "k"}}), expected);
}

TEST(a_script_that_redis_forgot_is_loaded_again) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.script(append_script, "k", {"ab"}), "2");
  CHECK_EQ(world.script(append_script, "k", {"cd"}), "4");
  CHECK_EQ(server.ask({"SCRIPT", "FLUSH"}), "OK");
  CHECK_EQ(world.script(append_script, "k", {"e"}), "5");
  CHECK_EQ(world.script(append_script, "k", {"f"}), "6");
}

TEST(subscriptions_come_back_after_a_restart) {
  RedisServer server;
  LinkWorld world(server.url());
  Awaited subscribed;
  world.link->subscribe("c", [&world, answer = subscribed.answer()] { answer(redis::Reply{}); });
  CHECK_EQ(subscribed.text(), "(nil)");
  CHECK(world.told.wait_up());
  CHECK_EQ(server.ask({"PUBLISH", "c", "one"}), "1");
  CHECK(world.told.wait_message("c=one"));
  server.kill();
  CHECK(world.told.wait_down());
  CHECK(!world.link->connected());
  CHECK(world.ask({"k", {"GET", "k"}}).starts_with("error away"));
  server.start();
  CHECK(world.told.wait_up());
  CHECK_EQ(server.ask({"PUBLISH", "c", "two"}), "1");
  CHECK(world.told.wait_message("c=two"));
  CHECK_EQ(world.told.again_, 1);
}

TEST(unsubscribed_channels_say_nothing_and_can_be_subscribed_again) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  for (int i = 0; i < 20; ++i) {
    world.link->subscribe("c");
    world.link->unsubscribe("c");
  }
  Awaited subscribed;
  world.link->subscribe("c", [answer = subscribed.answer()] { answer(redis::Reply{}); });
  CHECK_EQ(subscribed.text(), "(nil)");
  CHECK_EQ(server.ask({"PUBLISH", "c", "one"}), "1");
  CHECK(world.told.wait_message("c=one"));
  world.link->unsubscribe("c");
  Awaited done;
  world.link->subscribe("d", [answer = done.answer()] { answer(redis::Reply{}); });
  CHECK_EQ(done.text(), "(nil)");
  CHECK_EQ(server.ask({"PUBLISH", "c", "two"}), "0");
  CHECK_EQ(subscribed.calls(), 1);
}

TEST(a_frozen_redis_counts_as_lost_and_each_command_is_answered_once) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  CHECK_EQ(world.ask({"", {"PING"}}), "PONG");
  const auto frozen = std::chrono::steady_clock::now();
  server.freeze();
  Awaited awaited;
  world.link->command({"k", {"SET", "k", "v"}}, awaited.answer());
  CHECK(awaited.text().starts_with("error away"));
  CHECK(world.told.wait_down());
  CHECK(ms_since(frozen) >= 1500);
  CHECK(ms_since(frozen) < 3500);
  server.thaw();
  CHECK(world.told.wait_up());
  CHECK_EQ(awaited.calls(), 1);
}

TEST(a_link_waits_for_a_redis_that_is_not_there_without_burning_the_processor) {
  const std::string url = "redis://127.0.0.1:" + std::to_string(free_port());
  LinkWorld world(url);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  CHECK(!world.told.wait([](const Told& t) { return t.up_; }, 1500));
  getrusage(RUSAGE_SELF, &after);
  const auto ms = [](const rusage& r) { return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000; };
  CHECK(ms(after) - ms(before) < 500);
  CHECK(world.log.count("can't use 127.0.0.1") >= 1);
  CHECK(world.log.count("can't use 127.0.0.1") <= 3);
}

TEST(a_wrong_password_is_said_and_never_shown) {
  RedisServer server({"--requirepass", "secret-right"});
  LinkWorld wrong("redis://:secret-wrong@127.0.0.1:" + std::to_string(server.port()));
  LinkWorld none(server.url());
  LinkWorld right("redis://:secret-right@127.0.0.1:" + std::to_string(server.port()) + "/3");
  CHECK(right.told.wait_up());
  CHECK_EQ(right.ask({"k", {"SET", "k", "v"}}), "OK");
  CHECK(!wrong.told.wait([](const Told& t) { return t.up_; }, 300));
  CHECK(wrong.log.count("refuses the user or password") >= 1);
  CHECK_EQ(wrong.log.count("secret"), 0u);
  CHECK(none.log.count("NOAUTH") >= 1);
}

TEST(what_was_given_before_stop_is_done) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  for (int i = 0; i < 500; ++i) world.link->command({"n", {"INCR", "n"}});
  world.link->stop(2000);
  CHECK_EQ(server.ask({"GET", "n"}), "500");
}

TEST(stop_does_not_wait_for_a_redis_that_hangs) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  server.freeze();
  world.link->command({"n", {"INCR", "n"}});
  const auto begun = std::chrono::steady_clock::now();
  world.link->stop(200);
  CHECK(ms_since(begun) < 1500);
}

TEST(a_client_that_redis_kills_is_back_at_once) {
  RedisServer server;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  CHECK_EQ(server.ask({"CLIENT", "KILL", "TYPE", "pubsub"}), "0");  // nothing is subscribed: it counts as normal
  CHECK(server.ask({"CLIENT", "KILL", "TYPE", "normal"}) >= std::string("1"));
  CHECK(world.told.wait([](const Told& t) { return t.again_ == 1; }, 2000));
  CHECK_EQ(world.ask({"", {"PING"}}), "PONG");
}

TEST(a_listener_that_comes_late_is_told_that_redis_is_there) {
  RedisServer server;
  Told late;
  LinkWorld world(server.url());
  CHECK(world.told.wait_up());
  world.link->listen(late);
  CHECK(late.wait_up());
}

}  // namespace fluentgate::test
