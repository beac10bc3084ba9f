// Producer: the order of a room's records, whatever the broker refuses.
//
// librdkafka makes the next request while one is under way, and sends it although that one is refused. A broker that has taken something of this
// producer in the partition then refuses the next one too (OUT_OF_ORDER_SEQUENCE_NUMBER), for it knows the number that must come; one that has taken
// nothing yet takes it. So a room's first record goes alone; with its acknowledgement the lane is proven, and the others follow without waiting.
#include <algorithm>

#include "core/kafka/producer.hpp"

namespace fluentgate::kafka {
namespace {

// A broker forgets a producer that is silent in a partition for producer.id.expiration.ms, a day: long before that a lane counts as not proven, and
// goes. So there are never more of them than rooms that spoke in this time.
constexpr SteadyMs lane_kept_ms = 60000;
constexpr SteadyMs lanes_tended_every_ms = 5000;

}  // namespace

// Without idempotence a broker knows no order, and the promise is the user's, who turned it off.
bool Producer::may_give(const Lane& lane) const noexcept {
  return !holding_ && lane.waiting.empty() && (lane.proven || !idempotent_ || lane.given == 0);
}

void Producer::drain(Lane& lane) {
  while (!lane.waiting.empty() && !holding_ && !fatal_.load() && !stopping_.load() && (lane.proven || !idempotent_ || lane.given == 0)) {
    // Whatever librdkafka says: it has its number, so it waits. A client that has failed is replaced, a full queue has room later.
    if (const rd_kafka_resp_err_t error = send_kept(lane.waiting.front()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) denied_.store(true);
      stalled_ = true;
      return;
    }
    lane.waiting.pop_front();
    ++lane.given;
    ++given_;
  }
}

void Producer::drain_all() {
  stalled_ = false;
  for (auto& [room, lane] : lanes_) drain(lane);
}

void Producer::lane_settled(Lane* lane, bool acknowledged) {
  if (lane == nullptr) return;
  const std::lock_guard lock(lanes_mutex_);
  --lane->given;
  --given_;
  if (acknowledged) {
    lane->proven = true;
    lane->acked_ms = clock_.steady_ms();
  }
  drain(*lane);
}

void Producer::tend_lanes() {
  const SteadyMs now = clock_.steady_ms();
  const std::lock_guard lock(lanes_mutex_);
  if (stalled_) drain_all();
  if (now - lanes_tended_ms_ < lanes_tended_every_ms) return;
  lanes_tended_ms_ = now;
  if (!resend_.empty()) return;  // they know their lanes
  std::erase_if(lanes_, [now](const auto& entry) {
    const Lane& lane = entry.second;
    return lane.given == 0 && lane.waiting.empty() && now - lane.acked_ms >= lane_kept_ms;
  });
}

}  // namespace fluentgate::kafka
