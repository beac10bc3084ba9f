// One socket of each endpoint, as the plugin drives it: what may come in, and where it goes. Thread: loop.
#pragma once

#include <memory>

#include "core/gateway/gateway.hpp"
#include "core/gateway/hub.hpp"

namespace fluentgate::gateway {

// Makes the socket that fits `seat`. `hub` is kept alive by the gateway that the plugin holds.
std::shared_ptr<Socket> make_socket(Hub& hub, Seat seat);

// Called by the gateway's timers for audio sockets: what is left of a stream that paused.
class AudioTimers {
 public:
  virtual ~AudioTimers() = default;
  virtual void tick() = 0;
};

}  // namespace fluentgate::gateway
