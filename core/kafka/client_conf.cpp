// Defaults with their reasons, the user's properties on top, then what is ours.
#include "core/kafka/client_conf.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace fluentgate::kafka {
namespace {

struct Setting {
  const char* name;
  const char* value;
};

constexpr std::array common_defaults = {
    Setting{"client.software.name", "fluentgate"},
    Setting{"socket.nagle.disable", "true"},         // 40 ms a request otherwise
    Setting{"socket.keepalive.enable", "true"},
    Setting{"reconnect.backoff.ms", "50"},
    Setting{"reconnect.backoff.max.ms", "500"},      // back within 2 s of the broker's return
    Setting{"message.max.bytes", "8388608"},         // a sentence of 1 MB in base64, and then some; the broker's own limit still counts
};
constexpr std::array producer_defaults = {
    Setting{"enable.idempotence", "true"},           // what was acknowledged is never sent twice
    Setting{"linger.ms", "0"},
    Setting{"max.in.flight.requests.per.connection", "1"},  // measured: what arrives meanwhile goes in the next request
    Setting{"message.timeout.ms", "0"},              // what was handed over has its number and never times out
    // A topic that isn't there yet is waited for. The largest that doesn't overflow: librdkafka multiplies it by 1000 in an int.
    Setting{"topic.metadata.propagation.max.ms", "2000000"},
    Setting{"socket.timeout.ms", "10000"},           // a broker that hangs is left after that, not after a minute
    Setting{"request.timeout.ms", "10000"},
};
constexpr std::array consumer_defaults = {
    Setting{"fetch.min.bytes", "1"},
    Setting{"socket.timeout.ms", "10000"},
    Setting{"check.crcs", "true"},
};
// Set after the user's, who may not name them.
constexpr std::array consumer_ours = {
    Setting{"enable.auto.commit", "false"},
    Setting{"enable.auto.offset.store", "false"},
    Setting{"auto.offset.reset", "earliest"},        // a topic made anew is read from its start
};

struct Refused {
  std::string_view name;
  std::string_view why;
};
constexpr std::array refused = {
    Refused{"bootstrap.servers", "set kafka.bootstrap.servers, which counts for both sides"},
    Refused{"metadata.broker.list", "set kafka.bootstrap.servers"},
    Refused{"group.id", "every instance reads every message of its rooms; a group would split them"},
    Refused{"group.instance.id", "every instance reads every message of its rooms; a group would split them"},
    Refused{"enable.auto.commit", "positions are not kept in a group"},
    Refused{"auto.commit.enable", "positions are not kept in a group"},
    Refused{"enable.auto.offset.store", "positions are not kept in a group"},
    Refused{"auto.offset.reset", "where reading starts is fixed: the end of the log, and captions.history_ms before it"},
    Refused{"enable.partition.eof", "used to know the end of the log"},
    Refused{"message.timeout.ms", "what was handed to the producer has a number and must not time out; see kafka.buffer_ms"},
    Refused{"delivery.timeout.ms", "what was handed to the producer has a number and must not time out; see kafka.buffer_ms"},
    Refused{"delivery.report.only.error", "acknowledgements are needed"},
    Refused{"transactional.id", "the producer is idempotent, not transactional"},
    Refused{"test.mock.num.brokers", "set kafka.bootstrap.servers = embedded"},
};

bool is_secret(std::string_view name) {
  for (const std::string_view part : {"password", "secret", "key.pem", "jaas", "oauthbearer.config", "token"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

void on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text) noexcept {
  if (rk == nullptr) return;
  const auto* context = static_cast<const ClientContext*>(rd_kafka_opaque(rk));
  if (context == nullptr || context->log == nullptr) return;
  // A property for one side, given for both, is no mistake, but librdkafka warns of it.
  if (std::strcmp(facility, "CONFWARN") == 0) level = 7;
  const LogLevel ours = level <= 3 ? LogLevel::error : level == 4 ? LogLevel::warn : level <= 6 ? LogLevel::info : LogLevel::debug;
  if (!context->log->enabled(ours)) return;
  try {
    context->log->write(ours, "kafka", std::string(facility) + ": " + text);
  } catch (...) {  // out of memory: a log line less
  }
}

void on_client_error(rd_kafka_t*, int error, const char* reason, void* opaque) noexcept {
  const auto* context = static_cast<const ClientContext*>(opaque);
  if (context != nullptr && context->on_error) context->on_error(static_cast<rd_kafka_resp_err_t>(error), reason);
}

template <std::size_t N>
Status set_all(rd_kafka_conf_t* conf, const std::array<Setting, N>& settings) {
  char text[512];
  for (const Setting& setting : settings) {
    if (rd_kafka_conf_set(conf, setting.name, setting.value, text, sizeof text) != RD_KAFKA_CONF_OK)
      return Error{"bad_property", std::string("librdkafka refuses our own ") + setting.name + ": " + text};
  }
  return ok();
}

Status set_users(rd_kafka_conf_t* conf, const std::map<std::string, std::string>& properties, const std::string& prefix) {
  char text[512];
  for (const auto& [name, value] : properties) {
    const std::string option = prefix + name;
    for (const Refused& row : refused) {
      if (row.name == name) return Error{"bad_property", option + ": can't be set: " + std::string(row.why)};
    }
    const rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text);
    if (result == RD_KAFKA_CONF_UNKNOWN) return Error{"bad_property", option + ": not a property of librdkafka (" + text + ")"};
    if (result != RD_KAFKA_CONF_OK)
      return Error{"bad_property", is_secret(name) ? option + ": librdkafka refuses its value" : option + " = \"" + value + "\": " + text};
  }
  return ok();
}

// Which of the user's options a complaint of rd_kafka_new is about: the longest of those it names.
std::string blamed(const config::Kafka& kafka, Side side, std::string_view complaint) {
  std::string best = "kafka.*";
  std::size_t longest = 0;
  const auto look = [&](const std::map<std::string, std::string>& properties, const std::string& prefix) {
    for (const auto& [name, value] : properties) {
      if (name.size() <= longest || complaint.find(name) == std::string_view::npos) continue;
      longest = name.size();
      best = prefix + name + (is_secret(name) ? std::string() : " = \"" + value + "\"");
    }
  };
  look(kafka.properties, "kafka.");
  if (side == Side::producer) look(kafka.producer_properties, "kafka.producer.");
  else look(kafka.consumer_properties, "kafka.consumer.");
  return best;
}

Result<ConfHandle> make_conf(const config::Kafka& kafka, Side side, const Cluster& cluster, ClientContext& context) {
  ConfHandle conf(rd_kafka_conf_new());
  if (Status set = set_all(conf.get(), common_defaults); !set) return set.error();
  if (Status set = side == Side::producer ? set_all(conf.get(), producer_defaults) : set_all(conf.get(), consumer_defaults); !set) return set.error();
  if (side != Side::producer && cluster.embedded) {
    if (Status set = set_all(conf.get(), std::array{Setting{"fetch.wait.max.ms", "10"}}); !set) return set.error();
  } else if (side == Side::consumer && kafka.partition_aware) {
    // A partition that becomes wanted is asked for when the request under way has come back.
    if (Status set = set_all(conf.get(), std::array{Setting{"fetch.wait.max.ms", "100"}}); !set) return set.error();
  }
  if (Status set = set_users(conf.get(), kafka.properties, "kafka."); !set) return set.error();
  const bool producing = side == Side::producer;
  if (Status set = set_users(conf.get(), producing ? kafka.producer_properties : kafka.consumer_properties,
                             producing ? "kafka.producer." : "kafka.consumer.");
      !set)
    return set.error();
  char text[512];
  if (!cluster.bootstrap.empty() &&
      rd_kafka_conf_set(conf.get(), "bootstrap.servers", cluster.bootstrap.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
    return Error{"bad_property", "kafka.bootstrap.servers = \"" + cluster.bootstrap + "\": " + text};
  const std::string client = "fluentgate-" + cluster.instance;
  if (!kafka.properties.contains("client.id") && rd_kafka_conf_set(conf.get(), "client.id", client.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
    return Error{"bad_property", std::string("client.id: ") + text};
  if (producing) {
    // A batch that is refused stops the producer before the next is sent: what is sent again keeps its order. Needs idempotence, which the
    // user may have turned off.
    std::size_t size = sizeof text;
    if (rd_kafka_conf_get(conf.get(), "enable.idempotence", text, &size) == RD_KAFKA_CONF_OK && std::string_view(text) == "true" &&
        !kafka.properties.contains("enable.gapless.guarantee") && !kafka.producer_properties.contains("enable.gapless.guarantee")) {
      if (Status set = set_all(conf.get(), std::array{Setting{"enable.gapless.guarantee", "true"}}); !set) return set.error();
    }
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  } else {
    if (Status set = set_all(conf.get(), consumer_ours); !set) return set.error();
    if (side == Side::log_reader) {
      // One pass at a time: the next must not wait for the answer to the last one's final fetch.
      if (Status set = set_all(conf.get(), std::array{Setting{"enable.partition.eof", "true"}, Setting{"fetch.wait.max.ms", "10"}}); !set) return set.error();
    }
    // librdkafka wants a group for assign(); nothing is ever committed to it.
    if (rd_kafka_conf_set(conf.get(), "group.id", client.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
      return Error{"bad_property", std::string("group.id: ") + text};
    rd_kafka_conf_set_error_cb(conf.get(), on_client_error);
  }
  rd_kafka_conf_set_opaque(conf.get(), &context);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  return conf;
}

Status check_topics(const config::Kafka& kafka) {
  const std::array topics = {
      std::pair{"kafka.topic.audio_raw", &kafka.topic_audio_raw}, std::pair{"kafka.topic.audio_synthesized", &kafka.topic_audio_synthesized},
      std::pair{"kafka.topic.text_original", &kafka.topic_text_original}, std::pair{"kafka.topic.text_translated", &kafka.topic_text_translated}};
  for (const auto& [option, name] : topics) {
    const bool spelled = std::all_of(name->begin(), name->end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
    if (name->empty() || name->size() > 249 || !spelled || *name == "." || *name == "..")
      return Error{"bad_topic", std::string(option) + " = \"" + *name + "\": a Kafka topic is 1 to 249 of A-Z a-z 0-9 . _ -"};
    for (const auto& [other, other_name] : topics) {
      if (other != option && *other_name == *name)
        return Error{"bad_topic", std::string(option) + " = \"" + *name + "\": the same as " + other + "; each needs a topic of its own"};
    }
  }
  return ok();
}

}  // namespace

Result<ClientHandle> make_client(const config::Kafka& kafka, Side side, const Cluster& cluster, ClientContext& context) {
  Result<ConfHandle> conf = make_conf(kafka, side, cluster, context);
  if (!conf) return conf.error();
  char text[512];
  ClientHandle client(rd_kafka_new(side == Side::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf->get(), text, sizeof text));
  if (!client) return Error{"bad_property", blamed(kafka, side, text) + ": " + text};
  (void)conf->release();  // rd_kafka_new took it
  if (side != Side::producer) rd_kafka_poll_set_consumer(client.get());
  return client;
}

Status check_properties(const config::Kafka& kafka) {
  if (Status topics = check_topics(kafka); !topics) return topics;
  for (const Side side : {Side::producer, Side::consumer}) {
    ClientContext context;
    // A client without brokers: what librdkafka only checks when everything is known (acks with idempotence, certificates) is checked here.
    if (Result<ClientHandle> client = make_client(kafka, side, Cluster{"", "check", kafka.embedded()}, context); !client) return client.error();
  }
  return ok();
}

}  // namespace fluentgate::kafka
