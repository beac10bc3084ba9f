// Settings from files and from single options, the later winning; every error of all of them at once.
// Thread: any, one at a time. Used by fluentgate-host (--config, --set) and by the plugin (per-vhost options).
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option_table.hpp"
#include "core/config/settings.hpp"
#include "core/domain/result.hpp"

namespace fluentgate::config {

inline constexpr std::size_t config_file_bytes_max = 1u << 20;

class Loader {
 public:
  // A TOML file. Relative paths in it are taken from its folder. What is wrong with it is told by finish(), with file and line.
  void add_file(const std::string& path);
  // One option as text: a string as it is, a list as a TOML array or separated by commas.
  void add_option(std::string_view name, std::string_view text);

  // Whether the option was given at all, rightly or wrongly.
  bool was_given(std::string_view name) const;

  // The settings; or the error bad_configuration, whose text has one line an error, without a newline at the end. A secret's value is in none.
  Result<Settings> finish() const;

 private:
  void set(std::string_view where, const Option& option, Value value, const std::string& folder);
  void pass_on(std::string_view where, std::string_view name, const PassedOn& to, std::string value);
  void unknown(std::string_view where, std::string_view name);
  void wrong(std::string_view where, std::string_view name, std::string_view shown, std::string_view allowed);

  Settings settings_;
  std::vector<std::string> errors_;
  bool unread_ = false;  // a file could not be read: what it would have given is not known
  std::set<std::string, std::less<>> given_;
  std::set<std::string, std::less<>> wrong_;
};

}  // namespace fluentgate::config
