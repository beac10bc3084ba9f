#include "plugin/lws/callbacks.hpp"

#include <exception>
#include <string_view>

#include "plugin/lws/http_pages.hpp"
#include "plugin/lws/protocols.hpp"
#include "plugin/lws/vhost_state.hpp"
#include "plugin/lws/ws_session.hpp"

namespace fluentgate::lws_plugin {
namespace {

bool for_main_protocol(lws* wsi) {
  const lws_protocols* protocol = lws_get_protocol(wsi);
  return protocol != nullptr && protocol->name != nullptr && std::string_view(protocol->name) == main_protocol;
}

int on_confirm(lws* wsi, const char* asked) {
  VhostState* const state = VhostState::of(wsi);
  if (state == nullptr) return 0;
  // lws 4.1.6 comes here even after it has answered an unknown Upgrade itself.
  if (asked == nullptr || lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0) return -1;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 3 && state->everything()) return answer_page_and_close(wsi, state->gateway());  // h2c
  return state->upgrade().confirm(wsi, state->everything());
}

int on_established(lws* wsi, Connection& connection) {
  VhostState* const state = VhostState::of(wsi);
  if (state == nullptr) return -1;
  connection.session = state->upgrade().establish(wsi).release();
  return connection.session == nullptr ? -1 : 0;
}

int on_http(lws* wsi, void* user, void* in, std::size_t size) {
  VhostState* const state = VhostState::of(wsi);
  if (state != nullptr && (state->everything() || path_below(request_path(wsi), state->gateway().settings().prefix))) {
    return answer_page(wsi, state->gateway());
  }
  return lws_callback_http_dummy(wsi, LWS_CALLBACK_HTTP, user, in, size);
}

int on_socket(lws_callback_reasons reason, Connection& connection, const void* in, std::size_t size) {
  WsSession* const session = connection.session;
  if (session == nullptr) return 0;
  switch (reason) {
    case LWS_CALLBACK_RECEIVE: return session->on_receive(in, size);
    case LWS_CALLBACK_RECEIVE_PONG: return session->on_pong();
    case LWS_CALLBACK_SERVER_WRITEABLE: return session->on_writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return session->on_peer_close(in, size);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL: session->on_ending(); return 0;
    default: break;
  }
  connection.session = nullptr;
  session->on_closed();
  delete session;
  return 0;
}

int dispatch(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
  auto* const connection = static_cast<Connection*>(user);
  switch (reason) {
    case LWS_CALLBACK_PROTOCOL_INIT:
      return !for_main_protocol(wsi) || VhostState::create(wsi, static_cast<const lws_protocol_vhost_options*>(in)) ? 0 : 1;
    case LWS_CALLBACK_PROTOCOL_DESTROY:
      if (for_main_protocol(wsi)) VhostState::destroy(wsi);
      return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return on_confirm(wsi, static_cast<const char*>(in));
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: {
      VhostState* const state = VhostState::of(wsi);
      return state == nullptr ? 1 : state->upgrade().filter(wsi);
    }
    case LWS_CALLBACK_ADD_HEADERS:
      if (VhostState* const state = VhostState::of(wsi)) state->upgrade().add_headers(wsi, *static_cast<lws_process_html_args*>(in));
      return 0;
    case LWS_CALLBACK_ESTABLISHED: return connection == nullptr ? -1 : on_established(wsi, *connection);
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED: return connection == nullptr ? 0 : on_socket(reason, *connection, in, size);
    case LWS_CALLBACK_HTTP: return on_http(wsi, user, in, size);
    case LWS_CALLBACK_RAW_RX_FILE:
      if (VhostState* const state = VhostState::of(wsi)) state->instance().on_wake();
      return 0;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
      if (VhostState* const state = VhostState::of(wsi)) state->instance().on_wake_closed(lws_get_vhost(wsi));
      return 0;
    default: return lws_callback_http_dummy(wsi, reason, user, in, size);  // e.g. files that the host serves by its default protocol
  }
}

}  // namespace

int callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept {
  try {
    return dispatch(wsi, reason, user, in, size);
  } catch (const std::exception& error) {
    lwsl_err("fluentgate: %s\n", error.what());
  } catch (...) {
    lwsl_err("fluentgate: an error of unknown type\n");
  }
  return -1;
}

}  // namespace fluentgate::lws_plugin
