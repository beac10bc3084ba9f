// What a captions subscriber must get: every final of its room and kind once and in order, also over reconnects with since and epoch, which must be
// recovered. A resume sends what came after the position that it names, so it repeats what came live since then: exactly from there on. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "test/soak/journal.hpp"
#include "test/soak/plan.hpp"

namespace fluentgate::soak {

struct CaptionSeen {
  bool translated = false;
  int language = 0;
  bool final = true;
  bool replay = false;
  std::uint64_t index = 0;           // of the room and topic
  std::uint64_t language_index = 0;  // of those in this language
};

class CaptionChecker {
 public:
  static constexpr std::string_view complete = "captions: no final lost or repeated, order kept";
  static constexpr std::string_view recovered = "captions: a resume is recovered";

  CaptionChecker(Journal& journal, std::string name, SubscriberPlan::Kind kind, int language)
      : journal_(journal), name_(std::move(name)), kind_(kind), language_(language) {}

  void opened(bool resumes);
  void caption(const CaptionSeen& caption);
  void history_end(std::optional<bool> recovered_told);
  // At the end: finals the worker had acknowledged, by topic (and by language). All must have been seen.
  void finish(bool translated, std::uint64_t produced, const std::map<int, std::uint64_t>& by_language);

  std::uint64_t finals() const noexcept { return finals_; }
  std::uint64_t resumes() const noexcept { return resumes_; }

 private:
  // One counted row of finals: a topic's, or a language's of a topic.
  struct Row {
    std::optional<std::uint64_t> next;         // nothing: none came yet
    std::optional<std::uint64_t> after_cursor; // what a resume from the last history_end begins with
  };
  bool narrowed() const noexcept { return kind_ == SubscriberPlan::Kind::one_language; }

  Journal& journal_;
  const std::string name_;
  const SubscriberPlan::Kind kind_;
  const int language_;
  std::map<bool, Row> rows_;  // by topic: translated or not
  bool open_ = false, in_history_ = false, resumed_ = false;
  std::uint64_t finals_ = 0, resumes_ = 0;
};

}  // namespace fluentgate::soak
