// What most plugin tests start from: a host on a free port with the real plugin, clients on real sockets, and a Kafka client that plays the
// pipeline worker. Kafka is the embedded cluster and there is no Redis; or it is the broker that FLUENTGATE_TEST_KAFKA names, with topics of the test's
// own, and a redis-server of the test's own beside it.
// Every wait has a deadline. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/kafka/embedded_cluster.hpp"
#include "test/support/check.hpp"
#include "test/support/host_process.hpp"
#include "test/support/inbound_sink.hpp"
#include "test/support/kafka_peer.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::test {

// --- JSON, as text: tests compare what was really sent ---
std::vector<std::string> keys(std::string_view object);
// The raw value of a member, by a dotted path; fails where it is absent.
std::string member(std::string_view object, std::string_view path);
std::string text_member(std::string_view object, std::string_view path);  // decoded
std::int64_t number_member(std::string_view object, std::string_view path);
bool has_member(std::string_view object, std::string_view name);
std::string base64(std::string_view bytes);
std::string unbase64(std::string_view text);
std::int64_t now_ms();

// --- audio ---
std::string pcm_bytes(std::size_t bytes, int seed = 1);                                     // no two alike, quiet
std::string tone(int ms, int sample_rate = 16000, double amplitude = 8000.0, double hz = 440.0);
std::string silence(int ms, int sample_rate = 16000);

// A client on an upgraded socket. Messages are read in their order; whatever a call passes over is gone.
class Client {
 public:
  explicit Client(WsClient ws) : ws_(std::move(ws)) {}

  void send(std::string_view text) { ws_.send_text(text); }
  void audio(std::string_view bytes) { ws_.send_binary(bytes); }
  // The next message; heartbeats only where asked for by their type.
  Frame next();
  std::string text();                        // the next message, which must be text
  std::string event(std::string_view type);  // of this `type` or `event`, later messages passed over until it comes
  std::string bytes();                       // the next binary message, text passed over
  // Sends a ping message and gathers what comes before its pong: all that the gateway had to say until now.
  std::vector<Frame> until_pong();
  std::vector<std::string> texts_until_pong();
  // An error with this code is the next text.
  std::string refused(std::string_view code);
  WsClient& ws() noexcept { return ws_; }
  std::vector<std::string> greeting;         // what came up to the first heartbeat (captions: up to history_end), in order

 private:
  WsClient ws_;
  int pings_ = 0;
};

struct FramedAudio {
  std::string header;
  std::string audio;
};
FramedAudio framed(const std::string& message);  // takes a message of fluentgate.audio.v1 apart

// --- what a worker writes ---
struct Synthesis {
  std::string pcm;
  std::string language = "es";
  std::optional<std::int64_t> number = {};
  std::string user = "speaker", room = "r1";
  int sample_rate = 16000;
  std::string encoding = "linear16";
  std::string utterance = {};
  KafkaHeaders headers = {};
  std::int64_t timestamp_ms = 0;
};
PeerMessage synthesized(const Synthesis& frame);         // FluentMeet's JSON
PeerMessage synthesized_binary(const Synthesis& frame);

struct Line {
  std::string text;
  std::string language = "en";         // of the text: target_language where translated
  std::int64_t number = 0;
  std::string user = "speaker", room = "r1";
  std::string original = {};           // translated only: original_text; with source_language "en"
  std::string more = {};               // further members of the payload: `,"is_final":false`
  KafkaHeaders headers = {};
  std::string timestamp = "2026-11-22T10:00:00.123456+00:00";
};
inline constexpr std::int64_t line_timestamp_ms = 1795341600123;
PeerMessage transcript(const Line& line);
PeerMessage translation(const Line& line);

// A Kafka of the test's own, for hosts that come and go: an embedded cluster of this process, or topics on the real broker.
class Cluster {
 public:
  explicit Cluster(const std::vector<std::string>& topics = usual_topics, int partitions = 2);
  // Faults, which only the embedded cluster can be told to have: such tests are in test/embedded_only.txt.
  kafka::EmbeddedCluster* operator->();
  std::vector<std::string> options() const;  // what a host is told to use it
  KafkaAddress address() const;

 private:
  CollectingLogger log_;
  std::unique_ptr<kafka::EmbeddedCluster> cluster_;
  std::unique_ptr<OwnTopics> topics_;
  std::unique_ptr<RedisServer> redis_;  // beside the real broker
};

class World {
 public:
  explicit World(const std::vector<std::string>& options = {});  // returns when the host is ready
  World(Cluster& cluster, const std::vector<std::string>& options = {});
  // With any other Kafka; `options` say where it is.
  World(const KafkaAddress& address, const std::vector<std::string>& options);

  // Opens `{prefix}/endpoint/r1` (or the claims' room) and reads the greeting.
  Client audio(const TokenClaims& claims, const std::string& query = {}, const std::string& subprotocol = {});
  Client signaling(const TokenClaims& claims, const std::string& query = {});
  Client captions(const TokenClaims& claims, const std::string& query = {});
  std::string page(const std::string& path);     // a body with 200
  // Until /metrics has this line.
  void wait_metric(const std::string& line);
  // Until stderr has this text; gives all of stderr.
  std::string wait_log(const std::string& text);

 private:
  std::unique_ptr<OwnTopics> topics_;  // on the real broker, where the test runs against it; gone after the two that use them
  std::unique_ptr<RedisServer> redis_;  // beside it

 public:
  HostProcess host;
  KafkaPeer worker;

 private:
  Client open(const std::string& endpoint, const TokenClaims& claims, const std::string& query, const std::string& subprotocol);
};

// What a record of audio.raw (JSON) carries.
inline std::string audio_of(const PeerRecord& record) { return unbase64(text_member(record.value, "payload.audio_data")); }
inline std::int64_t number_of(const PeerRecord& record) { return number_member(record.value, "payload.sequence_number"); }

}  // namespace fluentgate::test
