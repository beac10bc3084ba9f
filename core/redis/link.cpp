// The thread, and what is done when a connection comes or goes: both stand, or neither counts.
#include "core/redis/link.hpp"

#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "core/config/redis_url.hpp"
#include "core/domain/limits.hpp"
#include "core/redis/event_loop.hpp"
#include "core/redis/router.hpp"
#include "core/redis/stream.hpp"
#include "core/redis/subscriber.hpp"

namespace fluentgate::redis {
namespace {

constexpr std::int64_t backoff_min_ms = 50, backoff_max_ms = 1000;
constexpr std::int64_t steady_after_ms = 1000;   // connected for so long: the next backoff begins small again
constexpr std::int64_t say_again_ms = 10000;     // the same failure to connect is said again after that
constexpr std::int64_t flush_step_ms = 5;

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) size = 0;
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

class LinkThread final : public Link, private Router::Listener, private Subscriber::Listener {
 public:
  LinkThread(std::unique_ptr<EventLoop> loop, TlsContext tls, const Connection::Options& commands, const Connection::Options& pushes, std::string name,
             Link::Listener& listener, Logger& log)
      : log_(log), name_(std::move(name)), tls_(std::move(tls)), loop_(std::move(loop)), router_(*loop_, commands, *this),
        subscriber_(*loop_, pushes, *this), listeners_{&listener} {}
  ~LinkThread() override { stop(0); }

  void begin() {
    loop_->post([this] { connect(); });
    // Signals belong to the host's threads; SIGPIPE (OpenSSL's writes) to nobody.
    sigset_t every_signal, before;
    sigfillset(&every_signal);
    pthread_sigmask(SIG_SETMASK, &every_signal, &before);
    thread_ = std::thread([this] {
      thread_id_.store(std::this_thread::get_id());
      loop_->run();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "redis");
  }

  bool connected() const noexcept override { return connected_.load(std::memory_order_acquire); }
  bool on_redis_thread() const noexcept override { return std::this_thread::get_id() == thread_id_.load(); }

  void listen(Link::Listener& listener) override {
    post([this, &listener] {
      listeners_.push_back(&listener);
      if (connected()) listener.on_connected(false);
    });
  }

  void command(Command command, Answer answer) override {
    Request request;
    request.key = std::move(command.key);
    request.args = std::move(command.args);
    request.answer = std::move(answer);
    give(std::move(request));
  }

  void script(std::string_view source, std::string key, std::vector<std::string> args, Answer answer) override {
    Request request;
    request.key = std::move(key);
    request.args = std::move(args);
    request.answer = std::move(answer);
    {
      const std::lock_guard lock(scripts_mutex_);
      auto found = scripts_.find(source);
      if (found == scripts_.end()) {
        found = scripts_.emplace(std::string(source), Script{std::make_shared<const std::string>(source), sha1_hex(source)}).first;
      }
      request.script = found->second.source;
      request.digest = found->second.digest;
    }
    give(std::move(request));
  }

  void subscribe(std::string channel, std::function<void()> subscribed) override {
    post([this, channel = std::move(channel), subscribed = std::move(subscribed)]() mutable { subscriber_.subscribe(channel, std::move(subscribed)); });
  }
  void unsubscribe(const std::string& channel) override {
    post([this, channel] { subscriber_.unsubscribe(channel); });
  }
  void post(std::function<void()> work) override {
    // What the redis thread itself still wants to do is part of what was given before the stop.
    if (!stopped_.load(std::memory_order_relaxed) || on_redis_thread()) loop_->post(std::move(work));
  }
  void every(std::int64_t interval_ms, std::function<void()> work) override {
    post([this, interval_ms, work = std::move(work)]() mutable { loop_->every(interval_ms, std::move(work)); });
  }

  void stop(int flush_ms) noexcept override {
    if (stopped_.exchange(true)) return;
    loop_->post([this, flush_ms] { wind_up(loop_->now() + flush_ms); });
    if (thread_.joinable()) thread_.join();
    router_.close();
    subscriber_.close();
    connected_.store(false);
  }

 private:
  struct Script {
    std::shared_ptr<const std::string> source;
    std::string digest;
  };

  // While Redis is away, or too much waits for the thread, the command itself is not kept, only the answer that it gets.
  void give(Request request) {
    if (!connected() || loop_->waiting() >= limits::redis_answers_max) {
      if (!request.answer) return;
      const bool away = !connected();
      post([answer = std::move(request.answer), away] {
        answer(Error{"away", away ? "Redis is away" : "too much waits for Redis", true});
      });
      return;
    }
    // std::function wants what can be copied.
    post([this, shared = std::make_shared<Request>(std::move(request))] { router_.send(std::move(*shared)); });
  }

  void connect() {
    connecting_ = true;
    router_.open();
    subscriber_.open();
  }

  void on_router_ready() override { look_whether_connected(); }
  void on_subscriber_ready() override {
    subscribed_ = true;
    look_whether_connected();
  }
  void on_router_lost(const std::string& why) override {
    subscriber_.drop();
    lost(why);
  }
  void on_subscriber_lost(const std::string& why) override {
    lost(why);
    router_.drop();
  }
  void on_message(std::string_view channel, std::string_view payload) override {
    for (Link::Listener* listener : listeners_) listener->on_message(channel, payload);
  }

  void look_whether_connected() {
    if (connected() || !subscribed_ || !router_.is_ready()) return;
    connected_.store(true, std::memory_order_release);
    connected_ms_ = loop_->now();
    failure_.clear();
    log_.write(LogLevel::info, "redis", "connected to " + name_ + (router_.is_cluster() ? " (cluster)" : ""));
    const bool again = std::exchange(was_connected_, true);
    for (Link::Listener* listener : listeners_) listener->on_connected(again);
  }

  void lost(const std::string& why) {
    subscribed_ = false;
    if (!std::exchange(connecting_, false)) return;
    const SteadyMs now = loop_->now();
    const bool was = connected_.exchange(false);
    if (was) {
      log_.write(LogLevel::warn, "redis", "lost " + name_ + ": " + why);
      if (now - connected_ms_ >= steady_after_ms) backoff_ms_ = backoff_min_ms;
      for (Link::Listener* listener : listeners_) listener->on_lost();
    } else if (why != failure_ || now - failure_said_ms_ >= say_again_ms) {
      log_.write(LogLevel::warn, "redis", "can't use " + name_ + ": " + why);
      failure_ = why;
      failure_said_ms_ = now;
    }
    // Spread over half of the pause, so that many instances don't come back at the same moment.
    const std::int64_t pause = backoff_ms_ / 2 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(backoff_ms_ / 2 + 1));
    backoff_ms_ = std::min(backoff_ms_ * 2, backoff_max_ms);
    loop_->after(pause, [this] { connect(); });
  }

