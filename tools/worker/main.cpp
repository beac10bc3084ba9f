// fluentgate-worker: command line, signals, exit codes (0 ended by a signal, 1 a model is missing, 2 wrong usage).
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <thread>

#include "tools/worker/gateway_lookup.hpp"
#include "tools/worker/kafka_link.hpp"
#include "tools/worker/pipeline.hpp"

namespace {

using namespace fluentgate;
using namespace fluentgate::worker;

constexpr int flush_ms = 1000;
constexpr int ask_again_ms = 200;

struct Options {
  KafkaSettings kafka;
  std::string gateway;
  PipelineSettings pipeline;
  std::vector<std::string> properties;
};

// Nothing to exit with: go on.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app{"fluentgate-worker: speech to text, translation and synthesis for a fluentgate gateway, through Kafka alone"};
  options.pipeline.languages = known_languages();
  options.pipeline.speech_threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 16);
  std::string format = "json";
  auto* bootstrap = app.add_option("--bootstrap", options.kafka.bootstrap, "Kafka's brokers, HOST:PORT[,HOST:PORT]...");
  app.add_option("--gateway", options.gateway, "http://HOST:PORT of a gateway with an embedded Kafka: asks its /readyz where that is")->excludes(bootstrap);
  app.add_option("--kafka", options.properties, "PROPERTY=VALUE of librdkafka (repeatable); producer.PROPERTY or consumer.PROPERTY for one side")->allow_extra_args(false);
  app.add_option("--languages", options.pipeline.languages, "what to translate into, of es, ca, fr, pt")->delimiter(',')->allow_extra_args(false)
      ->check(CLI::IsMember(known_languages()))->capture_default_str();
  app.add_option("--model-dir", options.pipeline.model_dir, "pocketsphinx's English model")->capture_default_str();
  app.add_option("--modes-dir", options.pipeline.modes_dir, "Apertium's modes")->capture_default_str();
  app.add_option("--format", format, "of audio.synthesized: json or binary")->check(CLI::IsMember({"json", "binary"}))->capture_default_str();
  app.add_option("--topic-audio-raw", options.kafka.topic_in, "topic to read")->capture_default_str();
  app.add_option("--topic-text-original", options.kafka.topic_text_original, "topic of transcripts")->capture_default_str();
  app.add_option("--topic-text-translated", options.kafka.topic_text_translated, "topic of translations")->capture_default_str();
  app.add_option("--topic-audio-synthesized", options.kafka.topic_audio_synthesized, "topic of synthesized speech")->capture_default_str();
  app.add_option("--threads", options.pipeline.speech_threads, "that recognize speech (default: one a core)")->check(CLI::Range(1, 64));
  app.add_option("--decoders", options.pipeline.decoders_max, "people who can speak at once; 100 MB each, made when needed")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--hangover-ms", options.pipeline.endpointer.hangover_ms, "silence that ends a short phrase")->check(CLI::Range(100, 2000))->capture_default_str();
  app.add_option("--hangover-long-ms", options.pipeline.endpointer.hangover_long_ms, "silence that ends a phrase of 4 s and more")->check(CLI::Range(100, 2000))->capture_default_str();
  app.add_option("--words-per-minute", options.pipeline.words_per_minute, "of synthesized speech")->check(CLI::Range(80, 450))->capture_default_str();
  app.add_flag("--verbose", options.pipeline.verbose, "say what is heard and how it is translated");
  app.set_version_flag("--version", "fluentgate-worker " FLUENTGATE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.pipeline.binary = format == "binary";
  const auto usage = [](const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return 2;
  };
  if (options.kafka.bootstrap.empty() && options.gateway.empty()) return usage("--bootstrap HOST:PORT or --gateway http://HOST:PORT is needed");
  for (const std::string& property : options.properties) {
    const std::size_t equals = property.find('=');
    if (equals == std::string::npos || equals == 0) return usage("--kafka " + property + ": must be PROPERTY=VALUE");
    options.kafka.properties.emplace_back(property.substr(0, equals), property.substr(equals + 1));
  }
  return std::nullopt;
}

// Whether one of them came within that time.
bool signalled(const sigset_t& signals, int wait_ms) {
  const timespec wait{wait_ms / 1000, wait_ms % 1000 * 1'000'000L};
  return ::sigtimedwait(&signals, nullptr, &wait) > 0;
}

// The gateway's brokers, however long it takes; nothing where a signal came first, an error where waiting can't help.
Result<std::optional<std::string>> wait_for_gateway(const GatewayAddress& gateway, const sigset_t& signals) {
  SaySometimes waiting(5000);
  while (true) {
    auto found = ask_gateway(gateway);
    if (found) return std::optional<std::string>(*found);
    if (!found.error().retriable) return found.error();
    waiting(found.error().text + ", waiting");
    if (signalled(signals, ask_again_ms)) return std::optional<std::string>();
  }
}

int run(Options& options) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // Blocked in every thread made from here on; this one waits for them.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const auto failed = [](const Error& error) {
    say(error.text);
    return error.code == "missing_model" || error.code == "bad_mode" || error.code == "spawn" ? 1 : 2;
  };

  KafkaLink::Callbacks callbacks;
  if (!options.gateway.empty()) {
    auto gateway = parse_gateway_url(options.gateway);
    if (!gateway) return failed(gateway.error());
    auto found = wait_for_gateway(*gateway, signals);
    if (!found) return failed(found.error());
    if (!*found) return 0;
    options.kafka.bootstrap = **found;
    // A gateway that was started again has its embedded brokers somewhere else.
    callbacks.find_bootstrap = [address = *gateway]() -> std::optional<std::string> {
      auto where = ask_gateway(address);
      return where ? std::optional<std::string>(*where) : std::nullopt;
    };
  }
  auto link = KafkaLink::make(options.kafka);
  if (!link) return failed(link.error());
  auto pipeline = Pipeline::make(options.pipeline, **link);
  if (!pipeline) return failed(pipeline.error());

  callbacks.on_record = [&](std::string_view value, std::vector<Header> headers) { (*pipeline)->on_record(value, std::move(headers)); };
  callbacks.on_ready = [&] {
    std::printf("fluentgate-worker ready on %s\n", options.kafka.bootstrap.c_str());
    std::fflush(stdout);
  };
  (*link)->start(std::move(callbacks));
  while (!signalled(signals, 3'600'000)) {}
  (*pipeline)->stop();  // first: a full queue may be holding the consumer
  (*link)->stop(flush_ms);
  say("ended: " + (*pipeline)->summary());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto code = parse(argc, argv, options)) return *code;
  return run(options);
}
