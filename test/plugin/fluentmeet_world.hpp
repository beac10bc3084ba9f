// FluentMeet around a host that runs conf/fluentmeet.toml: its backend (the participants hash, pushes, tokens), its workers (Kafka without headers, JSON as
// Python's json.dumps writes it, Redis's channels) and its clients (the token in the URL). What they write is what its sources write. Thread: one.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/plugin/world.hpp"
#include "test/support/redis_server.hpp"

namespace fluentgate::test {

struct Joined {
  std::string user;
  std::string language = "en", speaking_language = "en", display_name = "Guest", role = "guest";
};

class FluentMeet {
 public:
  explicit FluentMeet(const std::vector<std::string>& options = {});  // over the sample's own

  // --- the backend ---
  void join(const Joined& who, const std::string& room = "r1");                 // POST /join, as far as Redis sees it
  void remove(const std::string& user, const std::string& room = "r1");
  std::string state_of(const std::string& user, const std::string& room = "r1") const;  // the hash's field
  void broadcast(const std::string& data, const std::optional<std::string>& sender = {}, const std::string& room = "r1");
  void unicast(const std::string& target, const std::string& data, const std::string& room = "r1");
  static std::string guest_token(const std::string& session, const std::string& name = "Guest");          // no exp, no room
  static std::string access_token(const std::string& email, const std::string& user_id = {});             // e-mail in sub; the id in user_id, if given

  // --- its workers ---
  struct Speech { std::string user = "ann", language = "en", room = "r1"; std::int64_t number = 1; };
  void interim(const Speech& of, const std::string& text);          // in Redis only
  void transcribed(const Speech& of, const std::string& text);      // a final: Kafka, then active_speaker_changed and the caption in Redis
  // Into every language of the hash but the speech's own: Kafka, then the caption in Redis. Which it were.
  std::set<std::string> translate(const Speech& of, const std::string& text);
  std::string piece(const Speech& of, const std::string& language, const std::string& pcm) const;      // the event's JSON
  void publish_piece(const Speech& of, const std::string& language, const std::string& pcm);
  void publish_whole(const Speech& of, const std::string& language, const std::string& pcm);
  // Pieces of 4096 bytes in Redis, then the whole in Kafka.
  void synthesize_streaming(const Speech& of, const std::string& language, const std::string& pcm);
  // The whole in Kafka, then the same in Redis.
  void synthesize_batch(const Speech& of, const std::string& language, const std::string& pcm);

  // --- its clients ---
  Client audio(const std::string& token, const std::string& room = "r1");
  Client signaling(const std::string& token, const std::string& room = "r1");
  Client captions(const std::string& token, const std::string& room = "r1");
  HttpReply refused(const std::string& endpoint, const std::string& token, const std::string& room = "r1");

  void wait_log(const std::string& text);
  void wait_ready() { host->wait_ready(); }
  // Until the channels of the room are subscribed, or are no more.
  void wait_channels(bool subscribed, const std::string& room = "r1");

  RedisServer redis;
  Cluster kafka;
  TemporaryFolder folder;
  std::unique_ptr<HostProcess> host;
  KafkaPeer worker;

 private:
  Client open(const std::string& endpoint, const std::string& token, const std::string& room, std::string_view last);
};

// The PCM of binary messages until there are so many bytes.
std::string heard(Client& client, std::size_t bytes);

}  // namespace fluentgate::test
