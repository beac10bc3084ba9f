// fluentgate-bench: load for a running gateway, and whether everything arrived, whole and in order (CONTRACT 7). Exit codes: 0 all is well, 1 the run failed or
// something was lost, late for good, doubled or misrouted, 2 wrong usage.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include <CLI/CLI.hpp>

#include "core/domain/language.hpp"
#include "tools/bench/crowd.hpp"
#include "tools/bench/kafka_feed.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/process_usage.hpp"
#include "tools/bench/raw_check.hpp"
#include "tools/bench/report.hpp"

namespace fluentgate::bench {
namespace {

constexpr int exit_failed = 1, exit_wrong_usage = 2;
constexpr int ready_s = 30;
constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t last_arrivals_ns = 5 * second_ns;
constexpr double busy_share = 0.85;        // of a core, from which this program's loop may be what is measured
constexpr std::int64_t late_us = 20'000;   // behind the plan, from which it was not the load that was asked for

void describe(CLI::App& app, Load& load) {
  app.add_option("--url", load.url, "the gateway, ws://HOST:PORT/PREFIX")->capture_default_str();
  app.add_option("--kafka", load.kafka, "its Kafka, HOST:PORT,...; without it only --idle can be measured");
  app.add_option("--secret", load.secret, "HMAC secret of its tokens (HS256)")->required();
  app.add_option("--rooms", load.rooms, "rooms")->capture_default_str()->check(CLI::Range(1, 100000));
  app.add_option("--listeners", load.listeners, "listeners in each room")->capture_default_str()->check(CLI::Range(0, 100000));
  app.add_option("--languages", load.languages, "what they listen to, in turn: es,fr")->delimiter(',')->capture_default_str();
  app.add_option("--frames-per-s", load.frames_per_s, "synthesized frames per second, room and language")->capture_default_str()->check(CLI::Range(0.01, 1e6));
  app.add_option("--frame-bytes", load.frame_bytes, "PCM bytes of a frame")->capture_default_str()->check(CLI::Range(mark_bytes, 900000));
  app.add_flag("--json-frames", load.json_frames, "frames as JSON events with base64, in place of binary ones");
  app.add_option("--speakers", load.speakers, "speakers in each room")->capture_default_str()->check(CLI::Range(0, 100000));
  app.add_option("--rate", load.rate, "chunks per second and speaker")->capture_default_str()->check(CLI::Range(0.01, 10000.0));
  app.add_option("--chunk-bytes", load.chunk_bytes, "PCM bytes of a chunk")->capture_default_str()->check(CLI::Range(mark_bytes, 300000));
  app.add_option("--idle", load.idle, "sockets that neither speak nor hear")->capture_default_str()->check(CLI::Range(0, 1000000));
  app.add_option("--idle-per-room", load.idle_per_room, "of them in a room")->capture_default_str()->check(CLI::Range(1, 100000));
  app.add_option("--foreign", load.foreign_per_s, "frames per second, in all, of rooms that no gateway hosts")->capture_default_str()->check(CLI::Range(0.0, 1e6));
  app.add_option("--seconds", load.seconds, "how long to measure")->capture_default_str()->check(CLI::Range(1.0, 86400.0));
  app.add_option("--warm-up", load.warm_up_s, "seconds of load before that")->capture_default_str()->check(CLI::Range(0.0, 3600.0));
  app.add_option("--topic-synthesized", load.topic_synthesized, "topic that the frames go to")->capture_default_str()->take_last();
  app.add_option("--topic-raw", load.topic_raw, "topic that the chunks come to")->capture_default_str()->take_last();
  app.add_option("--pid", load.pid, "the gateway's process, on this machine: its CPU time and memory are told");
  app.add_flag("--json", load.json, "print JSON in place of text");
}

Status check(const Load& load) {
  if (load.needs_kafka() && load.kafka.empty()) return Error{"usage", "--listeners, --speakers and --foreign need --kafka"};
  if (load.listeners + load.speakers + load.idle == 0 && load.foreign_per_s <= 0) return Error{"usage", "nothing to do: --listeners, --speakers, --idle or --foreign"};
  if (load.frame_bytes % 2 != 0 || load.chunk_bytes % 2 != 0) return Error{"usage", "PCM has an even number of bytes"};
  if (load.languages.empty()) return Error{"usage", "--languages is empty"};
  for (const std::string& language : load.languages) {
    if (const auto tag = LanguageTag::parse(language); !tag) return Error{"usage", "--languages " + language + ": " + tag.error().text};
    if (language.substr(0, 2) == "en") return Error{"usage", "--languages " + language + ": the speakers speak English, so their listeners hear no synthesis in it"};
  }
  if (static_cast<std::size_t>(load.listeners) < load.languages.size() && load.listeners > 0) return Error{"usage", "fewer listeners in a room than languages"};
  if (load.pid != 0 && !usage_of(load.pid)) return Error{"usage", "--pid: there is no such process"};
  return ok();
}

void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What is counted at the window's two ends.
struct Moment {
  std::int64_t at_ns = 0, frames = 0, records = 0, chunks = 0, foreign = 0;
  ProcessUsage gateway;
  double own_cpu_s = 0, own_loop_s = 0;
};

class Run {
 public:
  explicit Run(const Load& load) : load_(load) {}

