#include "plugin/host/host.hpp"

#include <libwebsockets.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/domain/limits.hpp"
#include "plugin/host/plugin_files.hpp"
#include "plugin/host/shared_port.hpp"
#include "plugin/lws/host_control.hpp"

namespace fluentgate::host {
namespace {

using lws_plugin::HostControl;

constexpr const char* main_protocol = "fluentgate";
constexpr const char* signal_protocol = "fluentgate-signals";
constexpr const char* listen_protocol = "fluentgate-listen";
// lws makes tables of this size: what a kernel may call unlimited (a thousand million) must not become gigabytes.
constexpr rlim_t open_files_max = 1u << 20;
constexpr unsigned receive_buffer_bytes = 32 * 1024;
constexpr unsigned header_bytes_max = 16 * 1024;  // a token of limits::token_bytes_max in the URL, percent-encoded, and a browser's headers beside it
constexpr int keepalive_s = 30;
constexpr int tcp_keepalive_s = 60;

Logger* lws_logger = nullptr;  // lws's log has no place for a pointer of ours

void on_lws_line(int level, const char* line) {
  if (lws_logger == nullptr) return;
  std::string_view text(line);
  while (text.ends_with('\n')) text.remove_suffix(1);
  lws_logger->write(level == LLL_ERR ? LogLevel::error : LogLevel::warn, "lws", text);
}

void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, open_files_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// lws's libuv loop puts handlers on SIGSEGV and SIGFPE that return, so that a crash would become an endless loop.
class KeptCrashHandlers {
 public:
  KeptCrashHandlers() {
    for (std::size_t i = 0; i < signals_.size(); ++i) sigaction(signals_[i], nullptr, &kept_[i]);
  }
  ~KeptCrashHandlers() {
    for (std::size_t i = 0; i < signals_.size(); ++i) sigaction(signals_[i], &kept_[i], nullptr);
  }

 private:
  static constexpr std::array<int, 2> signals_{SIGSEGV, SIGFPE};
  std::array<struct sigaction, 2> kept_{};
};

class Host {
 public:
  Host(const HostOptions& options, const config::Settings& settings, Logger& logger, Signals& signals)
      : options_(options), settings_(settings), logger_(logger), signals_(signals) {
    std::memcpy(control_.magic, lws_plugin::host_control_magic, sizeof control_.magic);
    control_.host = this;
    control_.board_descriptor = options.supervised ? options.supervised->board_descriptor : -1;
    control_.process = options.supervised ? options.supervised->process : 0;
    control_.processes = options.supervised ? options.supervised->processes : 1;
    control_.serving = [](void* host) { static_cast<Host*>(host)->on_serving(); };
    control_.refused = [](void* host, const char* why, int code) { static_cast<Host*>(host)->on_refused(why, code); };
    control_.drained = [](void* host) { static_cast<Host*>(host)->end(0); };
  }

  int run(const std::vector<lws_protocols>& plugin_protocols);

