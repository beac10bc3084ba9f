#include "core/log/logger.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace fluentgate::logging {
namespace {

Result<int> open_file(const std::string& name) {
  // O_NONBLOCK: a FIFO without a reader is an error and not a hang; it means nothing for a file.
  const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (descriptor < 0) {
    const int reason = errno;
    return Error{"log_file", "log.file " + name + ": " + std::generic_category().message(reason)};
  }
  return descriptor;
}

}  // namespace

LineLogger::LineLogger(int descriptor, std::string file, LogLevel level, Format format, const Clock& clock)
    : clock_(clock), file_(std::move(file)), format_(format), level_(level), descriptor_(descriptor), written_ms_(clock.steady_ms()) {}

Result<std::unique_ptr<LineLogger>> LineLogger::open(Options options, const Clock& clock) {
  if (options.file.empty()) return to_descriptor(STDERR_FILENO, options.level, options.format, clock);
  const Result<int> descriptor = open_file(options.file);
  if (!descriptor) return descriptor.error();
  return std::unique_ptr<LineLogger>(new LineLogger(*descriptor, std::move(options.file), options.level, options.format, clock));
}

std::unique_ptr<LineLogger> LineLogger::to_descriptor(int descriptor, LogLevel level, Format format, const Clock& clock) {
  return std::unique_ptr<LineLogger>(new LineLogger(descriptor, {}, level, format, clock));
}

LineLogger::~LineLogger() {
  const std::lock_guard lock(mutex_);
  write_out();
  if (!file_.empty()) ::close(descriptor_);
}

void LineLogger::write(LogLevel level, std::string_view category, std::string_view text) noexcept {
  if (!enabled(level)) return;
  const std::lock_guard lock(mutex_);
  const std::size_t before = pending_.size();
  try {
    if (before >= limits::log_pending_bytes_max) {
      write_out();
      if (pending_.size() >= limits::log_pending_bytes_max) {
        ++untold_;
        lines_lost_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
    }
    append_line(pending_, format_, clock_.unix_ms(), level, category, text);
  } catch (...) {  // out of memory: half a line is worse than none
    if (pending_.size() > before) pending_.resize(before);
    ++untold_;
    lines_lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const bool due = clock_.steady_ms() - written_ms_ >= gather_ms;
  if (level <= LogLevel::warn || pending_.size() >= buffered_bytes || due) write_out();
}

void LineLogger::flush() noexcept {
  const std::lock_guard lock(mutex_);
  if (!pending_.empty()) write_out();
}

void LineLogger::write_out() noexcept {
  std::size_t done = 0;
  const auto write_pending = [&] {
    while (done < pending_.size()) {
      const ssize_t written = ::write(descriptor_, pending_.data() + done, pending_.size() - done);
      if (written > 0) {
        done += static_cast<std::size_t>(written);
      } else if (written == 0 || errno != EINTR) {
        return false;  // what is left is tried again with the next write
      }
    }
    return true;
  };
  if (write_pending() && untold_ > 0) {
    try {
      append_line(pending_, format_, clock_.unix_ms(), LogLevel::warn, "log", std::to_string(untold_) + " lines were lost: the log could not be written");
      untold_ = 0;
      write_pending();
    } catch (...) {  // told at the next occasion
      pending_.resize(done);
    }
  }
  pending_.erase(0, done);
  if (pending_.empty() && pending_.capacity() > 2 * buffered_bytes) std::string().swap(pending_);
  written_ms_ = clock_.steady_ms();
}

Status LineLogger::reload() {
  if (file_.empty()) {
    flush();
    return ok();
  }
  const Result<int> descriptor = open_file(file_);
  const std::lock_guard lock(mutex_);
  write_out();
  if (!descriptor) return descriptor.error();
  ::close(descriptor_);
  descriptor_ = *descriptor;
  return ok();
}

}  // namespace fluentgate::logging