  Result<Report> go() {
    const Result<GatewayUrl> gateway = parse_gateway_url(load_.url);
    if (!gateway) return gateway.error();
    if (Status prepared = prepare(*gateway); !prepared) return prepared.error();
    Crowd crowd(load_, *gateway, run_);
    crowd_ = &crowd;
    const ProcessUsage before = usage();
    report_.rss_before = before.rss_bytes;
    if (Status opened = crowd.connect(); !opened) return opened.error();
    crowd.run_until(monotonic_ns() + second_ns);  // what every socket is told at its start
    const ProcessUsage connected = usage();
    report_.rss_connected = connected.rss_bytes;
    report_.connect_cpu_s = connected.cpu_s - before.cpu_s;
    load_gateway();
    judge();
    return std::move(report_);
  }

 private:
  Status prepare(const GatewayUrl& gateway) {
    raise_open_files();
    if (load_.listeners > 0 || load_.foreign_per_s > 0) {
      auto feed = KafkaFeed::start(load_, run_);
      if (!feed) return feed.error();
      feed_ = std::move(*feed);
    }
    if (Status ready = wait_ready(gateway, ready_s); !ready) return ready;
    if (load_.speakers == 0) return ok();
    auto raw = RawCheck::start(load_, run_);
    if (!raw) return raw.error();
    raw_ = std::move(*raw);
    return ok();
  }

  ProcessUsage usage() const {
    const auto found = load_.pid != 0 ? usage_of(load_.pid) : std::nullopt;
    return found ? *found : ProcessUsage{};
  }

  Moment now() const {
    Moment out{monotonic_ns(), crowd_->heard().frames, 0, 0, 0, usage(), seconds_of(CLOCK_PROCESS_CPUTIME_ID), seconds_of(CLOCK_THREAD_CPUTIME_ID)};
    if (feed_) {
      out.records = feed_->sent_so_far();
      out.foreign = feed_->foreign_so_far();
    }
    for (const std::int64_t said : crowd_->said()) out.chunks += said;
    return out;
  }

  void load_gateway() {
    const std::int64_t start_ns = monotonic_ns() + second_ns / 20;
    const std::int64_t window_ns = start_ns + static_cast<std::int64_t>(load_.warm_up_s * 1e9);
    const std::int64_t stop_ns = window_ns + static_cast<std::int64_t>(load_.seconds * 1e9);
    if (feed_) feed_->begin(start_ns, stop_ns);
    crowd_->speak(start_ns, stop_ns);
    crowd_->run_until(window_ns);
    measure(true);
    const Moment begin = now();
    crowd_->run_until(stop_ns);
    const Moment end = now();
    measure(false);
    const auto all_there = [this] {
      std::int64_t said = 0;
      for (const std::int64_t count : crowd_->said()) said += count;
      return (!feed_ || (feed_->done() && crowd_->heard_by_all() == feed_->sent())) && (!raw_ || raw_->chunks() >= said);
    };
    crowd_->run_until(stop_ns + last_arrivals_ns, all_there);
    while (feed_ && !feed_->done()) crowd_->run_until(monotonic_ns() + second_ns / 10);
    if (raw_) raw_->stop();
    tell(begin, end);
  }

  void measure(bool on) {
    crowd_->measure(on);
    if (raw_) raw_->measure(on);
  }

