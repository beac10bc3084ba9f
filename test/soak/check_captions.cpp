#include "test/soak/check_captions.hpp"

#include "test/soak/mark.hpp"

namespace fluentgate::soak {
namespace {

std::string topic_name(bool translated) { return translated ? "text.translated" : "text.original"; }

}  // namespace

void CaptionChecker::opened(bool resumes) {
  open_ = true;
  in_history_ = true;
  resumed_ = resumes;
  if (resumes) {
    ++resumes_;
    for (auto& [topic, row] : rows_) row.next = row.after_cursor;
  } else {
    rows_.clear();
  }
}

void CaptionChecker::caption(const CaptionSeen& caption) {
  const auto tell = [&](const std::string& text) {
    journal_.violation(complete, name_ + ", " + topic_name(caption.translated) + " " + std::to_string(caption.index) + ": " + text);
  };
  if (caption.replay != in_history_) tell(in_history_ ? "live before history_end" : "a replay after history_end");
  if (caption.replay && !caption.final) tell("an interim caption replayed");
  if (kind_ == SubscriberPlan::Kind::originals && caption.translated) tell("translated, though it asked for originals");
  if (kind_ == SubscriberPlan::Kind::translations && !caption.translated) tell("an original, though it asked for translations");
  if (narrowed() && caption.language != language_) tell("in another language than it asked for");
  if (!caption.final) return;
  ++finals_;
  Row& row = rows_[caption.translated];
  const std::uint64_t number = narrowed() ? caption.language_index : caption.index;
  if (row.next && number != *row.next) {
    tell(number < *row.next ? "repeated or out of order, " + std::to_string(*row.next) + " is next"
                            : std::to_string(number - *row.next) + " final(s) lost, " + std::to_string(*row.next) + " is next");
  }
  row.next = number + 1;
  // The first of its row since the position was given: a resume from there must begin with it.
  if (!row.after_cursor) row.after_cursor = number;
  journal_.held(complete);
}

void CaptionChecker::history_end(std::optional<bool> recovered_told) {
  if (!in_history_) journal_.violation(complete, name_ + ": a second history_end");
  in_history_ = false;
  if (resumed_) {
    if (recovered_told != true) {
      journal_.violation(recovered, name_ + ": recovered is " + (recovered_told ? "false" : "absent"));
      rows_.clear();  // the normal history came in its place
    }
    journal_.held(recovered);
  }
  for (auto& [topic, row] : rows_) row.after_cursor = row.next;
}

void CaptionChecker::finish(bool translated, std::uint64_t produced, const std::map<int, std::uint64_t>& by_language) {
  if (!open_ || (kind_ == SubscriberPlan::Kind::originals && translated) || (kind_ == SubscriberPlan::Kind::translations && !translated)) return;
  const auto language = by_language.find(language_);
  const std::uint64_t all = !narrowed() ? produced : language == by_language.end() ? 0 : language->second;
  const Row& row = rows_[translated];
  if (row.next && *row.next != all) {
    journal_.violation(complete, name_ + ", " + topic_name(translated) + ": the last seen is before " + std::to_string(*row.next) + ", produced were " +
                                     std::to_string(all));
  }
  journal_.held(complete);
}

}  // namespace fluentgate::soak
