// A refusal before the upgrade as an HTTP answer. Thread: any.
#pragma once

#include "core/auth/refusal.hpp"
#include "plugin/lws/http_answer.hpp"

namespace fluentgate::lws_plugin {

inline HttpAnswer refusal_answer(const auth::Refusal& refusal) {
  HttpAnswer answer;
  answer.status = refusal.status();
  for (auto& [name, value] : refusal.headers()) {
    if (name == "Content-Type") {
      answer.content_type = value;
    } else {
      answer.headers.emplace_back(name, value);
    }
  }
  answer.body = refusal.body();
  return answer;
}

}  // namespace fluentgate::lws_plugin
