// One socket's writing: at once or later, in order, joined, within its bounds, and never late.
#include "core/domain/session.hpp"

#include <memory>
#include <string>
#include <vector>

#include "core/domain/limits.hpp"
#include "core/wire/ws_frame.hpp"
#include "test/support/check.hpp"
#include "test/support/fake_clock.hpp"
#include "test/support/fake_transport.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

using Mode = FakeTransport::Mode;

struct Skip {
  std::uint32_t speaker;
  std::int64_t audio_ms;
  SkipReason reason;
};

class Trace final : public DeliveryTrace {
 public:
  void written(SteadyUs now) noexcept override { times.push_back(now); }
  std::vector<SteadyUs> times;
};

struct Socket {
  explicit Socket(FakeClock& clock, Endpoint endpoint = Endpoint::audio, SessionBounds given = {100, 10000, 3000, 10})
      : bounds(given), session(std::make_shared<Session>(1, endpoint, false, transport, bounds, clock)) {}

  void text(const std::string& payload) { session->send(wire::text_frame(payload)); }
  // One frame of audio for each payload, joined in one buffer.
  void audio(const std::vector<std::string>& payloads, UnixMs made_ms = 0) {
    auto joined = std::make_shared<Bytes>();
    std::vector<Session::FrameSlice> slices;
    for (const auto& payload : payloads) {
      const auto begin = static_cast<std::uint32_t>(joined->size());
      wire::append_frame(*joined, wire::Opcode::binary, wire::bytes_of(payload));
      slices.push_back({begin, static_cast<std::uint32_t>(joined->size()), 7, 20, made_ms, &trace});
    }
    session->send_audio(joined, slices, handler());
  }
  void pump() { session->pump(handler()); }
  // The loop says that there is room.
  void drained() {
    transport.mode = Mode::ready;
    pump();
  }
  Session::SkippedHandler handler() {
    return [this](Session&, std::uint32_t speaker, std::int64_t audio_ms, SkipReason reason) { skips.push_back({speaker, audio_ms, reason}); };
  }
  std::string received() {
    std::string out;
    for (const auto& message : transport.take()) out += message.payload + " ";
    return out;
  }

  FakeTransport transport;
  SessionBounds bounds;
  std::shared_ptr<Session> session;
  std::vector<Skip> skips;
  std::shared_ptr<Trace> counted = std::make_shared<Trace>();
  std::shared_ptr<DeliveryTrace> trace = counted;
};

}  // namespace

TEST(session_writes_at_once_while_there_is_room) {
  FakeClock clock;
  Socket socket(clock);
  socket.text("a");
  socket.audio({"b"});
  CHECK_EQ(socket.received(), "a b ");
  CHECK(socket.session->flushed());
  CHECK_EQ(socket.transport.wanted, 0);
  CHECK_EQ(socket.counted->times.size(), 1u);
}

TEST(session_keeps_the_order_behind_a_backlog) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::backlogs;
  socket.text("a");
  CHECK_EQ(socket.transport.wanted, 1);  // asked for as soon as the transport keeps something back
  socket.audio({"b"});
  socket.text("c");
  CHECK_EQ(socket.received(), "a ");
  CHECK_EQ(socket.counted->times.size(), 0u);
  socket.drained();
  CHECK_EQ(socket.received(), "b c ");
  CHECK_EQ(socket.counted->times.size(), 1u);
}

TEST(session_asks_again_when_the_room_was_not_enough) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  socket.text("a");
  socket.text("b");
  CHECK_EQ(socket.transport.wanted, 1);
  socket.transport.mode = Mode::backlogs;
  socket.pump();
  CHECK_EQ(socket.received(), "a ");
  CHECK_EQ(socket.transport.wanted, 2);
}

TEST(session_writes_frames_that_lie_side_by_side_in_one_go) {
  FakeClock clock;
  Socket socket(clock);
  socket.audio({"a", "b", "c"});
  CHECK_EQ(socket.transport.writes.size(), 1u);
  socket.transport.mode = Mode::full;
  socket.audio({"d", "e"});
  socket.drained();
  CHECK_EQ(socket.transport.writes.size(), 2u);
  CHECK_EQ(socket.received(), "a b c d e ");
}

TEST(session_writes_around_a_frame_that_is_left_out) {
  FakeClock clock;
  Socket socket(clock);
  auto joined = std::make_shared<Bytes>();
  std::vector<Session::FrameSlice> slices;
  for (const char* payload : {"a", "b", "c"}) {
    const auto begin = static_cast<std::uint32_t>(joined->size());
    wire::append_frame(*joined, wire::Opcode::binary, wire::bytes_of(payload));
    if (*payload != 'b') slices.push_back({begin, static_cast<std::uint32_t>(joined->size()), 1, 20, 0, nullptr});
  }
  socket.session->send_audio(joined, slices, socket.handler());
  CHECK_EQ(socket.received(), "a c ");
}

