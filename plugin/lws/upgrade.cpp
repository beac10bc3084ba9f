#include "plugin/lws/upgrade.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/domain/limits.hpp"
#include "plugin/lws/http_answer.hpp"
#include "plugin/lws/protocols.hpp"
#include "plugin/lws/refusal_answer.hpp"

namespace fluentgate::lws_plugin {
namespace {

// The main protocol's own name too: it is in the vhost's table, so a client that offers it first is bound to it, with the same callback.
bool ours(std::string_view name) {
  return name == main_protocol || std::find(subprotocols.begin(), subprotocols.end(), name) != subprotocols.end();
}

constexpr std::string_view echo_header = "Sec-WebSocket-Protocol: ";

// The name that lws will bind the socket to: the first of the offer that any protocol of the vhost has, read by lws's own rules (a name over 63
// bytes or one that looks like a number ends the connection there). Empty: none.
std::string name_bound_by_lws(lws* wsi, const std::string& offer) {
  lws_tokenize_t tokens;
  lws_tokenize_init(&tokens, offer.c_str(),
                    LWS_TOKENIZE_F_COMMA_SEP_LIST | LWS_TOKENIZE_F_MINUS_NONTERM | LWS_TOKENIZE_F_DOT_NONTERM | LWS_TOKENIZE_F_RFC7230_DELIMS);
  tokens.len = static_cast<decltype(tokens.len)>(offer.size());
  while (true) {
    const lws_tokenize_elem element = lws_tokenize(&tokens);
    if (element == LWS_TOKZE_DELIMITER) continue;
    char name[64];
    if (element != LWS_TOKZE_TOKEN || lws_tokenize_cstr(&tokens, name, sizeof name) != 0) return {};
    if (lws_vhost_name_to_protocol(lws_get_vhost(wsi), name) != nullptr) return name;
  }
}

std::string accept_key(lws* wsi) {
  char key[64] = "";
  lws_hdr_copy(wsi, key, sizeof key, WSI_TOKEN_KEY);
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[20];
  lws_SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  char encoded[64] = "";
  lws_b64_encode_string(reinterpret_cast<const char*>(hash), sizeof hash, encoded, sizeof encoded);
  return encoded;
}

// auth.reject = close where lws could not complete the upgrade, knowing none of the offered names: the handshake and the close frame by hand.
// The first offered name is echoed, since a browser fails a handshake without one and shows no code then.
void upgrade_and_close(lws* wsi, const std::string& echoed, CloseCode code) {
  std::string text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept_key(wsi) +
                     "\r\nSec-WebSocket-Protocol: " + echoed + "\r\n\r\n";
  const std::string_view reason = close_code_row(code).reason;
  const auto number = static_cast<unsigned>(code);
  text += {static_cast<char>(0x88), static_cast<char>(reason.size() + 2), static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  text += reason;
  std::vector<unsigned char> buffer(LWS_PRE + text.size());
  std::copy(text.begin(), text.end(), buffer.begin() + LWS_PRE);
  lws_write(wsi, buffer.data() + LWS_PRE, text.size(), LWS_WRITE_HTTP);
}

std::optional<std::string_view> view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

}  // namespace

Upgrade::Verdict Upgrade::decide(const HttpRequest& request) {
  auth::UpgradeRequest asked;
  asked.method = request.method;
  asked.path = request.path;
  asked.query = request.query;
  asked.wants_upgrade = request.upgrade;
  asked.authorization = view(request.authorization);
  asked.cookie = view(request.cookie);
  asked.origin = view(request.origin);
  asked.subprotocols = view(request.subprotocols);
  return gateway_->admit(asked);
}

// True where the upgrade is to go on, to be closed after it.
bool Upgrade::refuse(lws* wsi, const HttpRequest& request, const auth::Refusal& refusal) {
  if (refusal.as_close(gateway_->settings().auth.reject)) return true;
  write_answer(wsi, request, refusal_answer(refusal), true);
  return false;
}

int Upgrade::confirm(lws* wsi, bool everything) {
  pending_.reset();
  HttpRequest request = read_request(wsi);
  if (request.http2 || (!everything && !path_below(request.path, gateway_->settings().prefix))) return 0;
  Verdict verdict = decide(request);
  const auto names = offered_names(request.subprotocols.value_or(""));
  const bool bound_to_us = names.empty() || (request.subprotocols->size() <= limits::subprotocol_offer_bytes_max &&
                                             ours(name_bound_by_lws(wsi, *request.subprotocols)));
  if (std::holds_alternative<auth::Admitted>(verdict) && !bound_to_us) {
    // "chat, fluentgate.audio.v1" in a host that has a protocol chat: lws would give it the socket.
    auth::Refusal refusal;
    refusal.detail = "offer the fluentgate name before other names";
    refusal.can_close = true;
    verdict = std::move(refusal);
  }
  if (const auto* refusal = std::get_if<auth::Refusal>(&verdict)) {
    if (!refuse(wsi, request, *refusal)) return -1;
    if (!bound_to_us) {
      upgrade_and_close(wsi, names.front(), refusal->code);
      return -1;
    }
  }
  pending_ = Pending{wsi, std::move(request), std::move(verdict)};
  return 0;
}

int Upgrade::filter(lws* wsi) {
  HttpRequest request = read_request(wsi);
  if (request.http2) return 1;  // not served, and not advertised (RFC 8441)
  if (pending_ && pending_->wsi == wsi && request == pending_->request) return 0;
  pending_.reset();
  Verdict verdict = decide(request);
  if (const auto* refusal = std::get_if<auth::Refusal>(&verdict); refusal != nullptr && !refuse(wsi, request, *refusal)) return 1;
  pending_ = Pending{wsi, std::move(request), std::move(verdict)};
  return 0;
}

void Upgrade::add_headers(lws* wsi, lws_process_html_args& answer) {
  if (!pending_ || pending_->wsi != wsi) return;
  const auto* admitted = std::get_if<auth::Admitted>(&pending_->verdict);
  if (admitted == nullptr || admitted->subprotocol.empty()) return;
  // lws keeps more than this of its buffer before the answer, so the search stays inside.
  constexpr std::ptrdiff_t looked_back = 256;
  const std::string_view written(answer.p - looked_back, looked_back);
  const std::size_t header = written.rfind(echo_header);
  if (header == std::string_view::npos) return;
  const std::size_t name = header + echo_header.size();
  const std::size_t end = written.find("\r\n", name);
  const std::size_t old_size = end - name;
  const std::size_t new_size = admitted->subprotocol.size();
  if (end == std::string_view::npos || new_size > old_size + static_cast<std::size_t>(std::max(answer.max_len, 0))) return;
  char* const place = answer.p - looked_back + name;
  std::memmove(place + new_size, place + old_size, written.size() - end);
  std::memcpy(place, admitted->subprotocol.data(), new_size);
  answer.p += static_cast<std::ptrdiff_t>(new_size) - static_cast<std::ptrdiff_t>(old_size);
}

std::unique_ptr<WsSession> Upgrade::establish(lws* wsi) {
  if (!pending_ || pending_->wsi != wsi) return nullptr;
  Pending pending = std::move(*pending_);
  pending_.reset();
  auto session = std::make_unique<WsSession>(wsi);
  if (auto* admitted = std::get_if<auth::Admitted>(&pending.verdict)) {
    session->open(*gateway_, std::move(*admitted));
  } else {
    session->close(std::get<auth::Refusal>(pending.verdict).code);
  }
  return session;
}

}  // namespace fluentgate::lws_plugin
