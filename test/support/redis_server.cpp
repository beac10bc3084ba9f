#include "test/support/redis_server.hpp"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "test/support/check.hpp"

namespace fluentgate::test {
namespace {

struct FreeContext { void operator()(redisContext* context) const noexcept { redisFree(context); } };
struct FreeReply { void operator()(void* reply) const noexcept { freeReplyObject(reply); } };
using Context = std::unique_ptr<redisContext, FreeContext>;

Context connected_to(int port) {
  Context context(redisConnectWithTimeout("127.0.0.1", port, timeval{5, 0}));
  if (context && context->err == 0) (void)redisSetTimeout(context.get(), timeval{5, 0});
  return context;
}

std::string text_of(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER: return std::to_string(reply.integer);
    case REDIS_REPLY_NIL: return "(nil)";
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (std::size_t i = 0; i < reply.elements; ++i) text += (i == 0 ? "" : "\n") + text_of(*reply.element[i]);
      return text;
    }
    default: return std::string(reply.str, reply.len);
  }
}

std::optional<std::string> asked(int port, const std::vector<std::string>& args) {
  const Context context = connected_to(port);
  if (!context || context->err != 0) return std::nullopt;
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& arg : args) {
    texts.push_back(arg.data());
    sizes.push_back(arg.size());
  }
  const std::unique_ptr<void, FreeReply> reply(redisCommandArgv(context.get(), static_cast<int>(args.size()), texts.data(), sizes.data()));
  if (!reply) return std::nullopt;
  return text_of(*static_cast<const redisReply*>(reply.get()));
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> more) : more_(std::move(more)), port_(free_port()) {
  char name[] = "/tmp/fluentgate-redis-XXXXXX";
  if (::mkdtemp(name) == nullptr) FAIL("no directory for redis-server");
  directory_ = name;
  start();
}

RedisServer::~RedisServer() {
  if (process_) {
    process_->signal(SIGCONT);
    process_->signal(SIGKILL);
  }
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisServer::start() {
  // It dies with the test, however that ends.
  std::vector<std::string> command{"/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                                   "--dir", directory_};
  command.insert(command.end(), more_.begin(), more_.end());
  process_ = std::make_unique<Process>(command);
  // Every sort of answer says that it serves: with a password it is NOAUTH.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!asked(port_, {"PING"})) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("redis-server does not answer:\n" + process_->out() + process_->err());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void RedisServer::kill() {
  if (!process_) return;
  process_->signal(SIGKILL);
  (void)process_->wait();
  process_.reset();
}

void RedisServer::freeze() { process_->signal(SIGSTOP); }
void RedisServer::thaw() { process_->signal(SIGCONT); }

std::string RedisServer::ask(const std::vector<std::string>& args) const {
  const std::optional<std::string> answer = asked(port_, args);
  if (!answer) FAIL("redis-server does not answer");
  return *answer;
}

}  // namespace fluentgate::test