 private:
  static int on_signal(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept;
  static int on_connection(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept;
  void make_context();
  bool make_vhost(const std::vector<lws_protocols>& plugin_protocols);
  bool adopt(int file, const char* protocol);
  bool listen_shared_port();
  void on_event() noexcept;
  void on_serving() noexcept {
    serving_ = true;
    signals_.wake();  // lws may still be making the vhost
  }
  void say_ready();
  void on_refused(const char* why, int code);
  // The loop ends at its next turn: never from inside the plugin, which is destroyed by it.
  void end(int code) noexcept {
    if (ending_) return;
    ending_ = true;
    exit_code_ = code;
    signals_.wake();
  }

  // given
  const HostOptions& options_;
  const config::Settings& settings_;
  Logger& logger_;
  Signals& signals_;
  // owned; lws keeps pointers to all of it
  HostControl control_{};
  std::vector<lws_protocol_vhost_options> plugin_options_;
  lws_protocol_vhost_options protocol_options_{};
  lws_http_mount mount_{};
  std::vector<lws_protocols> protocols_;
  // state
  lws_context* context_ = nullptr;  // lws sets it to null when it is gone
  lws_vhost* vhost_ = nullptr;
  bool serving_ = false, told_ready_ = false, ending_ = false, destroying_ = false;
  int exit_code_ = 1;
};

int Host::on_signal(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept {
  if (reason != LWS_CALLBACK_RAW_RX_FILE) return lws_callback_http_dummy(wsi, reason, user, in, size);
  static_cast<Host*>(lws_context_user(lws_get_context(wsi)))->on_event();
  return 0;
}

// Of a port that several processes share.
int Host::on_connection(lws* wsi, lws_callback_reasons reason, void* user, void* in, std::size_t size) noexcept {
  if (reason != LWS_CALLBACK_RAW_RX_FILE) return lws_callback_http_dummy(wsi, reason, user, in, size);
  Host& self = *static_cast<Host*>(lws_context_user(lws_get_context(wsi)));
  if (self.ending_ || accept_into(lws_get_socket_fd(wsi), self.vhost_)) return 0;
  self.logger_.write(LogLevel::error, "host", std::string("the listening socket broke: ") + std::strerror(errno));
  self.end(1);  // the supervisor starts another
  return -1;
}

void Host::make_context() {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.user = this;
  info.pcontext = &context_;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  if (!settings_.listen.tls_cert.empty()) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.pt_serv_buf_size = receive_buffer_bytes;
  info.max_http_header_data2 = header_bytes_max;
  info.timeout_secs = static_cast<unsigned>(limits::handshake_ms / 1000);
  info.count_threads = 1;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  const KeptCrashHandlers kept;
  // lws's libuv plugin where it is installed (Debian: libwebsockets-evlib-uv), else its libev one, else poll(): our plugin warns of what that costs.
  const auto options = info.options;
  for (const std::uint64_t loop : {std::uint64_t{LWS_SERVER_OPTION_LIBUV}, std::uint64_t{LWS_SERVER_OPTION_LIBEV}, std::uint64_t{0}}) {
    info.options = options | loop;
    context_ = lws_create_context(&info);
    if (context_ != nullptr) return;
  }
}

bool Host::make_vhost(const std::vector<lws_protocols>& plugin_protocols) {
  protocols_ = plugin_protocols;
  for (const auto& [name, callback] : {std::pair{signal_protocol, &on_signal}, std::pair{listen_protocol, &on_connection}}) {
    lws_protocols own{};
    own.name = name;
    own.callback = callback;
    protocols_.push_back(own);
  }
  protocols_.push_back({});

  const auto add = [this](const char* name, const char* value) { plugin_options_.push_back({nullptr, nullptr, name, value}); };
  add("default", "1");
  add(lws_plugin::host_control_option, reinterpret_cast<const char*>(&control_));
  if (!options_.config_file.empty()) add("config", options_.config_file.c_str());
  for (const auto& [name, value] : options_.set) add(name.c_str(), value.c_str());
  for (std::size_t i = 0; i + 1 < plugin_options_.size(); ++i) plugin_options_[i].next = &plugin_options_[i + 1];
  protocol_options_.name = main_protocol;
  protocol_options_.value = "";
  protocol_options_.options = plugin_options_.data();

  mount_.mountpoint = "/";
  mount_.mountpoint_len = 1;
  mount_.origin = main_protocol;
  mount_.protocol = main_protocol;
  mount_.origin_protocol = LWSMPRO_CALLBACK;

  const config::Listen& listen = settings_.listen;
  lws_context_creation_info info{};
  info.vhost_name = "fluentgate";
  info.port = options_.supervised ? CONTEXT_PORT_NO_LISTEN_SERVER : listen.port;
  const bool any_v6 = listen.address == "::";
  const bool any_v4 = listen.address == "0.0.0.0";
  if (!any_v6 && !any_v4) info.iface = listen.address.c_str();
  info.options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (listen.address.find(':') == std::string::npos) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  info.protocols = protocols_.data();
  info.pvo = &protocol_options_;
  info.mounts = &mount_;
  info.keepalive_timeout = keepalive_s;
  info.timeout_secs_ah_idle = static_cast<unsigned>(limits::handshake_ms / 1000);
  info.ka_time = tcp_keepalive_s;
  info.ka_interval = tcp_keepalive_s / 6;
  info.ka_probes = 3;
  if (!listen.tls_cert.empty()) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;  // without it lws serves the vhost in the clear
    info.ssl_cert_filepath = listen.tls_cert.c_str();
    info.ssl_private_key_filepath = listen.tls_key.c_str();
    info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
    info.alpn = "http/1.1";  // WebSocket over HTTP/2 is not served, and so not advertised
  }
  vhost_ = lws_create_vhost(context_, &info);
  return vhost_ != nullptr;
}

// lws closes what it has adopted.
bool Host::adopt(int file, const char* protocol) {
  lws_sock_file_fd_type descriptor;
  descriptor.filefd = file;
  return file >= 0 && lws_adopt_descriptor_vhost(vhost_, LWS_ADOPT_RAW_FILE_DESC, descriptor, protocol, nullptr) != nullptr;
}

bool Host::listen_shared_port() {
  if (!options_.supervised) return true;
  const auto listener = listen_shared(settings_.listen, options_.supervised->port);
  if (!listener) {
    logger_.write(LogLevel::error, "host", listener.error().text);
    return false;
  }
  return adopt(*listener, listen_protocol);
}

void Host::on_refused(const char* why, int code) {
  logger_.flush();
  std::fprintf(stderr, "%s\n", why);
  end(code);
}

void Host::say_ready() {
  if (!serving_ || told_ready_ || ending_) return;
  told_ready_ = true;
  if (options_.supervised) {
    [[maybe_unused]] const ssize_t told = write(options_.supervised->ready_descriptor, "r", 1);
    return;
  }
  std::printf("fluentgate-host ready on %s\n", listen_url(settings_.listen, lws_get_vhost_listen_port(vhost_)).c_str());
  std::fflush(stdout);
}

void Host::on_event() noexcept {
  signals_.clear();
  say_ready();
  if (signals_.take_reload() && serving_) control_.reload(control_.plugin);
  if (signals_.take_drain() && !ending_) {
    if (serving_) {
      logger_.write(LogLevel::info, "host", "draining");
      control_.drain(control_.plugin);
    } else {
      end(0);
    }
  }
  if (ending_ && !destroying_) {
    destroying_ = true;
    lws_context_destroy(context_);  // inside the loop lws only notes it, and ends the loop
  }
}

int Host::run(const std::vector<lws_protocols>& plugin_protocols) {
  make_context();
  if (context_ == nullptr) {
    logger_.write(LogLevel::error, "host", "lws could not make a context; its own message is above");
    return 1;
  }
  if (!make_vhost(plugin_protocols)) {
    logger_.write(LogLevel::error, "host", "cannot listen on " + listen_url(settings_.listen, settings_.listen.port));
    exit_code_ = 1;
  } else if (!listen_shared_port()) {
    exit_code_ = 1;
  } else if (!adopt(fcntl(signals_.descriptor(), F_DUPFD_CLOEXEC, 0), signal_protocol)) {
    logger_.write(LogLevel::error, "host", "the signals could not be added to lws's loop");
  } else {
    signals_.wake();  // the first turn comes after lws has initialised the protocols
    while (context_ != nullptr && !destroying_ && lws_service(context_, 0) >= 0) say_ready();
  }
  if (context_ != nullptr) lws_context_destroy(context_);
  if (context_ != nullptr) lws_context_destroy(context_);  // lws with libuv ends in two steps
  return exit_code_;
}

}  // namespace

std::string listen_url(const config::Listen& listen, int port) {
  const bool v6 = listen.address.find(':') != std::string::npos;
  return std::string(listen.tls_cert.empty() ? "http://" : "https://") + (v6 ? "[" + listen.address + "]" : listen.address) + ":" +
         std::to_string(port);
}

std::vector<std::string> tls_errors(const config::Listen& listen) {
  std::vector<std::string> errors;
  if (listen.tls_cert.empty() || listen.tls_key.empty()) return errors;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  const auto reason = [] {
    char text[160] = "unknown";
    if (const unsigned long code = ERR_peek_last_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return std::string(text);
  };
  if (SSL_CTX_use_certificate_chain_file(tls.get(), listen.tls_cert.c_str()) != 1) {
    errors.push_back("listen.tls_cert = " + listen.tls_cert + ": must be a PEM file of a certificate and its chain (" + reason() + ")");
  }
  if (SSL_CTX_use_PrivateKey_file(tls.get(), listen.tls_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    errors.push_back("listen.tls_key = " + listen.tls_key + ": must be a PEM file of the private key of listen.tls_cert (" + reason() + ")");
  }
  return errors;
}

int serve(const HostOptions& options, const config::Settings& settings, Logger& logger, Signals& signals) {
  lws_logger = &logger;
  lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_line);
  raise_open_files();
  auto plugin = Plugin::load(plugin_folders(options.plugin_folder));
  if (!plugin) {
    logger.write(LogLevel::error, "host", plugin.error().text);
    logger.flush();
    return 1;
  }
  int code = 1;
  {
    Host host(options, settings, logger, signals);
    code = host.run(plugin->protocols());
  }
  logger.flush();
  lws_set_log_level(0, nullptr);
  lws_logger = nullptr;
  return code;
}

}  // namespace fluentgate::host