TEST(session_skips_the_oldest_frames_over_its_bound) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  const std::string forty(38, 'x');  // 40 bytes with the header
  socket.audio({"1" + forty.substr(1)});
  socket.audio({"2" + forty.substr(1)});
  socket.audio({"3" + forty.substr(1)});
  CHECK_EQ(socket.skips.size(), 1u);
  CHECK_EQ(socket.skips[0].speaker, 7u);
  CHECK_EQ(socket.skips[0].audio_ms, 20);
  CHECK(socket.skips[0].reason == SkipReason::slow);
  socket.drained();
  CHECK_EQ(socket.received().front(), '2');
}

TEST(session_never_refuses_one_large_message) {
  FakeClock clock;
  Socket audio(clock), signaling(clock, Endpoint::signaling);
  audio.transport.mode = signaling.transport.mode = Mode::full;
  audio.audio({std::string(5000, 'a')});
  signaling.text(std::string(5000, 'b'));
  CHECK(audio.skips.empty());
  CHECK(!signaling.transport.closed);
  audio.drained();
  signaling.drained();
  CHECK_EQ(audio.received().size(), 5001u);
  CHECK_EQ(signaling.received().size(), 5001u);
}

TEST(session_of_text_over_its_bound_is_too_slow) {
  for (const Endpoint endpoint : {Endpoint::signaling, Endpoint::captions}) {
    FakeClock clock;
    Socket socket(clock, endpoint);
    socket.transport.mode = Mode::full;
    socket.text(std::string(60, 'a'));
    CHECK(!socket.transport.closed);
    socket.text(std::string(60, 'b'));
    CHECK(socket.transport.closed == CloseCode::too_slow);
    CHECK(!socket.session->open());
  }
}

TEST(session_of_audio_bounds_text_that_is_never_read) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  socket.text(std::string(60, 'a'));
  CHECK(!socket.transport.closed);
  socket.text(std::string(60, 'b'));
  CHECK(socket.transport.closed == CloseCode::too_slow);
}

TEST(session_tells_of_every_frame_that_text_pushes_out) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  socket.audio({std::string(38, '1')});
  socket.audio({std::string(38, '2')});
  socket.text(std::string(38, 't'));
  socket.audio({std::string(38, '3')});
  socket.drained();
  const auto audio_messages = [&] {
    std::size_t count = 0;
    for (const auto& message : socket.transport.take()) count += message.opcode == 2 ? 1u : 0u;
    return count;
  }();
  CHECK_EQ(audio_messages + socket.skips.size(), 3u);
}

TEST(session_is_too_slow_after_being_over_without_a_break) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  const auto overfill = [&] {
    for (int i = 0; i < 4; ++i) socket.audio({std::string(38, 'x')});
  };
  overfill();
  clock.advance(9999);
  CHECK(!socket.session->too_slow(clock.steady_ms()));
  clock.advance(1);
  CHECK(socket.session->too_slow(clock.steady_ms()));
  socket.drained();
  CHECK(!socket.session->too_slow(clock.steady_ms()));
  socket.transport.mode = Mode::full;
  overfill();
  clock.advance(9999);
  CHECK(!socket.session->too_slow(clock.steady_ms()));
}

TEST(session_that_is_empty_again_is_not_slow_even_if_all_was_stale) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  for (int i = 0; i < 4; ++i) socket.audio({std::string(38, 'x')}, clock.unix_ms());
  clock.advance(4000);
  socket.drained();  // everything is older than max_age_ms
  CHECK(socket.session->flushed());
  CHECK_EQ(socket.received(), "");
  clock.advance(10000);
  CHECK(!socket.session->too_slow(clock.steady_ms()));
}

TEST(session_skips_what_became_stale_while_it_waited) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::full;
  socket.audio({"old"}, clock.unix_ms());
  clock.advance(2000);
  socket.audio({"new"}, clock.unix_ms());
  clock.advance(1001);
  socket.drained();
  CHECK_EQ(socket.received(), "new ");
  CHECK_EQ(socket.skips.size(), 1u);
  CHECK(socket.skips[0].reason == SkipReason::stale);
}

