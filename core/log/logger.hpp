// The log: lines to stderr or to a file, gathered so that a line costs no system call of its own. Thread: any.
//
// error and warn are written at once, with what was gathered before them; info and debug at flush(), when buffered_bytes have gathered, or
// when a line comes gather_ms or more after the last write. Nothing is lost when it is destroyed. While the descriptor takes nothing (a full
// pipe, a full disk) lines wait, up to limits::log_pending_bytes_max; those beyond are counted and the log says how many, once it can.
// A write never waits for a reader where the descriptor is non-blocking; files and pipes opened here are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/domain/clock.hpp"
#include "core/domain/limits.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/result.hpp"
#include "core/log/line_format.hpp"

namespace fluentgate::logging {

class LineLogger final : public Logger {
 public:
  static constexpr std::size_t buffered_bytes = 64u << 10;
  static constexpr std::int64_t gather_ms = 100;

  struct Options {
    std::string file;  // empty: stderr
    LogLevel level = LogLevel::info;
    Format format = Format::text;
  };
  // Error "log_file" with the file's name and the reason. A new file is readable by its owner and group. `clock` must outlive the logger.
  static Result<std::unique_ptr<LineLogger>> open(Options options, const Clock& clock);
  // To a descriptor that stays the caller's.
  static std::unique_ptr<LineLogger> to_descriptor(int descriptor, LogLevel level, Format format, const Clock& clock);
  ~LineLogger() override;
  LineLogger(const LineLogger&) = delete;
  LineLogger& operator=(const LineLogger&) = delete;

  bool enabled(LogLevel level) const noexcept override { return level <= level_.load(std::memory_order_relaxed); }
  void write(LogLevel level, std::string_view category, std::string_view text) noexcept override;
  void flush() noexcept override;

  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
  // Opens the file again by its name (it was rotated); nothing to do for a descriptor. On error the old file stays in use.
  Status reload();
  // Lines that could not be kept, since the beginning.
  std::uint64_t lines_lost() const noexcept { return lines_lost_.load(std::memory_order_relaxed); }

 private:
  LineLogger(int descriptor, std::string file, LogLevel level, Format format, const Clock& clock);
  void write_out() noexcept;  // mutex_ held

  const Clock& clock_;
  const std::string file_;
  const Format format_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> lines_lost_{0};

  std::mutex mutex_;           // guards all below
  int descriptor_;
  std::string pending_;
  std::uint64_t untold_ = 0;   // lost lines that the log has not told of yet
  SteadyMs written_ms_ = 0;
};

}  // namespace fluentgate::logging
