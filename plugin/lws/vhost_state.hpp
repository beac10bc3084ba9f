// What the plugin keeps per vhost: the instance that its per-vhost options name, and the handshake under way. Thread: loop.
#pragma once

#include <libwebsockets.h>

#include <memory>
#include <string>
#include <vector>

#include "plugin/lws/instance.hpp"
#include "plugin/lws/upgrade.hpp"

namespace fluentgate::lws_plugin {

class VhostState {
 public:
  // LWS_CALLBACK_PROTOCOL_INIT of the main protocol. False: the vhost is refused, and the log has a line an error. Without options the plugin
  // stays inactive on the vhost (a host that joins the protocols to every vhost means some of them only).
  static bool create(lws* wsi, const lws_protocol_vhost_options* options);
  static void destroy(lws* wsi);
  // Null where the plugin is inactive.
  static VhostState* of(lws* wsi) noexcept;

  Instance& instance() noexcept { return *instance_; }
  gateway::Gateway& gateway() noexcept { return *instance_->gateway(); }
  Upgrade& upgrade() noexcept { return upgrade_; }
  // Whether the whole host is ours, or only what lies under the prefix.
  bool everything() const noexcept { return instance_->in_own_host(); }

 private:
  explicit VhostState(std::shared_ptr<Instance> instance) : instance_(std::move(instance)), upgrade_(instance_->gateway()) {}

  std::shared_ptr<Instance> instance_;
  Upgrade upgrade_;
};

}  // namespace fluentgate::lws_plugin
