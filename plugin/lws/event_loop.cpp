#include "plugin/lws/event_loop.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <string_view>

namespace fluentgate::lws_plugin {
namespace {

// libwebsockets-evlib_uv.so and its like.
int find_plugin(dl_phdr_info* info, std::size_t, void* found) {
  const char* const name = info->dlpi_name == nullptr ? nullptr : std::strstr(info->dlpi_name, "websockets-evlib_");
  if (name == nullptr) return 0;
  std::string_view library(name + std::strlen("websockets-evlib_"));
  library = library.substr(0, library.find('.'));
  *static_cast<std::string*>(found) = library == "uv" || library == "ev" ? "lib" + std::string(library) : std::string(library);
  return 1;
}

}  // namespace

std::string event_library(lws_context* context) {
  std::string found;
  dl_iterate_phdr(find_plugin, &found);
  if (!found.empty()) return found;
  using GetLoop = void* (*)(lws_context*, int);
  if (const auto get_loop = reinterpret_cast<GetLoop>(dlsym(RTLD_DEFAULT, "lws_uv_getloop"))) {
    if (get_loop(context, 0) != nullptr) return "libuv";
  }
  return {};
}

}  // namespace fluentgate::lws_plugin
