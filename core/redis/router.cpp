#include "core/redis/router.hpp"

#include "core/domain/limits.hpp"
#include "core/redis/key_slot.hpp"

namespace fluentgate::redis {
namespace {

bool begins_with_any(const std::string& text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.starts_with(word)) return true;
  }
  return false;
}

std::string place(const std::string& host, int port) { return host + ":" + std::to_string(port); }

}  // namespace

void Router::open() {
  cluster_ = false;
  seed_ = std::make_unique<Connection>(loop_, options_, *this);
  seed_->open();
}

void Router::close() noexcept {
  if (seed_) seed_->close();
  for (auto& [name, connection] : nodes_) connection->close();
  busy_.clear();
}

void Router::bury(std::unique_ptr<Connection> connection) {
  // It may be calling us: it goes in a later turn.
  loop_.post([kept = std::shared_ptr<Connection>(std::move(connection))] {});
}

void Router::drop() {
  // Their loss is told to nobody (on_lost no longer finds them), but what is unanswered is answered.
  auto take_down = [this](std::unique_ptr<Connection> connection) {
    connection->drop("the other connection was lost");
    connection->tick(loop_.now());
    bury(std::move(connection));
  };
  homes_.clear();
  std::map<std::string, std::unique_ptr<Connection>> nodes = std::move(nodes_);
  nodes_.clear();
  std::unique_ptr<Connection> seed = std::move(seed_);
  if (seed) take_down(std::move(seed));
  for (auto& [name, connection] : nodes) take_down(std::move(connection));
}

void Router::on_ready(Connection& connection) {
  if (&connection != seed_.get()) return;
  cluster_ = connection.is_cluster();
  listener_.on_router_ready();
}

void Router::on_lost(Connection& connection, const std::string& why) {
  if (&connection == seed_.get()) {
    bury(std::move(seed_));
    listener_.on_router_lost(why);
    drop();
    return;
  }
  for (auto at = nodes_.begin(); at != nodes_.end(); ++at) {
    if (at->second.get() != &connection) continue;
    // Its slots are asked for at the seed again, which knows who has them now.
    std::erase_if(homes_, [&](const auto& home) { return home.second == at->first; });
    bury(std::move(at->second));
    nodes_.erase(at);
    return;
  }
}

Connection& Router::node(const std::string& host, int port) {
  if (host == options_.host && port == options_.port) return *seed_;
  std::unique_ptr<Connection>& found = nodes_[place(host, port)];
  if (!found) {
    Connection::Options options = options_;
    options.host = host;
    options.port = port;
    found = std::make_unique<Connection>(loop_, std::move(options), *this);
    found->open();
  }
  return *found;
}

Connection& Router::home_of(std::uint16_t slot) {
  if (const auto home = homes_.find(slot); home != homes_.end()) {
    if (const auto found = nodes_.find(home->second); found != nodes_.end()) return *found->second;
  }
  return *seed_;
}

void Router::send(Request request) {
  if (!is_ready() || unfinished_ >= limits::redis_answers_max) {
    if (request.answer) request.answer(Error{"away", is_ready() ? "too much waits for Redis" : "Redis is away", true});
    return;
  }
  ++unfinished_;
  if (!cluster_ || request.key.empty()) {
    dispatch(std::move(request), *seed_, false);
    return;
  }
  const std::uint16_t slot = key_slot(request.key);
  const auto [queue, first] = busy_.try_emplace(slot);
  if (first) {
    dispatch(std::move(request), home_of(slot), false);
  } else {
    queue->second.push_back(std::move(request));
  }
}

void Router::dispatch(Request request, Connection& connection, bool ask) {
  std::vector<std::string> args;
  if (request.script) {
    // The first time on a connection the whole script: what follows on it finds it loaded.
    const bool loaded = !connection.scripts.insert(request.digest).second;
    args = {loaded ? "EVALSHA" : "EVAL", loaded ? request.digest : *request.script, "1", request.key};
    args.insert(args.end(), request.args.begin(), request.args.end());
  } else {
    args = request.args;
  }
  if (ask) connection.send({"ASKING"}, {});
  connection.send(args, [this, life = std::weak_ptr<int>(life_), request = std::move(request), &connection](Result<Reply> reply) mutable {
    if (!life.expired()) on_answer(std::move(request), connection, std::move(reply));
  });
}

void Router::on_answer(Request request, Connection& connection, Result<Reply> reply) {
  if (!reply && reply.error().code == "redis") {
    const std::string text = reply.error().text;
    if (request.redirects < limits::redis_redirects_max && redirected(request, connection, text)) return;
    if (begins_with_any(text, {"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK "})) {
      reply = Error{"away", "Redis can't now: " + text, true};
      // A master that became a replica: its name may lead to the new one.
      if (text.starts_with("READONLY")) connection.drop(text);
    }
  }
  finish(request, std::move(reply));
}

bool Router::redirected(Request& request, Connection& connection, const std::string& error) {
  if (!is_ready()) return false;
  if (request.script && error.starts_with("NOSCRIPT")) {
    ++request.redirects;
    connection.scripts.erase(request.digest);
    dispatch(std::move(request), connection, false);
    return true;
  }
  const auto to = parse_redirection(error);
  if (!to) return false;
  ++request.redirects;
  cluster_ = true;
  const std::string host = to->host.empty() ? connection.options().host : to->host;
  Connection& target = node(host, to->port);
  if (!to->ask) {
    if (&target == seed_.get()) {
      homes_.erase(to->slot);
    } else {
      homes_[to->slot] = place(host, to->port);
    }
  }
  dispatch(std::move(request), target, to->ask);
  return true;
}

void Router::finish(const Request& request, Result<Reply> reply) {
  --unfinished_;
  if (request.answer) request.answer(std::move(reply));
  if (request.key.empty()) return;
  const std::uint16_t slot = key_slot(request.key);
  for (auto found = busy_.find(slot); found != busy_.end(); found = busy_.find(slot)) {
    if (found->second.empty()) {
      busy_.erase(found);
      return;
    }
    const Request next = std::move(found->second.front());
    found->second.pop_front();
    if (is_ready()) {
      dispatch(next, home_of(slot), false);
      return;
    }
    --unfinished_;
    if (next.answer) next.answer(Error{"away", "Redis is away", true});
  }
}

}  // namespace fluentgate::redis
