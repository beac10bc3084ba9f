// Puts what the Kafka threads know about the connection and the positions together and tells the loop every change. Thread: any.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "core/domain/ports.hpp"
#include "core/kafka/inbound.hpp"

namespace fluentgate::kafka {

class BrokerStateTeller {
 public:
  BrokerStateTeller(InboundSink& sink, Logger& log) : sink_(sink), log_(log) {}

  // Connected means: both sides.
  void consumer_connected(bool connected) noexcept;
  void producer_connected(bool connected) noexcept;
  // What the cluster has of our topics; positioned means: all topics are there and every partition known is assigned.
  void partitions_known(std::size_t known, bool all_topics) noexcept;
  void partitions_assigned(std::size_t assigned) noexcept;
  void cluster_id(std::string id) noexcept;
  // Something that the operator must put right; see KafkaTrouble.
  void trouble(const char* reason) noexcept;
  BrokerState current() const;

 private:
  template <class Change>
  void change(Change&& apply) noexcept;

  InboundSink& sink_;
  Logger& log_;
  mutable std::mutex mutex_;  // held while telling, so that changes arrive in order
  bool consumer_ = false, producer_ = false, all_topics_ = false;
  std::size_t known_ = 0, assigned_ = 0;
  BrokerState told_;
};

}  // namespace fluentgate::kafka
