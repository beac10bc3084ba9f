// How our librdkafka clients are configured: the defaults that were measured, the user's properties on top, and the few that are ours alone.
// Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"
#include "core/kafka/handles.hpp"

namespace fluentgate::kafka {

// log_reader: a consumer that is also told where a partition's log ends.
enum class Side : std::uint8_t { producer, consumer, log_reader };

// What a client's callbacks need; must outlive the client.
struct ClientContext {
  Logger* log = nullptr;                                                // null: librdkafka's lines are not written
  std::function<void(rd_kafka_resp_err_t, const char*)> on_error;       // consumer only, on the thread that polls; a producer gets events
};

// Where the clients connect to and as whom.
struct Cluster {
  std::string bootstrap;   // HOST:PORT list
  std::string instance;    // names our clients to the broker
  bool embedded = false;   // the in-process mock: an empty fetch is delayed by the whole fetch.wait.max.ms there
};

// A client of this side. Errors: "bad_property", the text names the option and says what librdkafka says.
Result<ClientHandle> make_client(const config::Kafka& kafka, Side side, const Cluster& cluster, ClientContext& context);

// For --check and before a start: every property of both sides is known, its value accepted, and none is one of ours. Connects nowhere.
Status check_properties(const config::Kafka& kafka);

}  // namespace fluentgate::kafka
