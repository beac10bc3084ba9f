// The lws host: one context, one vhost, the plugin in it, from the listening socket to the end of the drain. Thread: main, which is the loop.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/settings.hpp"
#include "core/domain/ports.hpp"
#include "plugin/host/signals.hpp"
#include "plugin/host/supervisor.hpp"

namespace fluentgate::host {

struct HostOptions {
  std::string config_file;                                     // empty: none
  std::vector<std::pair<std::string, std::string>> set;        // single options, in their order
  std::string plugin_folder;                                   // empty: the default ones
  std::optional<Supervised> supervised;                        // one of several processes on the port
};

// As the ready line tells it.
std::string listen_url(const config::Listen& listen, int port);

// What TLS files are wrong with, by option; empty: nothing, or no TLS. lws itself tells less.
std::vector<std::string> tls_errors(const config::Listen& listen);

// Serves until it has drained. Returns the exit code: 0 after a drain, 2 for what the configuration is to blame for, 1 for anything else.
int serve(const HostOptions& options, const config::Settings& settings, Logger& logger, Signals& signals);

}  // namespace fluentgate::host
