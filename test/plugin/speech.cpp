#include "test/plugin/speech.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace fluentgate::test {

Speech::Speech(Client client, int number) : client_(std::move(client)), number_(number) {
  thread_ = std::thread([this] {
    try {
      auto due = std::chrono::steady_clock::now();
      while (!stopping_) {
        client_.audio(said(sent_));
        ++sent_;
        due += std::chrono::milliseconds(chunk_ms);
        std::this_thread::sleep_until(due);  // the pace of speech is what is tested with
      }
      told_ = client_.texts_until_pong();
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

Speech::~Speech() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

int Speech::stop() {
  stopping_ = true;
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  return sent_;
}

std::vector<PeerRecord> of_room(const std::vector<PeerRecord>& records, const std::string& room) {
  std::vector<PeerRecord> found;
  std::copy_if(records.begin(), records.end(), std::back_inserter(found), [&](const PeerRecord& record) { return record.key == room; });
  return found;
}

void check_complete(const std::vector<PeerRecord>& records, const Speech& speech, int sent) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    CHECK(audio_of(records[i]) == speech.said(static_cast<int>(i)));
    CHECK(!records[i].header("fg-gap-ms"));
  }
  CHECK_EQ(records.size(), static_cast<std::size_t>(sent));
}

void wait_state(Client& client, const std::string& state) {
  while (text_member(client.event("pipeline_heartbeat"), "state") != state) {}
}

void Pause::beat() {
  const std::int64_t now = now_ms();
  if (const std::int64_t last = last_ms_.exchange(now); last > 0) longest_ms_ = std::max(longest_ms_.load(), now - last);
  ++beats_;
}

}  // namespace fluentgate::test
