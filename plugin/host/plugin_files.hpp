// Where the plugin is, and its loading by lws. Thread: main.
#pragma once

#include <libwebsockets.h>

#include <string>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::host {

// The folders to look in: the one given, or that of the executable, then the installed one.
std::vector<std::string> plugin_folders(const std::string& given);

// The loaded plugin and its protocols. Unloaded by the destructor: after the lws context is gone.
class Plugin {
 public:
  static Result<Plugin> load(const std::vector<std::string>& folders);
  Plugin(Plugin&& other) noexcept;
  Plugin& operator=(Plugin&&) = delete;
  ~Plugin();

  const std::vector<lws_protocols>& protocols() const noexcept { return protocols_; }

 private:
  Plugin() = default;
  lws_plugin* list_ = nullptr;
  std::vector<lws_protocols> protocols_;
};

}  // namespace fluentgate::host
