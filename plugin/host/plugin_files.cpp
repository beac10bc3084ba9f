#include "plugin/host/plugin_files.hpp"

#include <filesystem>
#include <utility>

namespace fluentgate::host {
namespace {

constexpr const char* file_name = "libprotocol_fluentgate.so";
constexpr const char* plugin_class = "lws_protocol_plugin";
constexpr const char* plugin_name = "fluentgate";

}  // namespace

std::vector<std::string> plugin_folders(const std::string& given) {
  if (!given.empty()) return {given};
  std::vector<std::string> folders;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().string());
  folders.emplace_back(FLUENTGATE_PLUGIN_DIR);
  return folders;
}

Result<Plugin> Plugin::load(const std::vector<std::string>& folders) {
  std::string looked_in;
  for (const std::string& folder : folders) {
    looked_in += (looked_in.empty() ? "" : ", ") + folder;
    std::error_code error;
    if (!std::filesystem::exists(std::filesystem::path(folder) / file_name, error)) continue;
    Plugin plugin;
    const char* const list[] = {folder.c_str(), nullptr};
    lws_plugins_init(&plugin.list_, list, plugin_class, plugin_name, nullptr, nullptr);
    if (plugin.list_ == nullptr) return Error{"plugin", folder + "/" + file_name + " could not be loaded; lws's own message is above"};
    const auto* table = reinterpret_cast<const lws_plugin_protocol_t*>(plugin.list_->hdr);
    plugin.protocols_.assign(table->protocols, table->protocols + table->count_protocols);
    return plugin;
  }
  return Error{"plugin", std::string(file_name) + " not found in " + looked_in};
}

Plugin::Plugin(Plugin&& other) noexcept : list_(std::exchange(other.list_, nullptr)), protocols_(std::move(other.protocols_)) {}

Plugin::~Plugin() {
  if (list_ != nullptr) lws_plugins_destroy(&list_, nullptr, nullptr);
}

}  // namespace fluentgate::host
