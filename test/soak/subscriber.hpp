// A captions client: resumes with since and epoch wherever it comes back, and before what it would name has become too old. Thread: the reactor's.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "test/soak/stage.hpp"

namespace fluentgate::soak {

class Subscriber {
 public:
  Subscriber(Stage& stage, int id, const SubscriberPlan& plan);

  void arrive();
  void depart();
  void move(int instance);
  void tick();                                  // about once a second
  CaptionChecker& checker() noexcept { return checker_; }
  const SubscriberPlan& plan() const noexcept { return plan_; }
  bool is_open() const noexcept { return socket_ && open_; }
  Ms open_since_ms() const noexcept { return open_since_ms_; }

 private:
  void connect(int instance);
  void opened(int life);
  void refused(int life, int status, const std::string& body);
  void closed(int life, int code, bool ours);
  void come_back(int instance, Ms delay_ms, Pause::Cause cause);
  void text(std::string_view text);
  void caption(std::string_view text);
  std::string name() const;

  // Resumed at the latest after this, so that the position is never older than what is kept.
  static constexpr Ms position_age_max_ms = 90000;

  Stage& stage_;
  const int id_;
  const SubscriberPlan& plan_;
  CaptionChecker checker_;
  std::mt19937_64 random_;
  std::shared_ptr<WsSocket> socket_;
  bool wants_in_ = false, open_ = false, returning_ = false;
  int instance_ = 0, failures_ = 0;
  std::string since_, epoch_;
  Ms open_since_ms_ = 0;
  std::optional<Ms> pause_since_ms_, drain_since_ms_;
  Pause::Cause pause_cause_ = Pause::Cause::own;
};

}  // namespace fluentgate::soak