  // Until everything is answered or the time is over.
  void wind_up(SteadyMs until) {
    if (loop_->now() >= until || !connected() || (router_.idle() && loop_->waiting() == 0)) {
      loop_->stop();
      return;
    }
    loop_->after(flush_step_ms, [this, until] { wind_up(until); });
  }

  Logger& log_;
  const std::string name_;  // host:port, for the log
  TlsContext tls_;
  std::unique_ptr<EventLoop> loop_;
  Router router_;
  Subscriber subscriber_;
  std::vector<Link::Listener*> listeners_;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_{};
  std::atomic<bool> connected_{false}, stopped_{false};
  std::mutex scripts_mutex_;  // guards scripts_
  std::map<std::string, Script, std::less<>> scripts_;

  // Of the redis thread.
  bool connecting_ = false;  // connections are open or on their way
  bool subscribed_ = false, was_connected_ = false;
  std::int64_t backoff_ms_ = backoff_min_ms;
  SteadyMs connected_ms_ = 0, failure_said_ms_ = 0;
  std::string failure_;      // said last
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace

Result<std::unique_ptr<Link>> Link::start(Options options, Listener& listener, Logger& log, const Clock& clock) {
  Result<config::RedisUrl> url = config::parse_redis_url(options.url);
  if (!url) return url.error();
  TlsContext tls;
  if (url->tls) {
    Result<TlsContext> made = make_tls_context();
    if (!made) return made.error();
    tls = std::move(made).value();
  }
  Result<std::unique_ptr<EventLoop>> loop = EventLoop::make(clock);
  if (!loop) return loop.error();
  Connection::Options commands;
  commands.host = url->host;
  commands.port = url->port;
  commands.user = url->user;
  commands.password = url->password;
  commands.database = url->database;
  commands.client_name = options.client_name;
  commands.silent_ms = options.silent_ms;
  commands.tls = tls.get();
  Connection::Options pushes = commands;
  pushes.pushes = true;
  const std::string name = (url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]") + ":" + std::to_string(url->port);
  auto made = std::make_unique<LinkThread>(std::move(loop).value(), std::move(tls), commands, pushes, name, listener, log);
  made->begin();
  return std::unique_ptr<Link>(std::move(made));
}

}  // namespace fluentgate::redis
