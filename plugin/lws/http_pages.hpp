// Plain HTTP: health, readiness, metrics, WebVTT, and the refusals of requests that ask for no upgrade. Thread: loop.
#pragma once

#include <libwebsockets.h>

#include "core/gateway/gateway.hpp"

namespace fluentgate::lws_plugin {

// What LWS_CALLBACK_HTTP returns.
int answer_page(lws* wsi, gateway::Gateway& gateway);
// For a request whose Upgrade isn't followed (h2c): answered as if it had none. Returns what ends the connection after the answer.
int answer_page_and_close(lws* wsi, gateway::Gateway& gateway);

}  // namespace fluentgate::lws_plugin