TEST(session_looks_at_the_age_of_every_frame_of_a_joined_run) {
  FakeClock clock;
  Socket socket(clock);
  auto joined = std::make_shared<Bytes>();
  std::vector<Session::FrameSlice> slices;
  const UnixMs old = clock.unix_ms() - 2500;
  for (const auto& [payload, made_ms] : {std::pair<const char*, UnixMs>{"a", clock.unix_ms()}, {"b", old}, {"c", clock.unix_ms()}}) {
    const auto begin = static_cast<std::uint32_t>(joined->size());
    wire::append_frame(*joined, wire::Opcode::binary, wire::bytes_of(payload));
    slices.push_back({begin, static_cast<std::uint32_t>(joined->size()), 1, 20, made_ms, nullptr});
  }
  socket.transport.mode = Mode::full;
  socket.session->send_audio(joined, slices, socket.handler());
  clock.advance(1000);
  socket.drained();
  CHECK_EQ(socket.received(), "a c ");
  CHECK_EQ(socket.skips.size(), 1u);
}

TEST(session_holds_audio_until_the_other_socket_has_written) {
  FakeClock clock;
  Socket audio(clock), signaling(clock, Endpoint::signaling);
  signaling.transport.mode = Mode::full;
  signaling.text("suppress");
  audio.session->hold_audio_for(signaling.session);
  audio.audio({"speech"});
  audio.pump();
  CHECK_EQ(audio.received(), "");
  signaling.transport.mode = Mode::backlogs;  // the event is handed over now, but waits in the transport
  signaling.pump();
  audio.pump();
  CHECK_EQ(audio.received(), "");
  signaling.drained();
  audio.pump();
  CHECK_EQ(signaling.received(), "suppress ");
  CHECK_EQ(audio.received(), "speech ");
}

TEST(session_is_not_held_by_what_the_other_socket_is_given_later) {
  FakeClock clock;
  Socket audio(clock), signaling(clock, Endpoint::signaling);
  signaling.transport.mode = Mode::full;
  signaling.text("suppress");
  audio.session->hold_audio_for(signaling.session);
  signaling.text("later");
  audio.audio({"speech"});
  signaling.transport.mode = Mode::ready;
  signaling.pump();
  audio.pump();
  CHECK_EQ(audio.received(), "speech ");
}

TEST(session_is_not_held_by_a_socket_that_is_gone) {
  FakeClock clock;
  Socket audio(clock), signaling(clock, Endpoint::signaling);
  signaling.transport.mode = Mode::full;
  signaling.text("suppress");
  audio.session->hold_audio_for(signaling.session);
  audio.audio({"speech"});
  signaling.session->detach();
  audio.pump();
  CHECK_EQ(audio.received(), "speech ");
}

TEST(session_pings_after_silence_and_gives_up_after_more_of_it) {
  FakeClock clock;
  Socket socket(clock, Endpoint::signaling);
  Bytes bytes;
  wire::append_ping_frame(bytes);
  const auto ping = std::make_shared<const Bytes>(bytes);
  clock.advance(limits::ping_after_ms - 1);
  CHECK(socket.session->check_alive(clock.steady_ms(), ping));
  CHECK(socket.transport.take().empty());
  clock.advance(1);
  CHECK(socket.session->check_alive(clock.steady_ms(), ping));
  CHECK_EQ(socket.transport.take().at(0).opcode, 9);
  clock.advance(limits::pong_within_ms - 1);
  CHECK(socket.session->check_alive(clock.steady_ms(), ping));
  CHECK(socket.transport.take().empty());  // one ping, not one a turn
  clock.advance(1);
  CHECK(!socket.session->check_alive(clock.steady_ms(), ping));
}

TEST(session_that_hears_from_its_peer_lives_on) {
  FakeClock clock;
  Socket socket(clock, Endpoint::signaling);
  const auto ping = wire::text_frame("p");
  clock.advance(limits::ping_after_ms);
  CHECK(socket.session->check_alive(clock.steady_ms(), ping));
  clock.advance(1000);
  socket.session->activity(clock.steady_ms());
  clock.advance(limits::ping_after_ms - 1);
  CHECK(socket.session->check_alive(clock.steady_ms(), ping));
  CHECK_EQ(socket.transport.take().size(), 1u);
}

TEST(session_of_a_dead_transport_takes_nothing_more) {
  FakeClock clock;
  Socket socket(clock);
  socket.transport.mode = Mode::dead;
  socket.audio({"a"});
  CHECK(!socket.session->open());
  socket.text("b");
  CHECK(socket.session->flushed());
  CHECK_EQ(socket.counted->times.size(), 0u);
}

TEST(session_closes_once_with_the_first_code) {
  FakeClock clock;
  Socket socket(clock);
  socket.session->close(CloseCode::replaced);
  socket.session->close(CloseCode::too_slow);
  CHECK(socket.transport.closed == CloseCode::replaced);
  socket.text("late");
  CHECK_EQ(socket.received(), "");
}
