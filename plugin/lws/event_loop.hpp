// Which event loop the host's lws runs on: with poll() every event costs time in proportion to all sockets. Thread: loop.
#pragma once

#include <libwebsockets.h>

#include <string>

namespace fluentgate::lws_plugin {

// "libuv", "libev", ...; empty: nothing but poll() was found. lws tells nobody: a loaded event-library plugin of it is the sign, or, where
// the libraries are built in, its libuv loop.
std::string event_library(lws_context* context);

}  // namespace fluentgate::lws_plugin
