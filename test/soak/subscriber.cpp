#include "test/soak/subscriber.hpp"

#include <algorithm>

#include "test/plugin/world.hpp"

namespace fluentgate::soak {
namespace {

constexpr Ms backoff_first_ms = 250, backoff_max_ms = 4000;

std::string percent_encoded(const std::string& text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.';
    if (plain) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

Subscriber::Subscriber(Stage& stage, int id, const SubscriberPlan& plan)
    : stage_(stage), id_(id), plan_(plan), checker_(stage.journal, name(), plan.kind, plan.language), random_(plan.seed), instance_(plan.instance) {}

std::string Subscriber::name() const { return "subscriber " + std::to_string(id_) + " of " + room_name(plan_.room); }

void Subscriber::arrive() {
  wants_in_ = true;
  connect(instance_);
}

void Subscriber::depart() {
  wants_in_ = false;
  if (socket_) socket_->close();
}

void Subscriber::connect(int instance) {
  if (!wants_in_ || socket_) return;
  returning_ = false;
  instance_ = stage_.instances.pick(instance);
  const int life = stage_.instances.life(instance_);
  std::string query = since_.empty() ? "?history=0" : "?since=" + percent_encoded(since_) + "&epoch=" + percent_encoded(epoch_);
  switch (plan_.kind) {
    case SubscriberPlan::Kind::all: break;
    case SubscriberPlan::Kind::originals: query += "&type=original"; break;
    case SubscriberPlan::Kind::translations: query += "&type=translated"; break;
    case SubscriberPlan::Kind::one_language: query += "&lang=" + std::string(languages[plan_.language]); break;
  }
  test::TokenClaims claims;
  claims.user = "reader-" + std::to_string(id_);
  claims.room = room_name(plan_.room);
  claims.expires_s = 7 * 86400;
  WsSocket::Events events;
  events.opened = [this, life] { opened(life); };
  events.refused = [this, life](int status, const std::string& body) { refused(life, status, body); };
  events.closed = [this, life](int code, bool ours) { closed(life, code, ours); };
  events.text = [this](std::string_view text) { this->text(text); };
  events.binary = [this](std::string_view) { stage_.journal.violation(protocol_invariant, name() + ": a binary message"); };
  socket_ = WsSocket::open(stage_.reactor, stage_.instances.port(instance_), "/ws/captions/" + claims.room + query,
                           {{"Authorization", "Bearer " + test::make_token(claims)}}, std::move(events));
}

void Subscriber::opened(int life) {
  open_ = true;
  failures_ = 0;
  stage_.instances.socket_opened(life);
  stage_.journal.detail(name() + " open on instance " + std::to_string(instance_));
  checker_.opened(!since_.empty());
  const Ms now = stage_.reactor.now_ms();
  open_since_ms_ = now;
  if (pause_since_ms_) stage_.pauses.push_back({pause_cause_, now - *pause_since_ms_, drain_since_ms_ ? now - *drain_since_ms_ : 0});
  pause_since_ms_.reset();
  drain_since_ms_.reset();
}

void Subscriber::refused(int life, int status, const std::string& body) {
  socket_.reset();
  if (!wants_in_) return;
  if (status != 0) stage_.sockets.refused(name(), status, body, stage_.instances.life_state(life));
  const Ms longest = std::min(backoff_max_ms, backoff_first_ms << std::min(failures_, 5));
  ++failures_;
  returning_ = false;
  come_back(instance_ + 1, longest / 2 + static_cast<Ms>(random_() % static_cast<std::uint64_t>(longest / 2 + 1)), Pause::Cause::lost);
}

void Subscriber::closed(int life, int code, bool ours) {
  open_ = false;
  socket_.reset();
  stage_.instances.socket_closed(life);
  stage_.sockets.closed(name(), code, ours, stage_.instances.life_state(life), false);
  stage_.journal.detail(name() + " closed with " + std::to_string(code) + (ours ? ", ours" : ""));
  if (!returning_) come_back(instance_ + 1, static_cast<Ms>(random_() % static_cast<std::uint64_t>(backoff_first_ms)), Pause::Cause::lost);
}

void Subscriber::come_back(int instance, Ms delay_ms, Pause::Cause cause) {
  if (returning_ || !wants_in_) return;
  returning_ = true;
  if (!pause_since_ms_) {
    pause_since_ms_ = stage_.reactor.now_ms();
    pause_cause_ = cause;
  }
  if (socket_) socket_->close();
  stage_.reactor.after(delay_ms, [this, instance] {
    if (!wants_in_) return;
    if (socket_) {  // the server has not answered yet
      returning_ = false;
      come_back(instance, 50, pause_cause_);
      return;
    }
    connect(instance);
  });
}

void Subscriber::move(int instance) {
  if (!is_open() || returning_) return;
  come_back(instance, 0, Pause::Cause::own);
}

void Subscriber::tick() {
  if (is_open() && stage_.reactor.now_ms() > open_since_ms_ + position_age_max_ms) move(instance_);
}

void Subscriber::text(std::string_view text) {
  try {
    const std::string event = test::text_member(text, "event");
    if (event == "caption") return caption(text);
    if (event == "history_end") {
      const bool told = test::has_member(text, "recovered");
      checker_.history_end(told ? std::optional<bool>(test::member(text, "recovered") == "true") : std::nullopt);
      since_ = test::text_member(text, "offset");
      epoch_ = test::text_member(text, "epoch");
    } else if (event == "going_away") {
      if (!drain_since_ms_) drain_since_ms_ = stage_.reactor.now_ms();
      stage_.reactor.after(test::number_member(text, "retry_after_ms"), [this, of = socket_] {
        if (socket_ == of) come_back(instance_ + 1, 0, Pause::Cause::drain);
      });
    } else {
      stage_.journal.violation(protocol_invariant, name() + ": " + std::string(text));
    }
  } catch (const std::exception& error) {
    stage_.journal.violation(protocol_invariant, name() + ": " + error.what());
  }
}

void Subscriber::caption(std::string_view text) {
  const auto mark = read_caption(test::text_member(text, "text"));
  const auto language = language_index(test::text_member(text, "language"));
  if (!mark || !language) return stage_.journal.violation(protocol_invariant, name() + ": a caption that no worker made: " + std::string(text));
  CaptionSeen seen;
  seen.translated = test::text_member(text, "type") == "translated";
  seen.language = *language;
  seen.final = test::member(text, "is_final") == "true";
  if (seen.final != mark->final) stage_.journal.violation(protocol_invariant, name() + ": is_final is not what it was: " + std::string(text));
  seen.replay = test::has_member(text, "replay");
  seen.index = mark->mark.index;
  seen.language_index = mark->mark.language_index;
  checker_.caption(seen);
}

}  // namespace fluentgate::soak
