// fluentgate-soak: a real Kafka, a real Redis and several fluentgate-hosts on loopback, driven and broken from a seed. Exit code 1 at any violation.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "test/soak/director.hpp"
#include "test/soak/report.hpp"
#include "test/support/kafka_admin.hpp"

namespace {

using namespace fluentgate;
using namespace fluentgate::soak;

struct Arguments {
  double minutes = 5;
  std::uint64_t seed = 0;
  std::string build_folder = FLUENTGATE_BUILD_DIR;
  Sizes sizes;
  std::vector<std::string> options;  // of the hosts, beside ours
};

std::vector<std::string> host_options(const Arguments& arguments, const test::KafkaServer& kafka, const test::RedisServer& redis) {
  // History as long as a reader may stay on one position at these rates.
  std::vector<std::string> options{"kafka.bootstrap.servers=" + kafka.bootstrap(), "captions.history=2000", "captions.history_ms=300000"};
  if (arguments.sizes.instances > 1) options.push_back("redis.url=" + redis.url());
  options.insert(options.end(), arguments.options.begin(), arguments.options.end());
  return options;
}

int run(const Arguments& arguments) {
  const Plan plan = make_plan(arguments.seed, static_cast<Ms>(arguments.minutes * 60000), arguments.sizes);
  std::printf("soak: seed %llu, %.1f minutes; Kafka and Redis start\n", static_cast<unsigned long long>(plan.seed), arguments.minutes);
  std::fflush(stdout);
  test::KafkaServer kafka;
  test::RedisServer redis;
  {
    test::KafkaAdmin admin(kafka.bootstrap());
    admin.create_topics(test::usual_topics, 6);
  }
  EchoWorker worker(kafka.bootstrap());
  Reactor reactor;
  Journal journal([&reactor] { return reactor.now_ms(); }, stdout);
  Instances instances(reactor, journal, arguments.build_folder, host_options(arguments, kafka, redis), arguments.sizes.instances);
  for (int i = 0; i < instances.count(); ++i) instances.start(i);
  const Ms started = reactor.now_ms();
  bool up = false;
  reactor.after(0, [] {});
  std::function<void()> watch = [&] {
    instances.poll();
    up = instances.all_serving();
    if (!up) reactor.after(20, watch);
  };
  watch();
  reactor.run_until([&] { return up || reactor.now_ms() > started + 60000; });
  if (!up) {
    std::fprintf(stderr, "soak: the instances are not ready\n");
    return 1;
  }
  Stage stage{reactor, journal, plan, instances};
  Director director(stage, kafka, redis, worker);
  director.begin();
  reactor.run_until([&director] { return director.done(); });
  director.finish();
  std::fputs(report(stage, director, worker).c_str(), stdout);
  return journal.violation_count() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  Arguments arguments;
  arguments.seed = std::random_device{}() % 1000000;
  CLI::App app{"Real servers, real gateways, real clients: broken from a seed, checked all the time."};
  app.add_option("minutes", arguments.minutes, "how long (5)")->check(CLI::Range(0.5, 10000.0));
  app.add_option("--seed", arguments.seed, "what happens, in which order (random)");
  app.add_option("--build-dir", arguments.build_folder, "where fluentgate-host and the plugin are");
  app.add_option("--instances", arguments.sizes.instances, "gateways (3)")->check(CLI::Range(1, 16));
  app.add_option("--rooms", arguments.sizes.rooms, "rooms (12)")->check(CLI::Range(1, 1000));
  app.add_option("--speakers", arguments.sizes.speakers, "people who speak (40)")->check(CLI::Range(1, 10000));
  app.add_option("--listeners", arguments.sizes.listeners, "people who only listen (60)")->check(CLI::Range(0, 10000));
  app.add_option("--readers", arguments.sizes.subscribers, "captions clients (24)")->check(CLI::Range(1, 10000));
  app.add_option("--rate", arguments.sizes.chunks_per_s, "chunks a second of each speaker (10)")->check(CLI::Range(1, 50));
  app.add_option("--set", arguments.options, "OPTION=VALUE for every host");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return 1;
  }
}
