#include "test/soak/journal.hpp"

namespace fluentgate::soak {
namespace {

constexpr Ms recent_ms = 15000;       // before a violation
constexpr Ms after_ms = 5000;         // after it
constexpr std::size_t kept_max = 20000;

}  // namespace

std::string clock_text(Ms at_ms) {
  char text[48];
  std::snprintf(text, sizeof text, "%lld:%02lld.%03lld", static_cast<long long>(at_ms / 60000), static_cast<long long>(at_ms / 1000 % 60),
                static_cast<long long>(at_ms % 1000));
  return text;
}

void Journal::keep(std::string text) {
  const Ms now = now_ms_();
  while (!recent_.empty() && recent_.front().at_ms < now - recent_ms) recent_.pop_front();
  if (now <= keep_until_ms_ && kept_.size() < kept_max) {
    kept_.push_back({now, std::move(text)});
  } else {
    recent_.push_back({now, std::move(text)});
  }
}

void Journal::note(std::string text) {
  if (out_ != nullptr) {
    std::fprintf(out_, "%9s  %s\n", clock_text(now_ms_()).c_str(), text.c_str());
    std::fflush(out_);
  }
  keep(std::move(text));
}

void Journal::detail(std::string text) { keep(std::move(text)); }

void Journal::violation(std::string_view invariant, std::string text) {
  const Ms now = now_ms_();
  ++count_;
  const bool shown = ++violated_.try_emplace(std::string(invariant), 0).first->second <= violations_max;
  if (out_ != nullptr && shown) {
    std::fprintf(out_, "%9s  VIOLATION %s: %s\n", clock_text(now).c_str(), std::string(invariant).c_str(), text.c_str());
    std::fflush(out_);
  }
  for (Note& earlier : recent_) {
    if (earlier.at_ms >= now - recent_ms && kept_.size() < kept_max) kept_.push_back(std::move(earlier));
  }
  recent_.clear();
  keep_until_ms_ = now + after_ms;
  keep("VIOLATION " + std::string(invariant) + ": " + text);
  if (shown) violations_.push_back({now, std::string(invariant), std::move(text)});
}

void Journal::held(std::string_view invariant, std::uint64_t times) {
  const auto found = checks_.find(invariant);
  if (found != checks_.end()) {
    found->second += times;
  } else {
    checks_.emplace(std::string(invariant), times);
  }
}

std::vector<Note> Journal::around(const Violation& violation, Ms around_ms) const {
  std::vector<Note> out;
  for (const Note& note : kept_) {
    if (note.at_ms >= violation.at_ms - around_ms && note.at_ms <= violation.at_ms + around_ms) out.push_back(note);
  }
  return out;
}

}  // namespace fluentgate::soak
