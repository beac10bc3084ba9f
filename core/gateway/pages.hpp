// Plain HTTP pages: health, readiness, metrics and WebVTT (CONTRACT 3 and 6). Thread: loop.
#pragma once

#include <optional>
#include <string>

#include "core/auth/admission.hpp"
#include "core/gateway/gateway.hpp"
#include "core/gateway/hub.hpp"
#include "core/gateway/ops_access.hpp"

namespace fluentgate::gateway {

class Pages {
 public:
  Pages(Hub& hub, OpsAccess access, std::string bootstrap, Siblings* siblings)
      : hub_(hub), access_(std::move(access)), bootstrap_(std::move(bootstrap)), siblings_(siblings) {}
  // `embedded`: its address is told in /readyz, so that workers find it.
  std::optional<Page> page(const PageRequest& request, const auth::Admission& admission, const auth::Gate& gate, bool draining) const;
  // This process; /readyz tells of all that share the port.
  bool ready(bool draining) const { return hub_.health.ready() && !draining; }
  // To the other processes, where there are any.
  void publish(bool draining) const;

 private:
  Page ready_page(bool draining) const;
  std::string metrics() const;
  std::optional<Page> captions_page(const PageRequest& request, const auth::Admission& admission, const auth::Gate& gate) const;

  Hub& hub_;
  OpsAccess access_;
  std::string bootstrap_;
  Siblings* siblings_;  // null: none
};

}  // namespace fluentgate::gateway
