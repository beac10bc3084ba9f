#include "core/gateway/hub.hpp"

namespace fluentgate::gateway {

Hub::Hub(Core& shared, ChunkPublisher& publisher, std::shared_ptr<const auth::TokenVerifier> tokens)
    : core(shared), verifier(std::move(tokens)), suppression(shared), playback(shared, suppression, latency), captions(shared), presence(shared),
      uploads(shared.settings, shared.clock, publisher, *this), health(shared.clock.steady_ms()) {
  if (core.bus != nullptr) cluster.emplace(*this, core, *core.bus);
}

}  // namespace fluentgate::gateway