  void tell(const Moment& begin, const Moment& end) {
    report_.window_s = static_cast<double>(end.at_ns - begin.at_ns) / 1e9;
    report_.sockets = static_cast<std::int64_t>(crowd_->sockets());
    report_.streams = load_.streams();
    report_.window_frames = end.frames - begin.frames;
    report_.window_records = end.records - begin.records;
    report_.window_chunks = end.chunks - begin.chunks;
    report_.window_foreign = end.foreign - begin.foreign;
    report_.frames_heard = crowd_->heard().frames;
    if (feed_) {
      const std::vector<std::int64_t> ears = crowd_->ears_per_stream();
      for (std::size_t i = 0; i < ears.size(); ++i) {
        report_.frames_sent += feed_->sent()[i];
        report_.frames_expected += feed_->sent()[i] * ears[i];
      }
      report_.frame_delay = quantiles_of(feed_->delay());
    }
    for (const std::int64_t said : crowd_->said()) report_.chunks_said += said;
    if (raw_) {
      report_.chunks_in_kafka = raw_->chunks();
      if (raw_->chunks() > 0) report_.chunk_value_bytes = static_cast<double>(raw_->value_bytes()) / static_cast<double>(raw_->chunks());
      report_.chunk_latency = quantiles_of(raw_->latency());
      report_.chunk_delay = quantiles_of(crowd_->send_delay());
    }
    report_.frame_latency = quantiles_of(crowd_->latency());
    report_.gateway_known = load_.pid != 0;
    report_.gateway_cpu_s = end.gateway.cpu_s - begin.gateway.cpu_s;
    for (const auto& [name, seconds] : end.gateway.thread_s) {
      const auto before = begin.gateway.thread_s.find(name);
      report_.gateway_thread_s[name] = seconds - (before == begin.gateway.thread_s.end() ? 0 : before->second);
    }
    report_.rss_end = end.gateway.rss_bytes;
    report_.own_cpu_s = end.own_cpu_s - begin.own_cpu_s;
    report_.own_loop_s = end.own_loop_s - begin.own_loop_s;
  }

  void judge() {
    const Heard& heard = crowd_->heard();
    const auto wrong = [this](std::int64_t count, const std::string& what) {
      if (count > 0) report_.wrong.push_back(std::to_string(count) + " " + what);
    };
    wrong(report_.frames_expected - report_.frames_heard, "frames never came");
    wrong(heard.missing, "frames were jumped over");
    wrong(heard.out_of_place, "frames came twice or behind a later one");
    wrong(heard.misrouted, "frames came to somebody who must not hear them");
    wrong(heard.corrupt, "frames had another length");
    wrong(heard.skipped_events, "events told of skipped audio");
    wrong(heard.error_events, "errors were told");
    wrong(crowd_->lost_sockets(), "sockets were lost, the first: " + crowd_->first_loss());
    wrong(crowd_->unsent(), "chunks could not be sent: " + crowd_->first_loss());
    if (feed_) wrong(feed_->failed(), "frames were not taken by Kafka: " + feed_->first_failure());
    if (raw_) {
      wrong(report_.chunks_said - report_.chunks_in_kafka, "chunks never came to Kafka");
      wrong(raw_->missing(), "numbers of chunks are missing");
      wrong(raw_->out_of_place(), "chunks are in Kafka twice or behind a later one");
      wrong(raw_->corrupt(), "chunks carry another sound than was said");
    }
    if (load_.pid != 0 && !usage_of(load_.pid)) report_.wrong.push_back("the gateway's process has ended");
    if (report_.own_loop_s > busy_share * report_.window_s) report_.doubtful.push_back("this program's loop was the bottleneck: fewer frames, or several of it");
    if (report_.frame_delay.p99_us > late_us) report_.doubtful.push_back("frames were handed to Kafka later than planned (p99 " + std::to_string(report_.frame_delay.p99_us / 1000) + " ms)");
    if (report_.chunk_delay.p99_us > late_us) report_.doubtful.push_back("chunks were sent later than planned (p99 " + std::to_string(report_.chunk_delay.p99_us / 1000) + " ms)");
  }

  const Load& load_;
  const std::uint32_t run_ = std::random_device{}();
  std::unique_ptr<KafkaFeed> feed_;
  std::unique_ptr<RawCheck> raw_;
  Crowd* crowd_ = nullptr;
  Report report_;
};

}  // namespace
}  // namespace fluentgate::bench

int main(int argc, char** argv) {
  using namespace fluentgate::bench;
  try {
    Load load;
    CLI::App app{"Loads a running fluentgate and checks that everything arrives, whole and in order."};
    describe(app, load);
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      return app.exit(help);
    } catch (const CLI::ParseError& error) {
      std::fprintf(stderr, "fluentgate-bench: %s\nfluentgate-bench --help tells the options\n", error.what());
      return exit_wrong_usage;
    }
    if (const fluentgate::Status fits = check(load); !fits) {
      std::fprintf(stderr, "fluentgate-bench: %s\n", fits.error().text.c_str());
      return exit_wrong_usage;
    }
    const fluentgate::Result<Report> report = Run(load).go();
    if (!report) {
      std::fprintf(stderr, "fluentgate-bench: %s\n", report.error().text.c_str());
      return report.error().code == "bad_url" ? exit_wrong_usage : exit_failed;
    }
    std::fputs((load.json ? json_of(load, *report) : text_of(*report)).c_str(), stdout);
    if (std::fflush(stdout) != 0) std::perror("fluentgate-bench: stdout");
    return report->wrong.empty() ? 0 : exit_failed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fluentgate-bench: %s\n", error.what());
    return exit_failed;
  }
}
