// Which configuration is served, and on which lws context of the process. A gateway belongs to one context's loop; a second context that comes with the
// same configuration is refused: two gateways on it would give a speaker's sequence numbers twice and relay nothing to each other. Contexts with
// configurations of their own have a gateway each. Thread: any (a host may run each context on a thread of its own).
#pragma once

#include <libwebsockets.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/domain/result.hpp"

namespace fluentgate::lws_plugin {

class Instance;

// A configuration that is one context's. Given back with this object, so keep it until nothing of the gateway is left.
class Claim {
 public:
  Claim(Claim&& other) noexcept : key_(std::exchange(other.key_, std::nullopt)) {}
  Claim& operator=(Claim&&) = delete;
  ~Claim();

  // From now on the context's further vhosts share it.
  void announce(const std::shared_ptr<Instance>& instance) const;

 private:
  friend struct Served;
  explicit Claim(std::string key) noexcept : key_(std::move(key)) {}
  std::optional<std::string> key_;  // empty: moved from
};

struct Served {
  std::shared_ptr<Instance> running;  // on this context already; or
  std::optional<Claim> claim;         // it was free, and is this context's now

  // `key` is Instance::Source::key(). Error: bad_host, where it is served, being started or being stopped on another context.
  static Result<Served> find_or_claim(std::string key, lws_context* context);
};

}  // namespace fluentgate::lws_plugin
