#include "test/support/foreign_host.hpp"

#include <libwebsockets.h>

#include <dlfcn.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>

#include "test/support/check.hpp"

namespace {
std::atomic<int> claimed_threads{0};
}

// Debian's lws is built for one service thread. The program's own definition comes before the library's, for the plugin too.
extern "C" LWS_VISIBLE int lws_get_count_threads(lws_context* context) {
  if (const int claimed = claimed_threads; claimed > 0) return claimed;
  using Count = int (*)(lws_context*);
  static const auto real = reinterpret_cast<Count>(dlsym(RTLD_NEXT, "lws_get_count_threads"));
  return real(context);
}

namespace fluentgate::test {
namespace {

std::mutex log_mutex;
std::string log_text;  // guarded by log_mutex; lws's log has no place for a pointer

std::atomic<int> hosts{0};

void on_log(int, const char* line) {
  const std::lock_guard lock(log_mutex);
  log_text += line;
}

}  // namespace

struct ForeignHost::State {
  ForeignHostOptions given;
  lws_plugin* plugins = nullptr;
  std::vector<lws_protocols> protocols;
  std::vector<lws_protocol_vhost_options> options;
  lws_protocol_vhost_options protocol_options{};
  lws_http_mount own_mount{}, our_mount{};
  lws_context* context = nullptr;
  lws_vhost *plain = nullptr, *tls = nullptr;
  int end_fd = -1;
  std::atomic<bool> ending{false};
  std::atomic<int> plain_port{0}, tls_port{0}, threads{0};
  std::promise<bool> initialised;
  std::atomic<bool> told{false};
  std::thread loop;

  // The host's own protocols: `chat` says who it is to every socket, `pages` to every plain request.
  static int own_callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) {
    State& state = *static_cast<State*>(lws_context_user(lws_get_context(wsi)));
    switch (reason) {
      case LWS_CALLBACK_ESTABLISHED: lws_callback_on_writable(wsi); return 0;
      case LWS_CALLBACK_SERVER_WRITEABLE: {
        unsigned char text[LWS_PRE + 16];
        std::memcpy(text + LWS_PRE, "the host's chat", 15);
        lws_write(wsi, text + LWS_PRE, 15, LWS_WRITE_TEXT);
        return 0;
      }
      case LWS_CALLBACK_HTTP: {
        unsigned char text[LWS_PRE + 256];
        const int written = lws_snprintf(reinterpret_cast<char*>(text + LWS_PRE), 256,
                                         "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nthe host's page");
        lws_write(wsi, text + LWS_PRE, static_cast<std::size_t>(written), LWS_WRITE_HTTP);
        return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
      }
      case LWS_CALLBACK_RAW_RX_FILE:
        if (state.ending.exchange(true)) return 0;
        if (state.threads == 1) lws_context_destroy(state.context);
        else lws_cancel_service(state.context);  // each thread looks at `ending`
        return 0;
      case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (!state.told.exchange(true)) state.initialised.set_value(true);
        return 0;
      default: return lws_callback_http_dummy(wsi, reason, user, in, size);
    }
  }

  void prepare();
  void run();
  lws_vhost* make_vhost(bool with_tls);
};

void ForeignHost::State::prepare() {
  const char* const folders[] = {given.plugin_folder.c_str(), nullptr};
  lws_plugins_init(&plugins, folders, "lws_protocol_plugin", "fluentgate", nullptr, nullptr);
  if (plugins == nullptr) FAIL("lws_plugins_init found no plugin in " + given.plugin_folder);
  for (const char* name : {"pages", "chat", "ending"}) {
    lws_protocols own{};
    own.name = name;
    own.callback = own_callback;
    own.rx_buffer_size = 1024;
    protocols.push_back(own);
  }
  const auto* table = reinterpret_cast<const lws_plugin_protocol_t*>(plugins->hdr);
  protocols.insert(protocols.end(), table->protocols, table->protocols + table->count_protocols);
  protocols.push_back({});

  if (given.fluentgate_is_default) options.push_back({nullptr, nullptr, "default", "1"});
  for (const auto& [name, value] : given.options) options.push_back({nullptr, nullptr, name.c_str(), value.c_str()});
  for (std::size_t i = 0; i + 1 < options.size(); ++i) options[i].next = &options[i + 1];
  protocol_options.name = "fluentgate";
  protocol_options.value = "";
  protocol_options.options = options.data();

  our_mount.mountpoint = "/ws";
  our_mount.mountpoint_len = 3;
  our_mount.origin = "fluentgate";
  our_mount.protocol = "fluentgate";
  our_mount.origin_protocol = LWSMPRO_CALLBACK;
  own_mount = our_mount;
  own_mount.mountpoint = "/page";
  own_mount.mountpoint_len = 5;
  own_mount.origin = own_mount.protocol = "pages";
  own_mount.mount_next = &our_mount;
}

