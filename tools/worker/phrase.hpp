// One spoken phrase on its way through the stages, and where its time goes. Thread: any.
//
// Stages, in ms: hangover (last voice -> the endpointer is sure, in the stream's time), stt (arrival of the chunk that showed the end -> final
// text), and per language mt (from there -> translated), tts (from there -> first piece handed to Kafka), ack (from there -> acknowledged);
// total: ingest of the last voiced chunk (header fg-ingest-ms) -> first piece handed to Kafka.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/worker/events.hpp"

namespace fluentgate::worker {

// The stages of all phrases so far, for the line at the exit.
class Summary {
 public:
  void add(const std::string& stage, double value_ms);
  // "phrases=12 hangover_ms=250 stt_ms=11 ..." : medians.
  std::string text() const;

 private:
  static constexpr std::size_t kept_max = 4096;  // per stage; of the newest
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<double>> values_;
  std::map<std::string, std::uint64_t> counts_;
};

// Filled by the stages; says its line when the last of them lets go of it.
class PhraseReport {
 public:
  PhraseReport(ChunkInfoPtr at, std::shared_ptr<Summary> summary) : at_(std::move(at)), summary_(std::move(summary)) {}
  ~PhraseReport();
  PhraseReport(const PhraseReport&) = delete;
  PhraseReport& operator=(const PhraseReport&) = delete;

  // Before anybody else has it.
  void recognized(int spoken_ms, int hangover_ms, SteadyUs end_seen_us, SteadyUs now_us);
  void translated(const std::string& language, SteadyUs now_us);
  void first_piece(const std::string& language, SteadyUs now_us, UnixMs now_ms);
  void acknowledged(const std::string& language, SteadyUs now_us);

 private:
  struct Language {
    SteadyUs translated_us = 0;
    SteadyUs first_piece_us = 0;
    SteadyUs acknowledged_us = 0;
    std::optional<std::int64_t> total_ms;
  };
  const ChunkInfoPtr at_;
  const std::shared_ptr<Summary> summary_;
  int spoken_ms_ = 0;
  int hangover_ms_ = 0;
  SteadyUs end_seen_us_ = 0;
  SteadyUs recognized_us_ = 0;
  std::mutex mutex_;
  std::map<std::string, Language> languages_;
};

struct Phrase {
  ChunkInfoPtr at;  // the chunk with the phrase's last voice: its number and headers are those of everything made of the phrase, so that
                    // latency is counted from the end of what was spoken
  std::string utterance_id;
  std::string text;
  std::map<std::string, std::vector<std::string>> wanted;  // our language -> the tags to publish it under
  std::shared_ptr<PhraseReport> report;
};
using PhrasePtr = std::shared_ptr<const Phrase>;

// What is wanted of `languages` by this chunk's fg-wanted: tags by primary subtag (es-MX is served by es). Without the header: everything.
std::map<std::string, std::vector<std::string>> wanted_languages(const ChunkInfo& info, const std::vector<std::string>& languages);

}  // namespace fluentgate::worker
