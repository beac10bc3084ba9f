#include "plugin/lws/instance.hpp"

#include <sys/eventfd.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <set>

#include "core/config/loader.hpp"
#include "core/log/line_format.hpp"
#include "plugin/lws/protocols.hpp"

namespace fluentgate::lws_plugin {
namespace {

// How long the end of the host may wait for Kafka to take what was handed to it.
constexpr int stop_flush_ms = 5000;

logging::LineLogger::Options logger_options(const config::Log& settings) {
  return {settings.file, logging::parse_level(settings.level).value_or(LogLevel::info),
          settings.format == config::LogFormat::json ? logging::Format::json : logging::Format::text};
}

}  // namespace

std::string Instance::Source::key() const {
  std::set<std::string> lines;
  for (const std::string& file : files) {
    char resolved[PATH_MAX];
    lines.insert("config=" + std::string(::realpath(file.c_str(), resolved) != nullptr ? resolved : file.c_str()));
  }
  for (const auto& [name, value] : options) lines.insert(name + "=" + value);
  std::string key;
  for (const std::string& line : lines) key += line + "\n";
  return key;
}

Result<config::Settings> Instance::Source::load() const {
  config::Loader loader;
  for (const std::string& file : files) loader.add_file(file);
  for (const auto& [name, value] : options) loader.add_option(name, value);
  return loader.finish();
}

Result<std::shared_ptr<Instance>> Instance::find_or_start(Source source, lws_context* context, HostControl* control) {
  Result<Served> served = Served::find_or_claim(source.key(), context);
  if (!served) return served.error();
  if (served->running) return std::move(served->running);
  std::shared_ptr<Instance> instance(new Instance(std::move(*served->claim), std::move(source), context, control));
  auto settings = instance->source_.load();
  if (!settings) return settings.error();
  if (const Status started = instance->start(std::move(*settings)); !started.ok()) return started.error();
  instance->claim_.announce(instance);
  return instance;
}

Instance::Instance(Claim claim, Source source, lws_context* context, HostControl* control)
    : claim_(std::move(claim)), source_(std::move(source)), context_(context), control_(control), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  timer_.owner = this;
}

Status Instance::start(config::Settings settings) {
  if (wake_fd_ < 0) return Error{"no_descriptor", "no descriptor left for the wake-up", true};
  auto logger = logging::LineLogger::open(logger_options(settings.log), clock_);
  if (!logger) return logger.error();
  logger_ = std::move(*logger);
  if (control_ != nullptr && control_->board_descriptor >= 0) {
    auto board = ProcessBoard::attach(control_->board_descriptor, control_->process, control_->processes);
    if (!board) return board.error();
    board_ = std::move(*board);
  }
  const int fd = wake_fd_;
  auto started = gateway::Gateway::start(std::move(settings), {clock_, *logger_,
                                                               [fd] {
                                                                 // EAGAIN: the counter is full, so the loop is awake anyway.
                                                                 [[maybe_unused]] const int ignored = eventfd_write(fd, 1);
                                                               },
                                                               [this] { on_drained(); },
                                                               board_.get()});
  if (!started) return started.error();
  gateway_ = std::move(*started);
  schedule(1);
  return ok();
}

Instance::~Instance() {
  lws_sul_cancel(&timer_.sul);
  if (gateway_) gateway_->stop(stop_flush_ms);
  gateway_.reset();
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

bool Instance::said_once(std::string_view what) { return !said_.emplace(what).second; }

void Instance::add_vhost(lws_vhost* vhost) {
  vhosts_.push_back(vhost);
  listen_for_wake();
}

void Instance::remove_vhost(lws_vhost* vhost) { vhosts_.erase(std::remove(vhosts_.begin(), vhosts_.end(), vhost), vhosts_.end()); }

void Instance::listen_for_wake() {
  if (wake_adopted_ || vhosts_.empty()) return;
  lws_sock_file_fd_type descriptor;
  descriptor.filefd = fcntl(wake_fd_, F_DUPFD_CLOEXEC, 0);  // lws closes what it has adopted
  if (descriptor.filefd < 0) return;                          // the timer tries again, and turns the gateway until then
  wake_adopted_ = lws_adopt_descriptor_vhost(vhosts_.front(), LWS_ADOPT_RAW_FILE_DESC, descriptor, main_protocol, nullptr) != nullptr;
  if (!wake_adopted_) logger_->write(LogLevel::warn, "lws", "the wake-up could not be added to lws's loop; trying again");
}

void Instance::on_wake() noexcept {
  eventfd_t count = 0;
  [[maybe_unused]] const int ignored = eventfd_read(wake_fd_, &count);
  gateway_->turn();
  logger_->flush();
}

void Instance::on_wake_closed(lws_vhost* vhost) noexcept {
  wake_adopted_ = false;
  remove_vhost(vhost);
}

void Instance::schedule(std::int64_t ms) { lws_sul_schedule(context_, 0, &timer_.sul, on_timer, ms * LWS_US_PER_MS); }

void Instance::on_timer(lws_sorted_usec_list_t* sul) noexcept {
  Instance& self = *reinterpret_cast<Timer*>(reinterpret_cast<char*>(sul) - offsetof(Timer, sul))->owner;
  self.listen_for_wake();
  self.schedule(std::clamp<std::int64_t>(self.gateway_->tick(), 1, 1000));
  self.logger_->flush();
}

void Instance::fill(HostControl& control) noexcept {
  control.plugin = this;
  control.drain = [](void* plugin) { static_cast<Instance*>(plugin)->gateway_->drain(); };
  control.reload = [](void* plugin) { static_cast<Instance*>(plugin)->reload(); };
}

// Keys, log level, and the log file opened anew; a failure keeps what was (CONTRACT 1).
void Instance::reload() noexcept {
  const auto failed = [this](const Error& error) { logger_->write(LogLevel::error, "config", "not reloaded, the old settings stay: " + error.text); };
  const auto settings = source_.load();
  if (!settings) return failed(settings.error());
  if (const Status reloaded = gateway_->reload(*settings); !reloaded.ok()) return failed(reloaded.error());
  logger_->set_level(logger_options(settings->log).level);
  if (const Status reopened = logger_->reload(); !reopened.ok()) return failed(reopened.error());
  logger_->write(LogLevel::info, "config", "reloaded keys and log level");
}

void Instance::on_drained() noexcept {
  if (control_ != nullptr) control_->drained(control_->host);
}

}  // namespace fluentgate::lws_plugin
