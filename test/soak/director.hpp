// Runs the plan: people come, do what they do, servers and instances are broken and mended one fault after the other, and everybody is asked what must
// hold. Thread: the reactor's; the servers are started and ended in it too, which takes some ms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/soak/check_growth.hpp"
#include "test/soak/check_logs.hpp"
#include "test/soak/person.hpp"
#include "test/soak/subscriber.hpp"
#include "test/soak/worker.hpp"
#include "test/support/kafka_server.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::soak {

class Director {
 public:
  static constexpr std::string_view pipeline = "the log as the worker reads it", spread = "a drain spreads its clients over time";

  Director(Stage& stage, test::KafkaServer& kafka, test::RedisServer& redis, EchoWorker& worker);

  void begin();                                      // everybody comes
  bool done() const noexcept { return done_; }
  void finish();                                     // what can only be said at the end

  const GrowthChecker& growth() const noexcept { return growth_; }
  Ms warm_ms() const;
  struct Done {
    Fault::Kind kind;
    Ms at_ms = 0, lasted_ms = 0;                     // until all was served again
  };
  const std::vector<Done>& faults() const noexcept { return faults_; }
  std::size_t deeds() const noexcept { return next_deed_; }
  std::string progress() const;

 private:
  void next_fault();
  void begin_fault(const Fault& fault);
  void mended();                                     // all servers are up again
  void when(std::function<bool()> condition, std::function<void()> then);
  void kill_instance(int instance, Ms for_ms, std::function<void()> then);
  void kill_broker(Ms for_ms, std::function<void()> then);
  void restart_broker(std::function<void()> then);
  void redis_back(std::function<void()> then);
  void roll(int instance);
  void disturb();
  void check_spread();
  void run_deeds();
  void probe();
  void read_worker();
  void calm_down();
  void closing();

  Stage& stage_;
  test::KafkaServer& kafka_;
  test::RedisServer& redis_;
  EchoWorker& worker_;
  GrowthChecker growth_;
  LogChecker logs_;
  std::vector<std::unique_ptr<Person>> persons_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::size_t next_deed_ = 0, next_fault_ = 0, problems_told_ = 0, pauses_before_ = 0;
  std::uint64_t next_probe_ = 1;
  bool broken_ = false, closing_ = false, done_ = false;
  Ms calm_from_ms_ = 0, fault_began_ms_ = 0, redis_settled_ms_ = 0, raw_silent_since_ms_ = 0;
  std::vector<Done> faults_;
};

}  // namespace fluentgate::soak
