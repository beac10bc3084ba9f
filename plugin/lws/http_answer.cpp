#include "plugin/lws/http_answer.hpp"

#include <cstdint>

namespace fluentgate::lws_plugin {
namespace {

std::vector<std::uint8_t> padded(std::string_view text) {
  std::vector<std::uint8_t> buffer(LWS_PRE + text.size());
  std::copy(text.begin(), text.end(), buffer.begin() + LWS_PRE);
  return buffer;
}

bool write_bytes(lws* wsi, std::string_view text, lws_write_protocol kind) {
  auto buffer = padded(text);
  return lws_write(wsi, buffer.data() + LWS_PRE, text.size(), kind) >= static_cast<int>(text.size());
}

std::string head_of(const HttpAnswer& answer, bool close) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(status_text(answer.status)) + "\r\n";
  if (!answer.content_type.empty()) head += "Content-Type: " + answer.content_type + "\r\n";
  head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += close ? "Connection: close\r\n\r\n" : "\r\n";
  return head;
}

// HTTP/2: lws compresses the header block itself; the body must fit into what the peer takes now.
bool write_answer_h2(lws* wsi, const HttpRequest& request, const HttpAnswer& answer) {
  std::vector<std::uint8_t> buffer(LWS_PRE + 4096);
  unsigned char* const start = buffer.data() + LWS_PRE;
  unsigned char* p = start;
  unsigned char* const end = buffer.data() + buffer.size();
  const int allowance = static_cast<int>(lws_get_peer_write_allowance(wsi));
  const bool fits = allowance < 0 || answer.body.size() <= static_cast<std::size_t>(allowance);
  const bool with_body = fits && !request.head() && !answer.body.empty();
  const auto add = [&](std::string name, const std::string& value) {
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    name += ':';
    return lws_add_http_header_by_name(wsi, reinterpret_cast<const unsigned char*>(name.c_str()),
                                       reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()), &p, end) == 0;
  };
  if (lws_add_http_header_status(wsi, static_cast<unsigned>(fits ? answer.status : 505), &p, end) != 0) return false;
  if (!answer.content_type.empty() && !add("content-type", answer.content_type)) return false;
  for (const auto& [name, value] : answer.headers) {
    if (!add(name, value)) return false;
  }
  if (lws_add_http_header_content_length(wsi, fits ? answer.body.size() : 0, &p, end) != 0) return false;
  if (lws_finalize_write_http_header(wsi, start, &p, end) != 0) return false;
  return !with_body || write_bytes(wsi, answer.body, LWS_WRITE_HTTP_FINAL);
}

}  // namespace

std::string_view status_text(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Answer";
  }
}

bool write_answer(lws* wsi, const HttpRequest& request, const HttpAnswer& answer, bool close) {
  if (request.http2) return write_answer_h2(wsi, request, answer);
  std::string text = head_of(answer, close);
  if (!request.head()) text += answer.body;
  return write_bytes(wsi, text, LWS_WRITE_HTTP);
}

int answer_request(lws* wsi, const HttpRequest& request, const HttpAnswer& answer) {
  // A body that was announced is read and thrown away by lws; one without an end can't be.
  const bool close = request.unread_body;
  if (!write_answer(wsi, request, answer, close) || close) return -1;
  return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

}  // namespace fluentgate::lws_plugin
