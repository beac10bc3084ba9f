// See crowd.hpp.
#include "tools/bench/crowd.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/auth/token_signer.hpp"

namespace fluentgate::bench {
namespace {

constexpr std::size_t opening_at_once = 64;      // a listen backlog is not what is measured
constexpr std::size_t read_bytes = 256u << 10;
constexpr int events_max = 512;
constexpr std::int64_t connect_ns_max = 60'000'000'000;
constexpr std::int64_t token_s = 24 * 3600;

// Names here need no escapes.
std::string claims_of(const std::string& user, const std::string& room, const std::string& speaks, const std::string& listens) {
  return R"({"sub":")" + user + R"(","room_id":")" + room + R"(","speaking_language":")" + speaks + R"(","listening_language":")" + listens +
         R"(","exp":)" + std::to_string(unix_ms() / 1000 + token_s) + "}";
}

}  // namespace

Crowd::Crowd(const Load& load, const GatewayUrl& gateway, std::uint32_t run)
    : load_(load), gateway_(gateway), run_(run), buffer_(read_bytes), chunk_(static_cast<std::size_t>(load.chunk_bytes)) {
  const std::size_t listeners = static_cast<std::size_t>(load.rooms * load.listeners), speakers = static_cast<std::size_t>(load.rooms * load.speakers);
  ears_.resize(listeners);
  for (std::size_t i = 0; i < listeners; ++i) {
    const std::size_t room = i / static_cast<std::size_t>(load.listeners);
    ears_[i].stream = static_cast<std::uint32_t>(room * load.languages.size() + i % static_cast<std::size_t>(load.listeners) % load.languages.size());
  }
  said_.resize(speakers);
  sockets_.resize(listeners + speakers + static_cast<std::size_t>(load.idle));
}

Crowd::~Crowd() {
  if (epoll_ >= 0) ::close(epoll_);
}

Result<std::string> Crowd::target_of(std::size_t index) const {
  std::string room, user, speaks = "en", listens = "en";
  if (index < ears_.size()) {
    room = room_name(run_, static_cast<int>(ears_[index].stream / load_.languages.size()));
    user = "listener-" + std::to_string(index);
    listens = load_.languages[ears_[index].stream % load_.languages.size()];
    speaks = listens;
  } else if (index < ears_.size() + said_.size()) {
    const int speaker = static_cast<int>(index - ears_.size());
    room = room_name(run_, speaker / load_.speakers);
    user = speaker_name(speaker);
  } else {
    const int idle = static_cast<int>(index - ears_.size() - said_.size());
    room = "bench-idle-" + std::to_string(run_) + "-" + std::to_string(idle / load_.idle_per_room);
    user = "idle-" + std::to_string(idle);
  }
  const Result<std::string> token = auth::sign_token(auth::Algorithm::hs256, {load_.secret, {}}, claims_of(user, room, speaks, listens));
  if (!token) return token.error();
  return gateway_.prefix + "/audio/" + room + "?token=" + *token;
}

Status Crowd::connect() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return Error{"epoll", "epoll_create1 failed"};
  const std::int64_t end_ns = monotonic_ns() + connect_ns_max + static_cast<std::int64_t>(sockets_.size()) * 1'000'000;
  std::size_t begun = 0;
  while (open_ < sockets_.size()) {
    for (; begun < sockets_.size() && begun - open_ < opening_at_once; ++begun) {
      const Result<std::string> target = target_of(begun);
      if (!target) return Error{"token", target.error().text};
      if (Status opened = sockets_[begun].open(gateway_, *target, epoll_, static_cast<std::uint32_t>(begun)); !opened) return opened;
    }
    turn(10);
    if (lost_ > 0) return Error{"closed", first_loss_};
    if (monotonic_ns() > end_ns) return Error{"closed", "only " + std::to_string(open_) + " of " + std::to_string(sockets_.size()) + " sockets opened in time"};
  }
  return ok();
}

