// The sockets of a person: opening, losing, coming back. What it says and hears is in person_talk.cpp.
#include "test/soak/person.hpp"

#include <algorithm>
#include <utility>

#include "test/support/host_process.hpp"

namespace fluentgate::soak {
namespace {

constexpr Ms backoff_first_ms = 250, backoff_max_ms = 4000;
constexpr Ms replaced_within_ms = 6000;
constexpr Ms alone_settled_ms = 4000;
constexpr std::int64_t token_s = 7 * 86400;

}  // namespace

Person::Person(Stage& stage, int id, const PersonPlan& plan)
    : stage_(stage), id_(id), plan_(plan), random_(plan.seed), target_(plan.instance), spoken_(plan.spoken), listening_(plan.listening) {}

std::string Person::languages_query() const {
  std::string list;
  for (const int language : listening_) list += (list.empty() ? "" : ",") + std::string(languages[language]);
  return "?lang=" + list + "&speak=" + std::string(languages[spoken_]);
}

Person::LinePtr Person::open_line(bool is_audio, int instance) {
  const auto line = std::make_shared<Line>();
  line->is_audio = is_audio;
  line->instance = instance;
  line->life = stage_.instances.life(instance);
  line->number = stage_.next_socket++;
  line->name = person_name(id_) + (is_audio ? " audio" : " signaling") + " on instance " + std::to_string(instance);
  test::TokenClaims claims;
  claims.user = person_name(id_);
  claims.room = room_name(plan_.room);
  claims.name = person_name(id_);
  claims.expires_s = token_s;
  WsSocket::Headers headers{{"Authorization", "Bearer " + test::make_token(claims)}};
  if (is_audio && plan_.framed) headers.emplace_back("Sec-WebSocket-Protocol", "fluentgate.audio.v1");
  WsSocket::Events events;
  events.opened = [this, line] { opened(line); };
  events.refused = [this, line](int status, const std::string& body) { refused(line, status, body); };
  events.closed = [this, line](int code, bool ours) { closed(line, code, ours); };
  events.text = [this, line](std::string_view text) { this->text(line, text); };
  events.binary = [this, line](std::string_view bytes) { binary(line, bytes); };
  line->socket = WsSocket::open(stage_.reactor, stage_.instances.port(instance),
                                "/ws/" + std::string(is_audio ? "audio/" : "signaling/") + claims.room + languages_query(), headers, std::move(events));
  return line;
}

void Person::arrive() {
  wants_in_ = true;
  connect(target_);
}

void Person::depart() {
  wants_in_ = false;
  close_all();
}

// Signaling first: what is told about the audio goes there.
void Person::connect(int instance) {
  if (!wants_in_ || signaling_ || audio_) return;
  returning_ = false;
  target_ = stage_.instances.pick(instance);
  const int other = stage_.instances.pick(target_ + 1);
  signaling_ = open_line(false, plan_.split ? other : target_);
}

void Person::opened(const LinePtr& line) {
  line->open = true;
  stage_.instances.socket_opened(line->life);
  stage_.heartbeats.opened(line->number);
  stage_.journal.detail(line->name + " open");
  if (!current(line)) return;
  stage_.signals.disturbed(id_);
  if (!line->is_audio) {
    if (taking_over_) {
      stage_.presence.replaced(id_);
    } else {
      stage_.presence.opened(plan_.room, id_);
    }
    return;
  }
  muted_ = false;
  stage_.audio.speaks(id_, spoken_);
  all_there();
}

void Person::all_there() {
  failures_ = 0;
  taking_over_ = false;
  const Ms now = stage_.reactor.now_ms();
  open_since_ms_ = now;
  if (pause_since_ms_) {
    Pause pause{pause_cause_, now - *pause_since_ms_, drain_since_ms_ ? now - *drain_since_ms_ : 0};
    stage_.pauses.push_back(pause);
  }
  pause_since_ms_.reset();
  drain_since_ms_.reset();
  leaving_for_drain_ = false;
}

void Person::refused(const LinePtr& line, int status, const std::string& body) {
  line->over = true;
  if (wants_in_ && status != 0) stage_.sockets.refused(line->name, status, body, stage_.instances.life_state(line->life));
  if (!current(line)) return;
  (line->is_audio ? audio_ : signaling_).reset();
  taking_over_ = false;
  const Ms longest = std::min(backoff_max_ms, backoff_first_ms << std::min(failures_, 5));
  ++failures_;
  come_back(line->instance + 1, longest / 2 + static_cast<Ms>(random_() % static_cast<std::uint64_t>(longest / 2 + 1)), Pause::Cause::lost);
}

void Person::closed(const LinePtr& line, int code, bool ours) {
  line->open = false;
  line->over = true;
  const Life life = stage_.instances.life_state(line->life);
  stage_.instances.socket_closed(line->life);
  stage_.heartbeats.closed(line->number);
  stage_.sockets.closed(line->name, code, ours, life, line->replaced);
  stage_.journal.detail(line->name + " closed with " + std::to_string(code) + (ours ? ", ours" : ""));
  if (line->is_audio) stage_.chunks.session_ended(line->number, ours);
  if (!current(line)) return;
  stage_.signals.disturbed(id_);
  if (!line->is_audio) stage_.presence.ended(plan_.room, id_, life == Life::killed);
  (line->is_audio ? audio_ : signaling_).reset();
  if (returning_ || !wants_in_) return;
  const Ms jitter = static_cast<Ms>(random_() % static_cast<std::uint64_t>(backoff_first_ms));
  come_back(line->instance + 1, jitter, leaving_for_drain_ ? Pause::Cause::drain : Pause::Cause::lost);
}

void Person::close_all() {
  if (signaling_ && signaling_->open) stage_.presence.ending(id_);
  for (const LinePtr& line : {audio_, signaling_}) {
    if (line && !line->over) line->socket->close();
  }
}

// All sockets end first, so that what was said on the older one is read before the newer one speaks.
void Person::come_back(int instance, Ms delay_ms, Pause::Cause cause) {
  if (returning_ || !wants_in_) return;
  returning_ = true;
  taking_over_ = false;
  if (!pause_since_ms_) {
    pause_since_ms_ = stage_.reactor.now_ms();
    pause_cause_ = cause;
  }
  close_all();
  stage_.reactor.after(delay_ms, [this, instance] {
    if (!wants_in_) return;
    if (signaling_ || audio_) {  // the server has not answered yet
      returning_ = false;
      come_back(instance, 50, pause_cause_);
      return;
    }
    connect(instance);
  });
}

// While Redis is away, who speaks on two instances within about a second can be numbered by both (docs/decisions/0006): that is a limit, not a fault.
bool Person::may_move() const {
  return wants_in_ && !returning_ && !taking_over_ && !stage_.nobody_moves && (!stage_.redis_away || settled(alone_settled_ms));
}

void Person::leave(Ms for_ms) {
  if (!may_move()) return;
  come_back(target_, for_ms, Pause::Cause::own);
  pause_since_ms_.reset();  // wanted
}

void Person::move(int instance) {
  if (!may_move() || !all_open()) return;
  come_back(instance == target_ ? instance + 1 : instance, 0, Pause::Cause::own);
}

void Person::take_over(int instance) {
  if (!settled(3000) || returning_ || taking_over_ || !stage_.replacing) return;
  stage_.journal.detail(person_name(id_) + " takes over");
  taking_over_ = true;
  const LinePtr older_audio = audio_, older_signaling = signaling_;
  older_audio->replaced = older_signaling->replaced = true;
  stage_.chunks.session_ended(older_audio->number, false);
  target_ = stage_.instances.pick(instance);
  audio_.reset();
  signaling_ = open_line(false, plan_.split ? stage_.instances.pick(target_ + 1) : target_);
  const Ms asked = stage_.reactor.now_ms();
  stage_.reactor.after(replaced_within_ms, [this, older_audio, older_signaling, asked] {
    for (const LinePtr& line : {older_audio, older_signaling}) {
      if (line->over) continue;
      const bool newer_open = settled(replaced_within_ms - 2000);
      if (stage_.calm && newer_open) {
        stage_.journal.violation(SocketChecker::stay, line->name + " is still open, though a newer one of the same user was opened at " + clock_text(asked));
      }
      line->socket->close();
    }
  });
}

void Person::going_away(const LinePtr& line, Ms retry_after_ms) {
  if (!current(line) || leaving_for_drain_) return;
  leaving_for_drain_ = true;
  const Ms now = stage_.reactor.now_ms();
  if (!drain_since_ms_) drain_since_ms_ = now;
  stage_.reactor.after(retry_after_ms, [this, line] {
    if (!current(line) || returning_) return;
    come_back(line->instance + 1, 0, Pause::Cause::drain);
  });
}

bool Person::settled(Ms for_ms) const { return all_open() && !leaving_for_drain_ && stage_.reactor.now_ms() >= open_since_ms_ + for_ms; }

void Person::unlike(const LinePtr& line, const std::string& what) { stage_.journal.violation(protocol_invariant, line->name + ": " + what); }

}  // namespace fluentgate::soak
