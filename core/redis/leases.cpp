#include "core/redis/leases.hpp"

#include <memory>

namespace fluentgate::redis {

void Leases::acquire() {
  ++life_;
  held_ = false;
  take();
}

void Leases::lost() {
  ++life_;
  held_ = false;
}

void Leases::take() {
  if (released_ || asked_life_ == life_) return;
  asked_life_ = life_;
  link_.command({key_, {"SET", key_, "1", "PX", std::to_string(lease_ms)}}, [this, life = life_](Result<Reply> reply) {
    if (life != life_ || released_) return;
    asked_life_ = 0;
    if (!reply) {
      // Tried again by renew().
      if (reply.error().code == "redis") log_.write(LogLevel::error, "redis", "can't say that this instance lives: " + reply.error().text);
      return;
    }
    held_ = true;
    listener_.on_lease_taken();
  });
}

void Leases::renew() {
  if (!link_.connected() || released_) return;
  if (!held_) {
    take();
    return;
  }
  // XX: only if it is still there.
  link_.command({key_, {"SET", key_, "1", "XX", "PX", std::to_string(lease_ms)}}, [this, life = life_](Result<Reply> reply) {
    if (life != life_ || released_ || !reply || !reply->is_nil()) return;
    log_.write(LogLevel::warn, "redis", "this instance's lease had run out: its seats are told again");
    held_ = false;
    take();
  });
}

void Leases::release() {
  released_ = true;
  held_ = false;
  if (link_.connected()) link_.command({key_, {"DEL", key_}});
}

void Leases::look(const std::vector<std::string>& instances) {
  for (const std::string& instance : instances) {
    const std::string key = key_of(instance);
    link_.command({key, {"EXISTS", key}}, [this, life = life_, instance](Result<Reply> reply) {
      if (life == life_ && reply && reply->kind == Reply::Kind::integer && reply->integer == 0) listener_.on_instance_gone(instance);
    });
  }
}

void Leases::which_live(const std::set<std::string>& instances, std::function<void(const std::set<std::string>* live)> done) {
  struct Question {
    std::size_t open = 0;
    bool failed = false;
    std::set<std::string> live;
    std::function<void(const std::set<std::string>*)> done;
  };
  if (instances.empty()) {
    done(&instances);
    return;
  }
  const auto question = std::make_shared<Question>();
  question->open = instances.size();
  question->done = std::move(done);
  for (const std::string& instance : instances) {
    const std::string key = key_of(instance);
    link_.command({key, {"EXISTS", key}}, [question, instance](Result<Reply> reply) {
      if (!reply) {
        question->failed = true;
      } else if (reply->integer != 0) {
        question->live.insert(instance);
      }
      if (--question->open == 0) question->done(question->failed ? nullptr : &question->live);
    });
  }
}

}  // namespace fluentgate::redis
