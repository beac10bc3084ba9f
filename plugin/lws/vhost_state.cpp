#include "plugin/lws/vhost_state.hpp"

#include <algorithm>
#include <string_view>

#include "plugin/lws/event_loop.hpp"
#include "plugin/lws/protocols.hpp"

namespace fluentgate::lws_plugin {
namespace {

constexpr std::string_view config_option = "config";

// lws's own names among the per-vhost options of a protocol.
bool lws_option(std::string_view name) { return name == "default" || name == "raw" || name == "basic-auth"; }

struct Options {
  Instance::Source source;
  HostControl* control = nullptr;
  bool is_default = false;
};

Options read_options(const lws_protocol_vhost_options* first) {
  Options out;
  for (const auto* option = first; option != nullptr; option = option->next) {
    const std::string_view name(option->name);
    const char* const value = option->value == nullptr ? "" : option->value;
    if (name == "default") out.is_default = true;
    if (lws_option(name)) continue;
    if (name == host_control_option && host_control(value) != nullptr) {
      out.control = host_control(value);
    } else if (name == config_option) {
      out.source.files.emplace_back(value);
    } else {
      out.source.options.emplace_back(name, value);
    }
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// 2: the configuration is wrong; 1: anything else (CONTRACT 7).
int exit_code_of(const Error& error) { return error.code == "embedded_cluster" || error.retriable ? 1 : 2; }

bool refuse(const lws_vhost* vhost, const HostControl* control, const std::string& text, int exit_code) {
  for (const std::string& line : lines_of(text)) {
    if (control == nullptr) lwsl_err("fluentgate: vhost %s: %s\n", lws_get_vhost_name(const_cast<lws_vhost*>(vhost)), line.c_str());
  }
  if (control != nullptr) control->refused(control->host, text.c_str(), exit_code);
  return false;
}

void say_what_holds(Instance& instance, lws_context* context, bool is_default) {
  const std::string library = event_library(context);
  if (instance.said_once("event loop")) {
    // one context, one loop
  } else if (library.empty()) {
    instance.logger().write(LogLevel::warn, "lws",
                            "this host's event loop is poll(): every event costs time in proportion to all sockets, unusable past a few hundred; "
                            "install lws's libuv or libev plugin (Debian: libwebsockets-evlib-uv) and create the context with it");
  } else {
    instance.logger().write(LogLevel::info, "lws", "event loop: " + library);
  }
  if (!is_default && !instance.said_once("not default")) {
    instance.logger().write(LogLevel::info, "lws",
                            "fluentgate is not the vhost's default protocol (per-vhost option default): refusals are answered for clients that offer "
                            "a fluentgate.* subprotocol; sockets that offer none belong to the host's default protocol");
  }
}

// The table's slot for the main protocol, whichever of our protocols a callback came for.
VhostState** slot_of(lws_vhost* vhost) noexcept {
  if (vhost == nullptr) return nullptr;
  const lws_protocols* protocol = lws_vhost_name_to_protocol(vhost, main_protocol);
  return protocol == nullptr ? nullptr : static_cast<VhostState**>(lws_protocol_vh_priv_get(vhost, protocol));
}

}  // namespace

bool VhostState::create(lws* wsi, const lws_protocol_vhost_options* options) {
  lws_vhost* const vhost = lws_get_vhost(wsi);
  lws_context* const context = lws_get_context(wsi);
  // Before anything can fail: lws 4.1.6 reads the array of these after a failed init without looking whether there is one.
  auto** const slot = static_cast<VhostState**>(lws_protocol_vh_priv_zalloc(vhost, lws_get_protocol(wsi), sizeof(VhostState*)));
  if (slot == nullptr) return false;
  if (options == nullptr) {
    lwsl_notice("fluentgate: vhost %s: no per-vhost options, inactive here\n", lws_get_vhost_name(vhost));
    return true;
  }
  Options read = read_options(options);
  if (lws_get_count_threads(context) > 1) {
    return refuse(vhost, read.control, "the host has several service threads; fluentgate needs one (count_threads = 1)", 2);
  }
  auto instance = Instance::find_or_start(std::move(read.source), context, read.control);
  if (!instance) return refuse(vhost, read.control, instance.error().text, exit_code_of(instance.error()));
  (*instance)->add_vhost(vhost);
  say_what_holds(**instance, context, read.is_default);
  *slot = new VhostState(*instance);
  if (read.control != nullptr) {
    (*instance)->fill(*read.control);
    read.control->serving(read.control->host);
  }
  return true;
}

void VhostState::destroy(lws* wsi) {
  lws_vhost* const vhost = lws_get_vhost(wsi);
  VhostState** const slot = slot_of(vhost);
  if (slot == nullptr || *slot == nullptr) return;
  (*slot)->instance_->remove_vhost(vhost);
  delete *slot;
  *slot = nullptr;
}

VhostState* VhostState::of(lws* wsi) noexcept {
  VhostState** const slot = slot_of(lws_get_vhost(wsi));
  return slot == nullptr ? nullptr : *slot;
}

}  // namespace fluentgate::lws_plugin
