// Writes a whole HTTP answer: a page, or a refusal before the upgrade. Thread: loop.
#pragma once

#include <libwebsockets.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/lws/http_request.hpp"

namespace fluentgate::lws_plugin {

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

std::string_view status_text(int status) noexcept;

// Writes it, without the body for HEAD. With `close`, the answer says so.
// False if the socket is dead.
bool write_answer(lws* wsi, const HttpRequest& request, const HttpAnswer& answer, bool close);

// For LWS_CALLBACK_HTTP: writes it and gives what the callback is to return. The connection is kept where it can be.
int answer_request(lws* wsi, const HttpRequest& request, const HttpAnswer& answer);

}  // namespace fluentgate::lws_plugin
