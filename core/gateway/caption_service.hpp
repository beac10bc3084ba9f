// Captions: to subscribers as they come, and from the history to late joiners, resumed clients and WebVTT (CONTRACT 3). Thread: loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/auth/admission.hpp"
#include "core/domain/caption_history.hpp"
#include "core/domain/room.hpp"
#include "core/gateway/core.hpp"
#include "core/kafka/inbound.hpp"

namespace fluentgate::gateway {

class CaptionService {
 public:
  explicit CaptionService(Core& core);
  // Where a room's captions are, if not every instance reads every partition. Without it: anywhere.
  void scope_by(std::function<LogScope(const RoomId&)> scope_of) { scope_of_ = std::move(scope_of); }

  // The socket gets its history, then what comes. While the log is still being read back, at start or because the room's partitions were not
  // read before, the history waits for that, for at most 3 s.
  void subscribe(Room& room, const std::shared_ptr<Session>& session, const auth::CaptionQuery& query);
  void unsubscribe(const Session& session);

  void record_seen(const kafka::RecordSeen& record);
  void partition_opened(const kafka::PartitionOpened& opened);
  void partition_closed(const kafka::PartitionClosed& closed);
  void broker_state(const kafka::BrokerState& state);
  void caption(Caption caption);

  std::string webvtt(const RoomId& room) const;
  // Those whose history has been waiting for records that came: at the end of the loop's turn.
  void begin_ready();
  void tick();

 private:
  struct Subscriber {
    std::shared_ptr<Session> session;
    RoomId room;
    auth::CaptionQuery query;
    SteadyMs since_ms = 0;
    bool live = false;
  };
  struct Utterance {
    std::string id;
    std::int64_t revision = 0;
  };
  LogScope scope_of(const RoomId& room) const { return scope_of_ ? scope_of_(room) : LogScope(); }
  bool log_read_back(const LogScope& scope) const;
  void begin(Subscriber& subscriber);
  bool passes(const Subscriber& subscriber, const Caption& caption, std::span<const LanguageTag> produced) const;
  CaptionHistory::Wanted wanted(const Subscriber& subscriber, UnixMs now) const;
  void complete(Caption& caption, const Room* room);
  std::string rendered(const Caption& caption, bool replay) const;
  std::string epoch() const;

  Core& core_;
  std::function<LogScope(const RoomId&)> scope_of_;
  CaptionHistory history_;
  LogWindow window_;
  std::unordered_map<std::uint64_t, Subscriber> subscribers_;                                     // by session id
  std::unordered_map<RoomId, std::vector<std::uint64_t>, IdHash, IdEqual> by_room_;
  std::unordered_map<std::string, std::vector<Utterance>> utterances_;                            // by room, speaker, type, language; newest last
  kafka::BrokerState broker_;
  std::vector<std::uint64_t> waiting_;  // subscribers that are not live yet; some may be gone
  SteadyMs trim_due_ms_ = 0;
};

}  // namespace fluentgate::gateway
