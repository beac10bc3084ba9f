// The first at once, then what a second brought.
#include "core/kafka/malformed_log.hpp"

namespace fluentgate::kafka {
namespace {
constexpr SteadyMs complain_every_ms = 1000;
}  // namespace

bool MalformedLog::note(const std::string& source, const Error& error, const std::string& place) {
  const SteadyMs now = clock_.steady_ms();
  const auto [found, fresh] = complaints_.try_emplace({source, error.code});
  Complaint& complaint = found->second;
  ++complaint.unlogged;
  if (!fresh && now - complaint.logged_ms < complain_every_ms) return false;
  log_.write(LogLevel::warn, category_,
             std::to_string(complaint.unlogged) + " malformed message(s) in " + source + ", " + error.code + ": " + error.text + " (" + place + ")");
  complaint = {now, 0};
  return true;
}

}  // namespace fluentgate::kafka
