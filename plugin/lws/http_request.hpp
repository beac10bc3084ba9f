// A request as lws has parsed it, put back into the form it was sent in. Thread: loop.
//
// lws 4.1 hands out no raw request line. It percent-decodes path and query, turns `+` into a space, joins `//`, removes `.` and `..` segments,
// and cuts at `&` and `;` (in the path too). Here path and query are encoded again, so that one decoding gives exactly what lws saw: "%2541"
// stays "%41" and never becomes "A". What can't be had back: a `%2F` (seen as `/`), removed dot segments, joined slashes, and `;` in
// a query (seen as `&`). A malformed %-sequence gets lws's own 403, a %00 the end of the connection.
#pragma once

#include <libwebsockets.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fluentgate::lws_plugin {

struct HttpRequest {
  std::string method;
  std::string path;                        // encoded; no query
  std::string query;                       // encoded; no '?'
  std::optional<std::string> authorization, cookie, origin;
  std::optional<std::string> subprotocols; // the offer as it was sent, header lines joined by ", "
  std::string peer_address;                // numeric; IPv4 without ::ffff:
  bool upgrade = false;                    // asks for WebSocket 13 with everything that RFC 6455, 4.2.1 wants
  bool forwarded = false;                  // Forwarded, X-Forwarded-For or X-Real-IP is there
  bool http2 = false;
  bool unread_body = false;                // a body of unknown size follows
  bool head() const noexcept { return method == "HEAD"; }

  bool operator==(const HttpRequest&) const = default;
};

HttpRequest read_request(lws* wsi);
// Its path alone.
std::string request_path(lws* wsi);

// The names of an offer, in order.
std::vector<std::string> offered_names(std::string_view offer);

// Whether `path` is `prefix` or lies below it. An empty prefix has everything.
bool path_below(std::string_view path, std::string_view prefix) noexcept;

}  // namespace fluentgate::lws_plugin
