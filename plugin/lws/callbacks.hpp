// lws's one callback for all our protocols: dispatch only, behind one guard that no exception passes. Thread: loop.
#pragma once

#include <libwebsockets.h>

#include <cstddef>

namespace fluentgate::lws_plugin {

int callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept;

// What lws keeps per connection for us.
struct Connection {
  class WsSession* session;  // set from ESTABLISHED to CLOSED
};

}  // namespace fluentgate::lws_plugin
