// See phrase.hpp.
#include "tools/worker/phrase.hpp"

#include <algorithm>
#include <cstdio>

#include "tools/worker/say.hpp"

namespace fluentgate::worker {
namespace {

std::string shown(double value_ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value_ms);
  return text;
}

double ms_between(SteadyUs from, SteadyUs to) { return static_cast<double>(to - from) / 1000.0; }

}  // namespace

void Summary::add(const std::string& stage, double value_ms) {
  const std::lock_guard lock(mutex_);
  auto& values = values_[stage];
  const std::uint64_t count = counts_[stage]++;
  if (values.size() < kept_max) values.push_back(value_ms);
  else values[count % kept_max] = value_ms;
}

std::string Summary::text() const {
  const std::lock_guard lock(mutex_);
  const auto phrases = counts_.find("stt_ms");
  std::string out = "phrases=" + std::to_string(phrases == counts_.end() ? 0 : phrases->second);
  for (const char* stage : {"hangover_ms", "stt_ms", "mt_ms", "tts_ms", "ack_ms", "total_ms"}) {
    const auto found = values_.find(stage);
    if (found == values_.end()) continue;
    std::vector<double> sorted = found->second;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    out += std::string(" ") + stage + "=" + shown(*middle);
  }
  return out + " (medians)";
}

void PhraseReport::recognized(int spoken_ms, int hangover_ms, SteadyUs end_seen_us, SteadyUs now_us) {
  spoken_ms_ = spoken_ms;
  hangover_ms_ = hangover_ms;
  end_seen_us_ = end_seen_us;
  recognized_us_ = now_us;
}

void PhraseReport::translated(const std::string& language, SteadyUs now_us) {
  const std::lock_guard lock(mutex_);
  languages_[language].translated_us = now_us;
}

void PhraseReport::first_piece(const std::string& language, SteadyUs now_us, UnixMs now_ms) {
  const std::lock_guard lock(mutex_);
  Language& times = languages_[language];
  times.first_piece_us = now_us;
  if (at_->ingest_ms) times.total_ms = now_ms - *at_->ingest_ms;
}

void PhraseReport::acknowledged(const std::string& language, SteadyUs now_us) {
  const std::lock_guard lock(mutex_);
  languages_[language].acknowledged_us = now_us;
}

PhraseReport::~PhraseReport() {
  if (recognized_us_ == 0) return;
  const double stt_ms = ms_between(end_seen_us_, recognized_us_);
  summary_->add("hangover_ms", hangover_ms_);
  summary_->add("stt_ms", stt_ms);
  std::string line = "phrase room=" + at_->room + " speaker=" + at_->user + " seq=" + std::to_string(at_->sequence_number) +
                     " spoken_ms=" + std::to_string(spoken_ms_) + " hangover_ms=" + std::to_string(hangover_ms_) + " stt_ms=" + shown(stt_ms);
  for (const auto& [language, times] : languages_) {
    line += " | " + language;
    const auto stage = [&](const char* name, SteadyUs from, SteadyUs to) {
      if (from == 0 || to == 0) return;
      const double value = ms_between(from, to);
      line += std::string(" ") + name + "=" + shown(value);
      summary_->add(name, value);
    };
    stage("mt_ms", recognized_us_, times.translated_us);
    stage("tts_ms", times.translated_us, times.first_piece_us);
    stage("ack_ms", times.first_piece_us, times.acknowledged_us);
    if (times.total_ms) {
      line += " total_ms=" + std::to_string(*times.total_ms);
      summary_->add("total_ms", static_cast<double>(*times.total_ms));
    }
  }
  say(line);
}

std::map<std::string, std::vector<std::string>> wanted_languages(const ChunkInfo& info, const std::vector<std::string>& languages) {
  std::map<std::string, std::vector<std::string>> wanted;
  if (!info.wanted) {
    for (const std::string& language : languages) wanted[language] = {language};
    return wanted;
  }
  for (std::string& tag : parse_wanted(*info.wanted)) {
    const std::string language = primary_subtag(tag);
    if (std::find(languages.begin(), languages.end(), language) != languages.end()) wanted[language].push_back(std::move(tag));
  }
  return wanted;
}

}  // namespace fluentgate::worker
