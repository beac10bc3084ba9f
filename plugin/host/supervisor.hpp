// listen.processes > 1: starts that many of this program on one port (SO_REUSEPORT), says when all serve, starts again who ends, passes signals on.
// Thread: main.
#pragma once

#include <optional>

#include "core/config/settings.hpp"
#include "core/log/logger.hpp"
#include "plugin/host/signals.hpp"

namespace fluentgate::host {

// What a process was told by its supervisor.
struct Supervised {
  int process = 0, processes = 1;
  int board_descriptor = -1;  // of the ProcessBoard
  int ready_descriptor = -1;  // a byte is written when it serves; open as long as it lives
  int port = 0;
};

// From the environment, which is cleared of it; nothing: nobody supervises this process.
std::optional<Supervised> supervised();

// Returns the exit code: 0 after a drain, 2 for what the configuration is to blame for, 1 for anything else.
int supervise(char** argv, const config::Settings& settings, logging::LineLogger& logger, Signals& signals);

}  // namespace fluentgate::host
