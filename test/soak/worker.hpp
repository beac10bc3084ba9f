// The pipeline that a soak needs: reads audio.raw in the log's order, tells what it holds, and answers with synthesis and captions in the languages that
// the gateway asked for, headers copied. Its topics' messages are acknowledged or it waits; it never gives up while the broker is away.
// Thread: one of its own; take() and the counts are for the reactor's.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/kafka/handles.hpp"
#include "test/soak/mark.hpp"

namespace fluentgate::soak {

struct RawRecord {
  int partition = 0;
  std::int64_t offset = 0;
  std::int64_t number = 0;
  ChunkMark mark;
  std::string room, user, instance;  // as the record names them
  std::string problem;               // why it can't be read; empty: it was
};

// Finals acknowledged, by room and topic.
struct Produced {
  std::uint64_t all = 0;
  std::map<int, std::uint64_t> by_language;
};

class EchoWorker {
 public:
  static constexpr std::uint32_t final_every = 10, interim_at = 4;  // of a speaker's chunks

  explicit EchoWorker(std::string bootstrap);
  ~EchoWorker();
  EchoWorker(const EchoWorker&) = delete;
  EchoWorker& operator=(const EchoWorker&) = delete;

  std::vector<RawRecord> take();                        // what came since the last call
  Produced produced(int room, bool translated) const;   // handed over, which means: comes, in order
  std::uint64_t unacknowledged() const noexcept { return unacknowledged_; }
  std::vector<std::string> problems() const;            // what must not happen to a worker: refused messages, a jump in the log

 private:
  struct Out {
    std::string topic, key, value;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  void run();
  void follow();
  void handle(const rd_kafka_message_t& message);
  void answer(const RawRecord& record, const std::vector<std::pair<std::string, std::string>>& headers);
  void captions(const RawRecord& record, const std::vector<int>& wanted, const std::vector<std::pair<std::string, std::string>>& headers);
  std::string numbered(const std::string& room, bool translated, int language, bool final);
  void produce(const Out& out);
  void problem(std::string text);
  static void reported(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

  const std::string bootstrap_;
  kafka::ClientHandle producer_, consumer_;
  std::map<int, std::int64_t> next_offset_;  // by partition of audio.raw
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> unacknowledged_{0};
  mutable std::mutex mutex_;
  std::vector<RawRecord> seen_;                               // guarded by mutex_
  std::map<std::pair<std::string, bool>, Produced> produced_; // guarded by mutex_
  std::vector<std::string> problems_;                         // guarded by mutex_
  std::thread thread_;
};

}  // namespace fluentgate::soak
