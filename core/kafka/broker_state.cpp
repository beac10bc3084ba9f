// One state out of several threads' views.
#include "core/kafka/broker_state.hpp"

#include <utility>

namespace fluentgate::kafka {

template <class Change>
void BrokerStateTeller::change(Change&& apply) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    BrokerState next = told_;
    apply(next);
    next.connected = consumer_ && producer_;
    next.positioned = all_topics_ && known_ > 0 && assigned_ >= known_;
    if (next.connected == told_.connected && next.positioned == told_.positioned && next.cluster_id == told_.cluster_id) return;
    if (next.connected != told_.connected) {
      if (next.connected) log_.write(LogLevel::info, "kafka", "connected");
      else log_.write(LogLevel::warn, "kafka", "no broker connection; audio waits, sockets stay up");
    }
    if (next.positioned != told_.positioned && next.positioned)
      log_.write(LogLevel::info, "kafka", "positions known in " + std::to_string(known_) + " partitions");
    told_ = next;
    std::vector<Inbound> batch;
    batch.emplace_back(std::move(next));
    sink_.deliver(std::move(batch));
  } catch (...) {  // out of memory: the next change tells it
  }
}

void BrokerStateTeller::consumer_connected(bool connected) noexcept {
  change([&](BrokerState&) { consumer_ = connected; });
}
void BrokerStateTeller::producer_connected(bool connected) noexcept {
  change([&](BrokerState&) { producer_ = connected; });
}
void BrokerStateTeller::partitions_known(std::size_t known, bool all_topics) noexcept {
  change([&](BrokerState&) { known_ = known; all_topics_ = all_topics; });
}
void BrokerStateTeller::partitions_assigned(std::size_t assigned) noexcept {
  change([&](BrokerState&) { assigned_ = assigned; });
}
void BrokerStateTeller::cluster_id(std::string id) noexcept {
  change([&](BrokerState& next) { next.cluster_id = std::move(id); });
}

void BrokerStateTeller::trouble(const char* reason) noexcept {
  try {
    std::vector<Inbound> batch;
    batch.emplace_back(KafkaTrouble{reason});
    sink_.deliver_quietly(std::move(batch));
  } catch (...) {  // out of memory: the log has it
  }
}

BrokerState BrokerStateTeller::current() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

}  // namespace fluentgate::kafka
