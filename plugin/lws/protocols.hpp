// The names that this plugin answers to. Every one has the same callback; the path alone decides the endpoint (CONTRACT 1).
#pragma once

#include <array>
#include <string_view>

namespace fluentgate::lws_plugin {

// Carries the per-vhost options and the mount; sockets that offer no subprotocol belong to it where it is the vhost's default.
inline constexpr const char* main_protocol = "fluentgate";

inline constexpr std::array<std::string_view, 4> subprotocols{
    "fluentgate.captions.v1", "fluentgate.signaling.v1", "fluentgate.audio.v1", "fluentgate.audio.pcm"};

}  // namespace fluentgate::lws_plugin
