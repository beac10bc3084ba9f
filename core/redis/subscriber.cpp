#include "core/redis/subscriber.hpp"

namespace fluentgate::redis {

void Subscriber::open() {
  told_ready_ = false;
  connection_ = std::make_unique<Connection>(loop_, options_, *this);
  connection_->open();
}

void Subscriber::forget_connection() {
  loop_.post([kept = std::shared_ptr<Connection>(std::move(connection_))] {});  // it may be calling us: it goes in a later turn
  unconfirmed_ = 0;
  told_ready_ = false;
  for (auto at = channels_.begin(); at != channels_.end();) {
    at->second.asked = 0;
    at->second.subscribed = false;
    at = at->second.wanted ? std::next(at) : channels_.erase(at);
  }
}

void Subscriber::drop() {
  if (!connection_) return;
  connection_->close();
  forget_connection();
}

void Subscriber::close() noexcept {
  if (connection_) connection_->close();
}

void Subscriber::ask(const std::string& name, Channel& channel) {
  ++channel.asked;
  ++unconfirmed_;
  connection_->send({"SUBSCRIBE", name}, {});
}

void Subscriber::subscribe(const std::string& name, std::function<void()> subscribed) {
  Channel& channel = channels_[name];
  if (channel.wanted && channel.subscribed) {
    if (subscribed) subscribed();
    return;
  }
  if (subscribed) channel.waiting.push_back(std::move(subscribed));
  if (channel.wanted) return;
  channel.wanted = true;
  if (connection_ && connection_->is_ready()) ask(name, channel);
}

void Subscriber::unsubscribe(const std::string& name) {
  const auto found = channels_.find(name);
  if (found == channels_.end() || !found->second.wanted) return;
  Channel& channel = found->second;
  channel.wanted = false;
  channel.subscribed = false;
  channel.waiting.clear();
  if (connection_ && connection_->is_ready()) connection_->send({"UNSUBSCRIBE", name}, {});
  if (channel.asked == 0) channels_.erase(found);
}

void Subscriber::on_ready(Connection&) {
  for (auto& [name, channel] : channels_) {
    if (channel.wanted) ask(name, channel);
  }
  look_whether_ready();
}

void Subscriber::look_whether_ready() {
  if (told_ready_ || unconfirmed_ != 0 || !connection_ || !connection_->is_ready()) return;
  told_ready_ = true;
  listener_.on_subscriber_ready();
}

// Of two SUBSCRIBEs with an UNSUBSCRIBE between, only the last one's confirmation counts.
void Subscriber::confirmed(const std::string& name) {
  const auto found = channels_.find(name);
  if (found == channels_.end() || found->second.asked == 0) return;
  Channel& channel = found->second;
  --unconfirmed_;
  if (--channel.asked == 0) {
    if (!channel.wanted) {
      channels_.erase(found);
    } else {
      channel.subscribed = true;
      const std::vector<std::function<void()>> waiting = std::move(channel.waiting);
      channel.waiting.clear();
      for (const std::function<void()>& one : waiting) one();
    }
  }
  look_whether_ready();
}

void Subscriber::on_push(Connection& connection, Result<Reply> reply) {
  if (!reply) {
    connection.drop("it refuses a subscription: " + reply.error().text);
    return;
  }
  if (reply->kind != Reply::Kind::array || reply->items.size() < 3) return;
  const std::string& kind = reply->items[0].text;
  const std::string& name = reply->items[1].text;
  if (kind == "message") {
    const auto found = channels_.find(name);
    if (found != channels_.end() && found->second.wanted) listener_.on_message(name, reply->items[2].text);
  } else if (kind == "subscribe") {
    confirmed(name);
  }
}

void Subscriber::on_lost(Connection&, const std::string& why) {
  forget_connection();
  listener_.on_subscriber_lost(why);
}

}  // namespace fluentgate::redis
