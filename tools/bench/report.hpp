// What a run found, and how it is told: text for people, JSON for scripts. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/histogram.hpp"
#include "tools/bench/load.hpp"

namespace fluentgate::bench {

struct Quantiles {
  std::int64_t count = 0, p50_us = 0, p90_us = 0, p99_us = 0, p999_us = 0, max_us = 0;
};
Quantiles quantiles_of(const Histogram& histogram);

struct Report {
  double window_s = 0;                 // CPU time, frames and chunks of the window
  std::int64_t sockets = 0, streams = 0;
  std::int64_t frames_sent = 0, frames_expected = 0, frames_heard = 0;  // of the whole run
  std::int64_t window_frames = 0, window_chunks = 0, window_foreign = 0, window_records = 0;
  std::int64_t chunks_said = 0, chunks_in_kafka = 0;
  double chunk_value_bytes = 0;        // of a record of audio.raw, without headers
  Quantiles frame_latency, chunk_latency, frame_delay, chunk_delay;
  bool gateway_known = false;
  double gateway_cpu_s = 0;
  double connect_cpu_s = 0;            // of the gateway, while all sockets were opened
  std::map<std::string, double> gateway_thread_s;
  std::int64_t rss_before = 0, rss_connected = 0, rss_end = 0;
  double own_cpu_s = 0, own_loop_s = 0;
  std::vector<std::string> wrong;      // what failed; empty: everything arrived, whole and in order
  std::vector<std::string> doubtful;   // why the figures may be this program's or the machine's, not the gateway's
};

std::string text_of(const Report& report);
std::string json_of(const Load& load, const Report& report);

}  // namespace fluentgate::bench
