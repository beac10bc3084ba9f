// A handshake, from the request to the core's admission and on to an upgraded socket or a refusal. Thread: loop.
//
// lws asks twice: CONFIRM_UPGRADE (only where the connection is still with one of our protocols: the vhost's default) and
// FILTER_PROTOCOL_CONNECTION (always, once a protocol is bound). Whoever is asked first decides; the second asks again only if the request is another.
#pragma once

#include <libwebsockets.h>

#include <memory>
#include <optional>
#include <variant>

#include "core/gateway/gateway.hpp"
#include "plugin/lws/http_request.hpp"
#include "plugin/lws/ws_session.hpp"

namespace fluentgate::lws_plugin {

class Upgrade {
 public:
  explicit Upgrade(std::shared_ptr<gateway::Gateway> gateway) : gateway_(std::move(gateway)) {}

  // What LWS_CALLBACK_HTTP_CONFIRM_UPGRADE returns: 0 goes on, negative ends the connection after what was written.
  // `everything` is ours in our own host; elsewhere only what lies under the prefix.
  int confirm(lws* wsi, bool everything);
  // What LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION returns: 0 goes on, else the connection ends after what was written.
  int filter(lws* wsi);
  // LWS_CALLBACK_ADD_HEADERS of the 101 answer: echoes the name that fits the path where lws took another of ours, the offer's first.
  void add_headers(lws* wsi, lws_process_html_args& answer);
  // LWS_CALLBACK_ESTABLISHED: the socket, opened, or already closing where auth.reject = close refused it. Null: no verdict is there for it.
  std::unique_ptr<WsSession> establish(lws* wsi);

 private:
  using Verdict = std::variant<auth::Admitted, auth::Refusal>;
  struct Pending {
    lws* wsi = nullptr;
    HttpRequest request;
    Verdict verdict;
  };

  Verdict decide(const HttpRequest& request);
  bool refuse(lws* wsi, const HttpRequest& request, const auth::Refusal& refusal);

  std::shared_ptr<gateway::Gateway> gateway_;
  std::optional<Pending> pending_;  // lws runs one handshake to its end before the next
};

}  // namespace fluentgate::lws_plugin
