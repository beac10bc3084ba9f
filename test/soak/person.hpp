// A participant: a signaling socket and an audio socket, and what a well-behaved client does with them. It speaks in phrases if it is one who speaks, obeys
// going_away, comes back with a growing delay after what a client may come back from, and tells the checkers everything. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "test/soak/stage.hpp"

namespace fluentgate::soak {

class Person {
 public:
  Person(Stage& stage, int id, const PersonPlan& plan);

  void arrive();                         // and stays, until
  void depart();                         // the end
  void leave(Ms for_ms);
  void move(int instance);
  void take_over(int instance);          // opens both sockets elsewhere before the older ones end
  void listen(int language);
  void speak(int language);
  void mute(Ms for_ms);
  void quiet() { quiet_ = true; }        // says nothing any more
  void send_probe(std::uint64_t id, std::optional<int> to);
  void tick();                           // chunks_per_s times a second

  int id() const noexcept { return id_; }
  int room() const noexcept { return plan_.room; }
  bool present() const { return usable(signaling_); }
  bool settled(Ms for_ms) const;         // all sockets open for as long
  bool all_open() const { return present() && usable(audio_); }
  bool wants_in() const noexcept { return wants_in_; }

 private:
  struct Line {                          // one socket
    std::shared_ptr<WsSocket> socket;
    std::string name;
    int number = 0, instance = 0, life = 0;
    bool is_audio = false, open = false, replaced = false, over = false;
  };
  using LinePtr = std::shared_ptr<Line>;

  LinePtr open_line(bool is_audio, int instance);
  void connect(int instance);
  void opened(const LinePtr& line);
  void refused(const LinePtr& line, int status, const std::string& body);
  void closed(const LinePtr& line, int code, bool ours);
  void close_all();
  bool may_move() const;
  void come_back(int instance, Ms delay_ms, Pause::Cause cause);
  void all_there();
  void text(const LinePtr& line, std::string_view text);
  void event(const LinePtr& line, std::string_view type, std::string_view text);
  void presence_event(const LinePtr& line, std::string_view type, std::string_view text);
  void error_event(const LinePtr& line, std::string_view text);
  void binary(const LinePtr& line, std::string_view bytes);
  void going_away(const LinePtr& line, Ms retry_after_ms);
  // Open, and its end not begun: what is sent on it is sent.
  static bool usable(const LinePtr& line) { return line && line->open && line->socket->is_open(); }
  bool current(const LinePtr& line) const { return line == audio_ || line == signaling_; }
  void unlike(const LinePtr& line, const std::string& what);
  std::string languages_query() const;

  Stage& stage_;
  const int id_;
  const PersonPlan& plan_;
  std::mt19937_64 random_;
  LinePtr signaling_, audio_;
  bool wants_in_ = false, returning_ = false, quiet_ = false, muted_ = false, leaving_for_drain_ = false, taking_over_ = false;
  int target_ = 0, failures_ = 0;
  Ms open_since_ms_ = 0;
  std::optional<Ms> pause_since_ms_, drain_since_ms_;
  Pause::Cause pause_cause_ = Pause::Cause::own;
  int spoken_ = 0;
  std::vector<int> listening_;
  std::uint32_t counter_ = 0;
  bool talking_ = false;
  Ms phrase_until_ms_ = 0, mute_until_ms_ = 0;
};

}  // namespace fluentgate::soak