void Crowd::turn(int timeout_ms) {
  epoll_event events[events_max];
  const int count = ::epoll_wait(epoll_, events, events_max, timeout_ms);
  for (int i = 0; i < count; ++i) {
    current_ = events[i].data.u32;
    WebSocket& socket = sockets_[current_];
    const WebSocket::State before = socket.state();
    if (before == WebSocket::State::closed) continue;
    const Status served = socket.on_ready(events[i].events, buffer_, *this);
    if (!served && lost_++ == 0) first_loss_ = served.error().text;
    if (before == WebSocket::State::connecting && socket.state() == WebSocket::State::open) ++open_;
  }
}

void Crowd::speak(std::int64_t start_ns, std::int64_t stop_ns) {
  speak_start_ns_ = start_ns;
  speak_stop_ns_ = stop_ns;
}

// The speakers take turns, evenly over the period: turn k is due at start + k * period / speakers.
void Crowd::send_due(std::int64_t now_ns) {
  const double gap_ns = 1e9 / (load_.rate * static_cast<double>(said_.size()));
  for (;;) {
    const std::int64_t due_ns = speak_start_ns_ + static_cast<std::int64_t>(static_cast<double>(turn_) * gap_ns);
    if (due_ns > now_ns || due_ns >= speak_stop_ns_) return;
    const std::size_t speaker = static_cast<std::size_t>(turn_) % said_.size();
    ++turn_;
    put_mark(chunk_, {run_, static_cast<std::uint32_t>(speaker), said_[speaker], monotonic_ns()});
    const Status sent = sockets_[ears_.size() + speaker].send_binary(chunk_);
    if (sent) {
      ++said_[speaker];
    } else {
      ++unsent_;
      if (first_loss_.empty()) first_loss_ = sent.error().text;
    }
    if (measuring_) send_delay_.add((now_ns - due_ns) / 1000);
  }
}

void Crowd::run_until(std::int64_t end_ns, const std::function<bool()>& enough) {
  for (;;) {
    const std::int64_t now_ns = monotonic_ns();
    if (now_ns >= end_ns || (enough && enough())) return;
    const bool speaking = !said_.empty() && now_ns < speak_stop_ns_;
    if (speaking && now_ns >= speak_start_ns_) send_due(now_ns);
    turn(speaking ? 1 : static_cast<int>(std::min<std::int64_t>(20, (end_ns - now_ns) / 1'000'000 + 1)));
  }
}

void Crowd::on_binary(std::span<const std::uint8_t> message) {
  if (current_ >= ears_.size()) {
    ++heard_.misrouted;  // speakers and idle sockets listen in a language that nobody synthesizes
    return;
  }
  Ear& ear = ears_[current_];
  const auto mark = mark_of(message, run_);
  if (!mark || mark->stream != ear.stream) {
    ++heard_.misrouted;
    return;
  }
  if (message.size() != static_cast<std::size_t>(load_.frame_bytes)) ++heard_.corrupt;
  ++heard_.frames;
  heard_.bytes += static_cast<std::int64_t>(message.size());
  if (mark->sequence < ear.next) {
    ++heard_.out_of_place;
    return;
  }
  heard_.missing += mark->sequence - ear.next;
  ear.next = mark->sequence + 1;
  if (measuring_) latency_.add((monotonic_ns() - mark->handed_over_ns) / 1000);
}

void Crowd::on_text(std::string_view message) {
  if (message.find(R"("type":"skipped")") != std::string_view::npos) ++heard_.skipped_events;
  if (message.find(R"("type":"error")") != std::string_view::npos) ++heard_.error_events;
}

std::vector<std::int64_t> Crowd::heard_by_all() const {
  std::vector<std::int64_t> out(static_cast<std::size_t>(load_.streams()), -1);
  for (const Ear& ear : ears_) {
    std::int64_t& least = out[ear.stream];
    least = least < 0 ? ear.next : std::min(least, ear.next);
  }
  return out;
}

std::vector<std::int64_t> Crowd::ears_per_stream() const {
  std::vector<std::int64_t> out(static_cast<std::size_t>(load_.streams()));
  for (const Ear& ear : ears_) ++out[ear.stream];
  return out;
}

}  // namespace fluentgate::bench