lws_vhost* ForeignHost::State::make_vhost(bool with_tls) {
  lws_context_creation_info info{};
  info.vhost_name = with_tls ? "secure" : "plain";
  info.iface = "127.0.0.1";
  info.protocols = protocols.data();
  info.pvo = &protocol_options;
  info.mounts = &own_mount;
  info.options = LWS_SERVER_OPTION_DISABLE_IPV6;
  if (with_tls) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.ssl_cert_filepath = given.tls_certificate.c_str();
    info.ssl_private_key_filepath = given.tls_key.c_str();
    info.alpn = "http/1.1";
  }
  return lws_create_vhost(context, &info);
}

void ForeignHost::State::run() {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.user = this;
  info.pcontext = &context;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  if (given.libuv) info.options |= LWS_SERVER_OPTION_LIBUV;
  if (!given.tls_certificate.empty()) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.count_threads = given.service_threads;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  context = lws_create_context(&info);
  if (context == nullptr) return initialised.set_value(false);
  threads = static_cast<int>(std::min(std::max(given.service_threads, 1u), static_cast<unsigned>(LWS_MAX_SMP)));
  plain = make_vhost(false);
  if (!given.tls_certificate.empty()) tls = make_vhost(true);
  if (plain == nullptr) return initialised.set_value(false);
  plain_port = lws_get_vhost_listen_port(plain);
  if (tls != nullptr) tls_port = lws_get_vhost_listen_port(tls);
  lws_sock_file_fd_type descriptor;
  descriptor.filefd = ::dup(end_fd);
  lws_adopt_descriptor_vhost(plain, LWS_ADOPT_RAW_FILE_DESC, descriptor, "ending", nullptr);
  lws_cancel_service(context);
  while (!told && lws_service(context, 0) >= 0) {  // the first turns initialise the protocols
  }
  std::vector<std::thread> further;
  for (int thread = 1; thread < threads; ++thread) {
    further.emplace_back([this, thread] {
      while (!ending && lws_service_tsi(context, 0, thread) >= 0) {
      }
    });
  }
  while (context != nullptr && !ending && lws_service(context, 0) >= 0) {
  }
  for (std::thread& thread : further) thread.join();
  if (context != nullptr) lws_context_destroy(context);
  if (context != nullptr) lws_context_destroy(context);
}

ForeignHost::ForeignHost(const ForeignHostOptions& options) : state_(std::make_unique<State>()) {
  {
    const std::lock_guard lock(log_mutex);
    if (hosts++ == 0) {
      log_text.clear();
      lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, on_log);
    }
  }
  claimed_threads = options.claimed_service_threads;
  state_->given = options;
  state_->end_fd = eventfd(0, EFD_NONBLOCK);
  state_->prepare();
  auto initialised = state_->initialised.get_future();
  state_->loop = std::thread([state = state_.get()] { state->run(); });
  if (initialised.wait_for(std::chrono::seconds(20)) != std::future_status::ready || !initialised.get()) {
    const std::string said = log();
    state_->loop.detach();
    (void)state_.release();  // the loop is in an unknown state; the test fails and its process ends
    FAIL("the foreign host did not start: " + said);
  }
}

ForeignHost::~ForeignHost() {
  if (!state_) return;
  eventfd_write(state_->end_fd, 1);
  state_->loop.join();
  ::close(state_->end_fd);
  lws_plugins_destroy(&state_->plugins, nullptr, nullptr);
  --hosts;
}

int ForeignHost::port() const { return state_->plain_port; }
int ForeignHost::tls_port() const { return state_->tls_port; }
int ForeignHost::service_threads() const { return state_->threads; }

std::string ForeignHost::log() const {
  const std::lock_guard lock(log_mutex);
  return log_text;
}

}  // namespace fluentgate::test
