#include "core/redis/connection.hpp"

#include <algorithm>
#include <array>

#include "core/domain/limits.hpp"

namespace fluentgate::redis {
namespace {

std::size_t size_of(const std::vector<std::string>& args) {
  std::size_t bytes = 0;
  for (const std::string& arg : args) bytes += arg.size() + 16;
  return bytes;
}

bool is_pong(const Result<Reply>& reply) {
  if (!reply) return false;
  if (reply->kind == Reply::Kind::status) return reply->text == "PONG";
  return reply->kind == Reply::Kind::array && !reply->items.empty() && reply->items.front().text == "pong";
}

}  // namespace

Connection::~Connection() { close(); }

void Connection::open() {
  loop_.add(*this);
  registered_ = true;
  if (Status opened = stream_.open(options_.host, options_.port); !opened) drop_why_ = opened.error().text;
  opened_ms_ = read_ms_ = pinged_ms_ = loop_.now();  // after the look-up of the name, which may have taken its time
}

void Connection::send(const std::vector<std::string>& args, Answer answer) {
  const std::size_t bytes = size_of(args);
  const bool full = outbox_.size() - written_ + held_bytes_ + bytes > limits::redis_outbox_bytes_max || unanswered() >= limits::redis_answers_max;
  if (over() || full) {
    if (answer) answer(Error{"away", over() ? "Redis is away" : "too much waits for Redis", true});
    return;
  }
  if (state_ != State::ready) {
    held_bytes_ += bytes;
    held_.emplace_back(args, std::move(answer));
    return;
  }
  append(args, std::move(answer));
}

void Connection::append(const std::vector<std::string>& args, Answer answer) {
  append_command(outbox_, args);
  flush_wanted_ = true;
  const bool ordered = !options_.pushes || state_ != State::ready;
  if (ordered) pending_.push_back({loop_.now(), std::move(answer)});
}

void Connection::greet() {
  state_ = State::greeting;
  const auto must = [this](const char* what) {
    return [this, what](Result<Reply> reply) {
      if (!reply && reply.error().code == "redis") drop(std::string(what) + reply.error().text);
    };
  };
  if (!options_.password.empty()) {
    std::vector<std::string> auth{"AUTH"};
    if (!options_.user.empty()) auth.push_back(options_.user);
    auth.push_back(options_.password);
    append(auth, must("it refuses the user or password of redis.url: "));
  }
  if (options_.database != 0) append({"SELECT", std::to_string(options_.database)}, must("it refuses the database of redis.url: "));
  if (!options_.client_name.empty()) append({"CLIENT", "SETNAME", options_.client_name}, {});  // a help for operators: may be refused
  append({"INFO", "cluster"}, [this](Result<Reply> reply) { cluster_ = reply && reply->text.find("cluster_enabled:1") != std::string::npos; });
  append({"PING"}, [this](Result<Reply> reply) {
    if (reply) {
      become_ready();
    } else if (reply.error().code == "redis") {
      drop("it doesn't serve: " + reply.error().text);
    }
  });
}

void Connection::become_ready() {
  if (over() || !drop_why_.empty()) return;
  state_ = State::ready;
  pinged_ms_ = loop_.now();
  auto held = std::move(held_);
  held_.clear();
  held_bytes_ = 0;
  for (auto& [args, answer] : held) append(args, std::move(answer));
  owner_.on_ready(*this);
}

void Connection::ready(short) {
  if (over()) return;
  if (!stream_.established()) {
    if (Status advanced = stream_.advance(); !advanced) {
      fail(advanced.error().text);
      return;
    }
    if (!stream_.established()) return;
    greet();
  }
  read_all();
  if (!over()) flush();
}

void Connection::read_all() {
  std::array<char, 16384> bytes;
  for (;;) {
    const Result<std::size_t> got = stream_.read(bytes.data(), bytes.size());
    if (!got) {
      fail(got.error().text);
      return;
    }
    if (*got == 0) return;
    read_ms_ = loop_.now();
    if (Status fed = reader_.feed({bytes.data(), *got}); !fed) {
      fail(fed.error().text);
      return;
    }
    for (;;) {
      bool none = false;
      Result<Reply> reply = reader_.next(none);
      if (!reply && reply.error().code == "protocol") {
        fail(reply.error().text);
        return;
      }
      if (none) break;
      take(std::move(reply));
      if (over()) return;
    }
  }
}

void Connection::take(Result<Reply> reply) {
  if (options_.pushes && pending_.empty() && state_ == State::ready) {
    if (is_pong(reply)) {
      ping_unanswered_ = false;
    } else {
      owner_.on_push(*this, std::move(reply));
    }
    return;
  }
  if (pending_.empty()) {
    drop("it answers what was not asked");
    return;
  }
  const Answer answer = std::move(pending_.front().answer);
  pending_.pop_front();
  if (answer) answer(std::move(reply));
}

void Connection::flush() {
  flush_wanted_ = false;
  while (stream_.established() && written_ < outbox_.size()) {
    const Result<std::size_t> put = stream_.write(outbox_.data() + written_, outbox_.size() - written_);
    if (!put) {
      fail(put.error().text);
      return;
    }
    if (*put == 0) break;
    written_ += *put;
  }
  if (written_ == outbox_.size()) {
    outbox_.clear();
    written_ = 0;
  } else if (written_ > outbox_.size() / 2) {
    outbox_.erase(0, written_);
    written_ = 0;
  }
}

SteadyMs Connection::due() const noexcept {
  if (over()) return INT64_MAX;
  if (!drop_why_.empty() || flush_wanted_) return 0;
  if (state_ != State::ready) return opened_ms_ + options_.silent_ms;
  if (!pending_.empty()) return std::max(pending_.front().sent_ms, read_ms_) + options_.silent_ms;
  if (ping_unanswered_) return std::max(pinged_ms_, read_ms_) + options_.silent_ms;
  return pinged_ms_ + options_.silent_ms / 4;
}

void Connection::tick(SteadyMs now) {
  if (over()) return;
  if (!drop_why_.empty()) {
    fail(drop_why_);
    return;
  }
  flush();
  if (over() || now < due()) return;
  if (state_ != State::ready || !pending_.empty() || ping_unanswered_) {
    fail("no answer within " + std::to_string(options_.silent_ms) + " ms");
    return;
  }
  pinged_ms_ = now;
  append({"PING"}, {});
  ping_unanswered_ = options_.pushes;
  flush();
}

void Connection::drop(std::string why) {
  if (!over() && drop_why_.empty()) drop_why_ = std::move(why);
}

void Connection::close() noexcept {
  state_ = State::over;
  if (registered_) loop_.remove(*this);
  registered_ = false;
  stream_.close();
  pending_.clear();
  held_.clear();
}

void Connection::fail(const std::string& why) {
  if (over()) return;
  std::vector<Answer> unanswered;
  for (Pending& one : pending_) unanswered.push_back(std::move(one.answer));
  for (auto& [args, answer] : held_) unanswered.push_back(std::move(answer));
  close();
  owner_.on_lost(*this, why);
  for (const Answer& answer : unanswered) {
    if (answer) answer(Error{"away", "Redis is away: " + why, true});
  }
}

}  // namespace fluentgate::redis
