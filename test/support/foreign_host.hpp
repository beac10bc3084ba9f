// An lws host that is not ours: protocols, mounts and vhosts of its own, with the plugin loaded by lws_plugins_init from a build folder and
// configured by per-vhost options and one mount. Its loop runs on a thread of its own, and each further service thread on one more; everything else
// is the thread of the test that made it. Several may live at a time; their lws log is one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fluentgate::test {

struct ForeignHostOptions {
  std::string plugin_folder;
  std::vector<std::pair<std::string, std::string>> options;  // per-vhost options of the protocol fluentgate, the same on each vhost
  bool fluentgate_is_default = true;                         // else the host's own `chat` is
  std::string tls_certificate, tls_key;                      // given: a TLS vhost beside the plain one
  unsigned service_threads = 1;                              // needs poll(), and an lws that was built for as many (LWS_MAX_SMP)
  int claimed_service_threads = 0;                           // what lws says to the plugin of their number, where it wasn't: all hosts of the process
  bool libuv = true;                                         // else poll()
};

class ForeignHost {
 public:
  explicit ForeignHost(const ForeignHostOptions& options);
  ~ForeignHost();
  ForeignHost(const ForeignHost&) = delete;
  ForeignHost& operator=(const ForeignHost&) = delete;

  int port() const;
  int tls_port() const;
  std::string log() const;  // what lws, and the plugin through it, said until now
  int service_threads() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fluentgate::test
