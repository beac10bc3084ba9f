#include "test/soak/report.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace fluentgate::soak {
namespace {

constexpr std::size_t shown_violations_max = 5, shown_notes_max = 60;  // of each invariant; of each violation
constexpr Ms around_ms = 8000, bar_ms = 500;

class Paper {
 public:
  __attribute__((format(printf, 2, 3))) void line(const char* format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    std::vsnprintf(text, sizeof text, format, values);
    va_end(values);
    text_ += text;
    text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

using Number = unsigned long long;

Ms percentile(std::vector<Ms> values, int percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, values.size() * static_cast<std::size_t>(percent) / 100)];
}

void invariants(Paper& paper, const Stage& stage) {
  paper.line("\ninvariants                                                     checked  violated");
  Journal::Counts violated = stage.journal.violated();
  for (const auto& [name, count] : stage.journal.checks()) violated.try_emplace(name, 0);
  for (const auto& [name, count] : violated) {
    const auto checks = stage.journal.checks().find(name);
    paper.line("  %-56s %11llu %9llu", name.c_str(), static_cast<Number>(checks == stage.journal.checks().end() ? 0 : checks->second), static_cast<Number>(count));
  }
}

void pauses(Paper& paper, const Stage& stage) {
  paper.line("\nreconnects (ms without all sockets)      count     p50     p99   worst");
  const auto row = [&](const char* name, Pause::Cause cause) {
    std::vector<Ms> values;
    for (const Pause& pause : stage.pauses) {
      if (pause.cause == cause) values.push_back(pause.pause_ms);
    }
    paper.line("  %-36s %8zu %7lld %7lld %7lld", name, values.size(), static_cast<long long>(percentile(values, 50)),
               static_cast<long long>(percentile(values, 99)), static_cast<long long>(percentile(values, 100)));
  };
  row("by its own will, to another instance", Pause::Cause::own);
  row("after going_away", Pause::Cause::drain);
  row("after its instance was killed", Pause::Cause::lost);

  std::map<Ms, std::size_t> bars;
  for (const Pause& pause : stage.pauses) {
    if (pause.cause == Pause::Cause::drain) ++bars[pause.since_fault_ms / bar_ms];
  }
  if (bars.empty()) return;
  paper.line("\nclients back after going_away, by time since");
  for (const auto& [bar, count] : bars) {
    paper.line("  %5.1f s  %4zu  %s", static_cast<double>(bar * bar_ms) / 1000.0, count, std::string(std::min<std::size_t>(count, 60), '#').c_str());
  }
}

void growth(Paper& paper, const Director& director) {
  paper.line("\nprocesses, once warm (%s)          memory now   growth   per hour   descriptors now   growth   over", clock_text(director.warm_ms()).c_str());
  for (const GrowthChecker::Row& row : director.growth().rows(director.warm_ms())) {
    if (!row.memory_mb) continue;
    paper.line("  %-36s %8.1f MB %+7.1f %+8.1f MB %17d %+8.1f   %s", row.process.c_str(), row.memory_now_mb, row.memory_mb->growth(), row.memory_mb->per_hour,
               row.descriptors_now, row.descriptors ? row.descriptors->growth() : 0.0, clock_text(row.memory_mb->over_ms).c_str());
  }
}

void violations(Paper& paper, const Stage& stage) {
  std::map<std::string, std::size_t> shown;
  for (const Violation& one : stage.journal.violations()) {
    if (shown[one.invariant]++ >= shown_violations_max) continue;
    paper.line("\nVIOLATION at %s of \"%s\": %s", clock_text(one.at_ms).c_str(), one.invariant.c_str(), one.text.substr(0, 700).c_str());
    const std::vector<Note> notes = stage.journal.around(one, around_ms);
    // The names in it select what belongs to it; faults always do.
    std::size_t lines = 0;
    for (const Note& note : notes) {
      const std::string who = note.text.substr(0, note.text.find(' '));
      const bool of_client = who.starts_with("person-") || who.starts_with("subscriber");
      const std::string key = who == "subscriber" ? note.text.substr(0, note.text.find(' ', who.size() + 1)) : who;
      if (of_client && one.text.find(key) == std::string::npos) continue;
      if (note.text.starts_with("VIOLATION") || ++lines > shown_notes_max) continue;
      paper.line("    %s  %s", clock_text(note.at_ms).c_str(), note.text.substr(0, 200).c_str());
    }
  }
}

}  // namespace

std::string report(const Stage& stage, const Director& director, const EchoWorker& worker) {
  Paper paper;
  const Sizes& sizes = stage.plan.sizes;
  paper.line("\n===== soak: seed %llu, %s, %d instances, %d rooms, %d speakers, %d listeners, %d readers =====", static_cast<Number>(stage.plan.seed),
             clock_text(stage.reactor.now_ms()).c_str(), sizes.instances, sizes.rooms, sizes.speakers, sizes.listeners, sizes.subscribers);
  paper.line("faults %zu, deeds of clients %zu", director.faults().size(), director.deeds());
  for (const auto& fault : director.faults())
    paper.line("  %9s  %-50s all well after %lld ms", clock_text(fault.at_ms).c_str(), name_of(fault.kind).c_str(), static_cast<long long>(fault.lasted_ms));
  std::uint64_t finals = 0;
  for (int room = 0; room < sizes.rooms; ++room) finals += worker.produced(room, false).all + worker.produced(room, true).all;
  paper.line("chunks sent %llu, in the log %llu, gone with a killed instance or an ended socket %llu; frames heard %llu; finals made %llu; signals %llu",
             static_cast<Number>(stage.chunks.sent_count()), static_cast<Number>(stage.chunks.records()), static_cast<Number>(stage.chunks.lost_excused()),
             static_cast<Number>(stage.audio.frames()), static_cast<Number>(finals), static_cast<Number>(stage.signals.received_count()));
  paper.line("slowest signal while all was well %lld ms; slowest heartbeat after a change %lld ms; longest turn of the soak's own loop %lld ms",
             static_cast<long long>(stage.signals.worst_ms()), static_cast<long long>(stage.heartbeats.worst_ms()), static_cast<long long>(stage.reactor.longest_turn_ms()));
  std::string codes = "closed with";
  for (const auto& [code, count] : stage.sockets.codes()) codes += " " + std::to_string(code) + ":" + std::to_string(count);
  codes += "; handshakes answered";
  for (const auto& [status, count] : stage.sockets.statuses()) codes += " " + std::to_string(status) + ":" + std::to_string(count);
  paper.line("%s", codes.c_str());
  pauses(paper, stage);
  growth(paper, director);
  invariants(paper, stage);
  violations(paper, stage);
  if (stage.journal.violation_count() == 0) {
    paper.line("\nOK: no violation");
  } else {
    paper.line("\nFAILED: %zu violation(s); the same again: ./dev soak %lld --seed %llu", stage.journal.violation_count(),
               static_cast<long long>(stage.plan.length_ms / 60000), static_cast<Number>(stage.plan.seed));
  }
  return paper.take();
}

}  // namespace fluentgate::soak
