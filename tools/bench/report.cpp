// See report.hpp.
#include "tools/bench/report.hpp"

#include <jansson.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "core/auth/handles.hpp"

namespace fluentgate::bench {
namespace {

[[gnu::format(printf, 1, 2)]] std::string line(const char* format, ...) {
  char text[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return std::string(text) + "\n";
}

std::string line_of(const char* name, const Quantiles& q) {
  const auto ms = [](std::int64_t us) { return static_cast<double>(us) / 1000; };
  return line("%-22s p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms (%lld)", name, ms(q.p50_us), ms(q.p90_us), ms(q.p99_us), ms(q.p999_us), ms(q.max_us),
              static_cast<long long>(q.count));
}

double per(double seconds, std::int64_t count) { return count > 0 ? seconds * 1e6 / static_cast<double>(count) : 0; }

json_t* json_quantiles(const Quantiles& q) {
  return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "count", static_cast<json_int_t>(q.count), "p50_us", static_cast<json_int_t>(q.p50_us), "p90_us",
                   static_cast<json_int_t>(q.p90_us), "p99_us", static_cast<json_int_t>(q.p99_us), "p999_us", static_cast<json_int_t>(q.p999_us), "max_us",
                   static_cast<json_int_t>(q.max_us));
}

json_t* json_list(const std::vector<std::string>& texts) {
  json_t* out = json_array();
  for (const std::string& text : texts) json_array_append_new(out, json_stringn(text.data(), text.size()));
  return out;
}

json_t* json_load(const Load& load) {
  json_t* out = json_object();
  const auto number = [out](const char* name, double value) { json_object_set_new(out, name, json_real(value)); };
  json_object_set_new(out, "languages", json_list(load.languages));
  number("rooms", load.rooms);
  number("listeners_per_room", load.listeners);
  number("speakers_per_room", load.speakers);
  number("idle", load.idle);
  number("idle_per_room", load.idle_per_room);
  number("chunks_per_s", load.rate);
  number("chunk_bytes", load.chunk_bytes);
  number("frames_per_s", load.frames_per_s);
  number("frame_bytes", load.frame_bytes);
  number("foreign_per_s", load.foreign_per_s);
  number("seconds", load.seconds);
  json_object_set_new(out, "json_frames", json_boolean(load.json_frames));
  return out;
}

}  // namespace

Quantiles quantiles_of(const Histogram& histogram) {
  return {histogram.count(), histogram.quantile_us(0.5), histogram.quantile_us(0.9), histogram.quantile_us(0.99), histogram.quantile_us(0.999), histogram.max_us()};
}

std::string text_of(const Report& r) {
  std::string out = line("%lld sockets, measured for %.1f s", static_cast<long long>(r.sockets), r.window_s);
  if (r.streams > 0) {
    out += line("frames                 %lld sent in %lld streams, %lld of %lld heard, %.0f/s", static_cast<long long>(r.frames_sent),
                static_cast<long long>(r.streams), static_cast<long long>(r.frames_heard), static_cast<long long>(r.frames_expected),
                static_cast<double>(r.window_frames) / r.window_s);
    out += line_of("Kafka hand-over → ear", r.frame_latency);
  }
  if (r.chunks_said > 0) {
    out += line("chunks                 %lld said, %lld in Kafka, %.0f/s, %.0f bytes of value each", static_cast<long long>(r.chunks_said),
                static_cast<long long>(r.chunks_in_kafka), static_cast<double>(r.window_chunks) / r.window_s, r.chunk_value_bytes);
    out += line_of("mouth → out of Kafka", r.chunk_latency);
  }
  if (r.gateway_known) {
    out += line("gateway                %.2f s of CPU (%.1f %% of a core); RSS %.1f MiB before, %.1f with all sockets, %.1f at the end", r.gateway_cpu_s,
                r.gateway_cpu_s / r.window_s * 100, static_cast<double>(r.rss_before) / 1048576, static_cast<double>(r.rss_connected) / 1048576,
                static_cast<double>(r.rss_end) / 1048576);
    if (r.window_frames > 0) out += line("  per frame heard      %.2f µs of CPU", per(r.gateway_cpu_s, r.window_frames));
    if (r.window_records > 0) out += line("  per record of a room %.2f µs of CPU", per(r.gateway_cpu_s, r.window_records));
    if (r.window_chunks > 0) out += line("  per chunk said       %.2f µs of CPU", per(r.gateway_cpu_s, r.window_chunks));
    if (r.window_foreign > 0) out += line("  per foreign record   %.2f µs of CPU", per(r.gateway_cpu_s, r.window_foreign));
    if (r.sockets > 0) out += line("  per socket           %.0f µs of CPU to open it, %.1f KiB", per(r.connect_cpu_s, r.sockets), static_cast<double>(r.rss_connected - r.rss_before) / 1024 / static_cast<double>(r.sockets));
    for (const auto& [name, seconds] : r.gateway_thread_s) {
      if (seconds >= 0.01) out += line("  thread %-13s %.2f s", name.c_str(), seconds);
    }
  }
  out += line("this program           %.2f s of CPU, its loop %.2f s", r.own_cpu_s, r.own_loop_s);
  for (const std::string& text : r.doubtful) out += "doubtful: " + text + "\n";
  for (const std::string& text : r.wrong) out += "WRONG: " + text + "\n";
  return out;
}

std::string json_of(const Load& load, const Report& r) {
  const auth::JsonHandle out(json_object());
  const auto integer = [&out](const char* name, std::int64_t value) { json_object_set_new(out.get(), name, json_integer(value)); };
  const auto real = [&out](const char* name, double value) { json_object_set_new(out.get(), name, json_real(value)); };
  json_object_set_new(out.get(), "load", json_load(load));
  real("window_s", r.window_s);
  integer("sockets", r.sockets);
  integer("frames_sent", r.frames_sent);
  integer("frames_expected", r.frames_expected);
  integer("frames_heard", r.frames_heard);
  integer("window_frames", r.window_frames);
  integer("window_records", r.window_records);
  integer("window_chunks", r.window_chunks);
  integer("window_foreign", r.window_foreign);
  integer("chunks_said", r.chunks_said);
  integer("chunks_in_kafka", r.chunks_in_kafka);
  real("chunk_value_bytes", r.chunk_value_bytes);
  json_object_set_new(out.get(), "frame_latency", json_quantiles(r.frame_latency));
  json_object_set_new(out.get(), "chunk_latency", json_quantiles(r.chunk_latency));
  if (r.gateway_known) {
    json_t* gateway = json_pack("{s:f,s:I,s:I,s:I}", "cpu_s", r.gateway_cpu_s, "rss_before_bytes", static_cast<json_int_t>(r.rss_before), "rss_connected_bytes",
                                static_cast<json_int_t>(r.rss_connected), "rss_end_bytes", static_cast<json_int_t>(r.rss_end));
    json_object_set_new(gateway, "connect_cpu_s", json_real(r.connect_cpu_s));
    json_t* threads = json_object();
    for (const auto& [name, seconds] : r.gateway_thread_s) json_object_set_new(threads, name.c_str(), json_real(seconds));
    json_object_set_new(gateway, "thread_cpu_s", threads);
    const auto cost = [gateway, &r](const char* name, std::int64_t count) {
      if (count > 0) json_object_set_new(gateway, name, json_real(per(r.gateway_cpu_s, count)));
    };
    cost("cpu_us_per_frame", r.window_frames);
    cost("cpu_us_per_record", r.window_records);
    cost("cpu_us_per_chunk", r.window_chunks);
    cost("cpu_us_per_foreign_record", r.window_foreign);
    json_object_set_new(out.get(), "gateway", gateway);
  }
  real("own_cpu_s", r.own_cpu_s);
  real("own_loop_s", r.own_loop_s);
  json_object_set_new(out.get(), "doubtful", json_list(r.doubtful));
  json_object_set_new(out.get(), "wrong", json_list(r.wrong));
  struct Free { void operator()(char* text) const noexcept { std::free(text); } };
  const std::unique_ptr<char, Free> text(json_dumps(out.get(), JSON_INDENT(2) | JSON_REAL_PRECISION(9)));
  return text ? std::string(text.get()) + "\n" : std::string();
}

}  // namespace fluentgate::bench
