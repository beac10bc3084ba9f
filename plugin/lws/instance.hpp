// One gateway on one lws loop: its settings, logger, timer and wake-up. Shared by the vhosts of one lws context that name the same configuration;
// started by the first of them, stopped when the last is gone. A context that comes with a configuration that another context of the process serves is
// refused (served.hpp). Thread: the context's loop; the gateway's other threads touch the wake-up descriptor only.
//
// The wake-up is an eventfd of our own on lws's loop, not lws_cancel_service(): that calls back once for every protocol of every vhost, and may not be
// called any more once the context is being destroyed, which another thread can't know.
#pragma once

#include <libwebsockets.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "core/gateway/gateway.hpp"
#include "core/log/logger.hpp"
#include "plugin/lws/host_control.hpp"
#include "plugin/lws/process_board.hpp"
#include "plugin/lws/served.hpp"
#include "plugin/lws/system_clock.hpp"

namespace fluentgate::lws_plugin {

class Instance {
 public:
  // Where the settings came from: read again by reload().
  struct Source {
    std::vector<std::string> files;
    std::vector<std::pair<std::string, std::string>> options;
    std::string key() const;                  // two vhosts with the same one share an instance
    Result<config::Settings> load() const;
  };

  // The running one with this source, or a new one. `control` is null in a host that is not ours.
  // Errors: bad_configuration, with a line an error; what Gateway::start says; bad_host where another lws context has this configuration.
  static Result<std::shared_ptr<Instance>> find_or_start(Source source, lws_context* context, HostControl* control);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const std::shared_ptr<gateway::Gateway>& gateway() const noexcept { return gateway_; }
  Logger& logger() noexcept { return *logger_; }
  bool in_own_host() const noexcept { return control_ != nullptr; }

  // Gives our own host the calls that its signals need.
  void fill(HostControl& control) noexcept;

  bool said_once(std::string_view what);             // false the first time: what holds for several vhosts is logged for the first
  void add_vhost(lws_vhost* vhost);
  void remove_vhost(lws_vhost* vhost);
  void on_wake() noexcept;                          // the descriptor is readable
  void on_wake_closed(lws_vhost* vhost) noexcept;   // its vhost is going

 private:
  // lws's timer is a C struct that leads back to us.
  struct Timer {
    lws_sorted_usec_list_t sul{};
    Instance* owner = nullptr;
  };

  Instance(Claim claim, Source source, lws_context* context, HostControl* control);
  Status start(config::Settings settings);
  void listen_for_wake();
  void schedule(std::int64_t ms);
  static void on_timer(lws_sorted_usec_list_t* sul) noexcept;
  void on_drained() noexcept;
  void reload() noexcept;

  const Claim claim_;  // first, so given back last: nothing of the gateway is left then
  // given
  const Source source_;
  lws_context* context_;
  HostControl* control_;
  // owned
  SystemClock clock_;
  std::unique_ptr<logging::LineLogger> logger_;
  int wake_fd_ = -1;                       // ours; lws has a duplicate
  std::unique_ptr<ProcessBoard> board_;    // of several processes on one port
  std::shared_ptr<gateway::Gateway> gateway_;
  Timer timer_;
  // state
  std::vector<lws_vhost*> vhosts_;         // those that the descriptor may live on
  bool wake_adopted_ = false;
  std::set<std::string, std::less<>> said_;
};

}  // namespace fluentgate::lws_plugin
