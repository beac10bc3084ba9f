#include "plugin/lws/http_request.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <utility>

namespace fluentgate::lws_plugin {
namespace {

struct Method {
  lws_token_indexes token;
  const char* name;
};

// The methods that lws knows; others get its own 403 before any callback.
constexpr Method methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_HEAD_URI, "HEAD"},       {WSI_TOKEN_CONNECT, "CONNECT"},
#if defined(LWS_WITH_HTTP_UNCOMMON_HEADERS)
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}, {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_PATCH_URI, "PATCH"},     {WSI_TOKEN_DELETE_URI, "DELETE"},
#endif
};

// The parts that lws keeps one header in: header lines, or what was between `&`s.
std::vector<std::string> fragments(lws* wsi, lws_token_indexes token) {
  std::vector<std::string> parts;
  const int bytes_max = lws_hdr_total_length(wsi, token) + 1;
  std::string buffer(static_cast<std::size_t>(bytes_max) + 1, '\0');
  for (int i = 0;; ++i) {
    const int size = lws_hdr_copy_fragment(wsi, buffer.data(), bytes_max + 1, token, i);
    if (size < 0) return parts;
    parts.emplace_back(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) text += between;
    text += parts[i];
  }
  return text;
}

std::optional<std::string> header(lws* wsi, lws_token_indexes token, std::string_view between) {
  const auto parts = fragments(wsi, token);
  if (parts.empty()) return std::nullopt;
  return join(parts, between);
}

bool custom_header(lws* wsi, std::string_view name_with_colon) {
#if defined(LWS_WITH_CUSTOM_HEADERS)
  return lws_hdr_custom_length(wsi, name_with_colon.data(), static_cast<int>(name_with_colon.size())) >= 0;
#else
  (void)wsi;
  (void)name_with_colon;
  return true;  // not to be known with this lws: the careful answer
#endif
}

bool unreserved(char c) noexcept { return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("-._~", c) != nullptr; }

void encode(std::string& out, std::string_view text, std::string_view kept) {
  constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if ((c != '\0' && unreserved(c)) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
}

std::string encoded_query(const std::vector<std::string>& parts) {
  std::string query;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) query += '&';
    const std::size_t equals = parts[i].find('=');
    encode(query, std::string_view(parts[i]).substr(0, equals), ":/,");
    if (equals != std::string::npos) {
      query += '=';
      encode(query, std::string_view(parts[i]).substr(equals + 1), ":/,");
    }
  }
  return query;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

// A base64 of 16 bytes (RFC 6455, 4.1): 22 characters and "==".
bool good_key(std::string_view key) noexcept {
  return key.size() == 24 && key.substr(22) == "==" && std::all_of(key.begin(), key.begin() + 22, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/';
         });
}

bool asks_for_websocket(lws* wsi) {
  const auto upgrade = header(wsi, WSI_TOKEN_UPGRADE, ",");
  const auto connection = header(wsi, WSI_TOKEN_CONNECTION, ",");
  if (!upgrade || !same_word(*upgrade, "websocket") || !connection) return false;
  const auto words = offered_names(*connection);
  if (std::none_of(words.begin(), words.end(), [](const std::string& word) { return same_word(word, "upgrade"); })) return false;
  return header(wsi, WSI_TOKEN_VERSION, ",") == "13" && good_key(header(wsi, WSI_TOKEN_KEY, ",").value_or("")) &&
         !header(wsi, WSI_TOKEN_HOST, ",").value_or("").empty();
}

std::string peer_address(lws* wsi) {
  char text[64] = "";
  lws_get_peer_simple(wsi, text, sizeof text);
  std::string_view address(text);
  if (address.starts_with("::ffff:") && address.find('.') != std::string_view::npos) address.remove_prefix(7);
  return std::string(address);
}

bool forwarded(lws* wsi) {
  if (custom_header(wsi, "forwarded:")) return true;
  if (!fragments(wsi, WSI_TOKEN_X_FORWARDED_FOR).empty()) return true;
#if defined(LWS_WITH_HTTP_UNCOMMON_HEADERS)
  if (!fragments(wsi, WSI_TOKEN_HTTP_X_REAL_IP).empty()) return true;
#endif
  return custom_header(wsi, "x-real-ip:") || custom_header(wsi, "x-forwarded-for:");
}

bool body_of_unknown_size(lws* wsi, std::string_view method) {
  if (header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, ",")) return true;
  const bool usual = method == "POST" || method == "PUT" || method == "PATCH";
  return usual && !header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, ",");
}

void read_target(lws* wsi, HttpRequest& request) {
#if defined(LWS_WITH_HTTP2)
  if (request.http2) {
    const auto method = header(wsi, WSI_TOKEN_HTTP_COLON_METHOD, ",");
    const auto path = fragments(wsi, WSI_TOKEN_HTTP_COLON_PATH);
    if (method) request.method = *method;
    if (!path.empty()) encode(request.path, join(path, "&"), "/:");
  }
#endif
  for (const Method& method : methods) {
    if (!request.path.empty()) break;
    const auto path = fragments(wsi, method.token);
    if (path.empty()) continue;
    if (request.method.empty()) request.method = method.name;
    encode(request.path, join(path, "&"), "/:");
  }
}

}  // namespace

std::string request_path(lws* wsi) {
  HttpRequest request;
  request.http2 = lws_get_network_wsi(wsi) != wsi;
  read_target(wsi, request);
  return request.path;
}

HttpRequest read_request(lws* wsi) {
  HttpRequest request;
  request.http2 = lws_get_network_wsi(wsi) != wsi;
  read_target(wsi, request);
  request.query = encoded_query(fragments(wsi, WSI_TOKEN_HTTP_URI_ARGS));
  request.authorization = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, ", ");
  request.cookie = header(wsi, WSI_TOKEN_HTTP_COOKIE, "; ");
  request.origin = header(wsi, WSI_TOKEN_ORIGIN, ", ");
  request.subprotocols = header(wsi, WSI_TOKEN_PROTOCOL, ", ");
  request.peer_address = peer_address(wsi);
  request.upgrade = !request.http2 && asks_for_websocket(wsi);
  request.forwarded = forwarded(wsi);
  request.unread_body = !request.http2 && body_of_unknown_size(wsi, request.method);
  return request;
}

std::vector<std::string> offered_names(std::string_view offer) {
  std::vector<std::string> names;
  while (!offer.empty()) {
    const std::size_t comma = std::min(offer.find(','), offer.size());
    std::string_view name = offer.substr(0, comma);
    while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    offer.remove_prefix(std::min(comma + 1, offer.size()));
  }
  return names;
}

bool path_below(std::string_view path, std::string_view prefix) noexcept {
  while (!prefix.empty() && prefix.back() == '/') prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace fluentgate::lws_plugin
