// One socket of each endpoint, as the plugin drives it: what may come in, and where it goes. Thread: loop.
#pragma once

#include <memory>

#include "core/gateway/gateway.hpp"
#include "core/gateway/hub.hpp"

namespace fluentgate::gateway {

// Makes the socket that fits `seat`. `hub` is kept alive by the gateway that the plugin holds.
std::shared_ptr<Socket> make_socket(Hub& hub, Seat seat);

// What an audio socket holds back of its stream: published by the gateway's timers once the stream has paused, and at once when a newer
// socket takes its place.
class AudioTimers {
 public:
  virtual ~AudioTimers() = default;
  virtual void tick() = 0;
  virtual void flush() = 0;
};

}  // namespace fluentgate::gateway
