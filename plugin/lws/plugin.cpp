// The protocol table, and the plugin's one exported symbol: lws looks for the name that follows the file's first '_'.
#include <libwebsockets.h>

#include <array>

#include "plugin/lws/callbacks.hpp"
#include "plugin/lws/protocols.hpp"

namespace fluentgate::lws_plugin {
namespace {

// What one connection's receive buffer costs, idle or not. Longer messages come in several parts.
constexpr std::size_t receive_bytes = 2048;
// At least the largest joined write: with less, lws cuts it and copies the rest.
constexpr std::size_t transmit_bytes = 256 * 1024;

constexpr lws_protocols protocol_named(const char* name) {
  lws_protocols protocol{};
  protocol.name = name;
  protocol.callback = callback;
  protocol.per_session_data_size = sizeof(Connection);
  protocol.rx_buffer_size = receive_bytes;
  protocol.tx_packet_size = transmit_bytes;
  return protocol;
}

const std::array<lws_protocols, subprotocols.size() + 1> table{
    protocol_named(main_protocol), protocol_named(subprotocols[0].data()), protocol_named(subprotocols[1].data()),
    protocol_named(subprotocols[2].data()), protocol_named(subprotocols[3].data())};

}  // namespace
}  // namespace fluentgate::lws_plugin

// The C++ namespace has the name that the symbol must have; the assembler keeps them apart.
extern "C" LWS_VISIBLE const lws_plugin_protocol_t exported_plugin __asm__("fluentgate");
const lws_plugin_protocol_t exported_plugin = {
    .hdr =
        {
            .name = "fluentgate",
            ._class = "lws_protocol_plugin",
#if defined(FLUENTGATE_LWS_BUILD_HASH)
            .lws_build_hash = LWS_BUILD_HASH,
#endif
            .api_magic = LWS_PLUGIN_API_MAGIC,
        },
    .protocols = fluentgate::lws_plugin::table.data(),
    .extensions = nullptr,
    .count_protocols = static_cast<int>(fluentgate::lws_plugin::table.size()),
    .count_extensions = 0,
};
