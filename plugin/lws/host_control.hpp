// What fluentgate-host and the plugin say to each other beside lws: signals in, readiness and the end of a drain out. The host passes it as
// the value of the per-vhost option "fluentgate-host"; the magic word keeps a text that somebody configured there from being taken for it.
// C types only: the two are separate objects. Thread: loop, all of it. Lifetime: longer than the vhost.
#pragma once

#include <cstring>

namespace fluentgate::lws_plugin {

inline constexpr const char* host_control_option = "fluentgate-host";
inline constexpr char host_control_magic[] = "fluentgate-host/2";

struct HostControl {
  char magic[sizeof host_control_magic];
  // The plugin calls these.
  void* host;
  void (*serving)(void* host);                                   // the gateway runs
  void (*refused)(void* host, const char* why, int exit_code);   // it doesn't: one line an error
  void (*drained)(void* host);                                   // every socket has ended after drain()
  // Of several processes on one port (listen.processes): the descriptor of their shared memory (ProcessBoard), which of them this is, and how many.
  int board_descriptor;  // < 0: this process is the only one
  int process, processes;
  // The plugin fills these in when it serves; the host calls them. Destroying the lws context stops the gateway.
  void* plugin;
  void (*drain)(void* plugin);
  void (*reload)(void* plugin);
};

inline HostControl* host_control(const char* option_value) noexcept {
  if (option_value == nullptr || std::strncmp(option_value, host_control_magic, sizeof host_control_magic) != 0) return nullptr;
  return reinterpret_cast<HostControl*>(const_cast<char*>(option_value));
}

}  // namespace fluentgate::lws_plugin
