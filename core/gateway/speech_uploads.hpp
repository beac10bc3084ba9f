// Speech on its way to audio.raw: one waiting line per speaker, numbered when it is handed to the producer, kept while Kafka is away
// (CONTRACT 2 and 4). It outlives the speaker's socket: what was accepted is published. Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/config/settings.hpp"
#include "core/domain/chunk_buffer.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/media.hpp"
#include "core/domain/ports.hpp"
#include "core/domain/number_keeper.hpp"
#include "core/kafka/inbound.hpp"

namespace fluentgate::gateway {

class SpeechUploads final : private NumberKeeper::Listener {
 public:
  // Why audio never reached Kafka: it waited for longer than the bounds allow, or Kafka (or its client) refused it.
  struct Dropped {
    std::int64_t waited_us = 0;
    std::int64_t refused_us = 0;
    std::int64_t us() const noexcept { return waited_us + refused_us; }
  };
  class Listener {
   public:
    virtual ~Listener() = default;
    // A chunk is about to be handed over, maybe long after it was pushed: what it says of the room is brought up to date.
    virtual void before_publish(AudioChunk& chunk) = 0;
    virtual void chunk_published(const AudioChunk& chunk) = 0;
    // The language that a chunk's acknowledgement is measured under, asked when it has been handed over; empty: unknown.
    virtual std::string spoken_in(const AudioChunk& chunk) = 0;
    virtual void chunk_acknowledged(const std::string& spoken, std::int64_t ack_us) = 0;
    // Dropped before it had a number: Kafka was away for too long.
    virtual void chunk_dropped(std::int64_t duration_us) = 0;
    // Kafka will never have it; `error` is librdkafka's name of the reason.
    virtual void chunk_refused(const std::string& error, std::int64_t duration_us) = 0;
    // To be told to the speaker: of both kinds, at most once a second, with the sums since the last time; together at least 1 ms.
    virtual void audio_dropped(const RoomId& room, const UserId& user, const Dropped& dropped) = 0;
    // With several instances: a speaker's numbering came here, that long after its first chunk; two instances numbered the same speaker.
    virtual void numbers_owned(NumberKeeper::Way way, std::int64_t waited_ms) = 0;
    virtual void numbers_conflict(const RoomId& room, const UserId& user, const std::string& text) = 0;
  };

  SpeechUploads(const config::Settings& settings, const Clock& clock, ChunkPublisher& publisher, Listener& listener);

  // Other instances number the same speakers: before the first chunk. Both outlive this; `instance`: our name.
  void join(NumberAuthority& authority, LogTail& tail, std::string instance) { numbers_.join(authority, tail, std::move(instance)); }

  void push(AudioChunk chunk);
  void settled(const kafka::ChunkSettled& message);
  void recovered(const kafka::SpeakerRecovered& message);
  void recovery_done();
  void numbers(const NumberNews& news);
  void numbers(const TailRead& read);
  // At the end, when what could be is settled: other instances go on where this one stopped, without reading the log.
  void release_numbers() { numbers_.release_all(); }
  // Tells drops that are due, tries again what the producer refused, forgets what is silent. Call it several times a second.
  void tick();

  // Whether chunks, or another instance, wait for an acknowledgement: delivery reports should wake the loop then.
  bool waiting() const noexcept { return budget_.bytes > 0 || numbers_.releasing(); }
  // Nothing waits, nothing is on its way.
  bool settled() const noexcept { return budget_.bytes == 0 && inflight_.empty(); }
  std::int64_t waiting_us() const noexcept;
  std::size_t waiting_bytes() const noexcept { return budget_.bytes; }
  bool numbers_known() const noexcept { return numbers_.recovery_is_done(); }

 private:
  struct Upload {
    RoomId room;
    UserId user;
    ChunkBuffer buffer;
    Dropped dropped;  // not told yet
    SteadyMs told_ms = -1000000;
    SteadyMs pushed_ms = 0;
    SteadyMs waits_since_ms = 0;  // of the first that waits
    Upload(RoomId r, UserId u, BufferBudget& budget, std::int64_t buffer_ms, std::int64_t inflight_ms)
        : room(std::move(r)), user(std::move(u)), buffer(budget, buffer_ms, inflight_ms) {}
  };
  struct Inflight {
    std::shared_ptr<Upload> upload;
    std::int64_t number;
    std::int64_t duration_us;
    std::string spoken;
  };
  void hand_over(const std::shared_ptr<Upload>& upload);
  void tell_drops(Upload& upload, SteadyMs now);
  std::shared_ptr<Upload> find(const RoomId& room, const UserId& user) const;

  // NumberKeeper::Listener
  void number_known(const RoomId& room, const UserId& user) override;
  void number_wanted(const RoomId& room, const UserId& user) override { number_known(room, user); }
  std::size_t chunks_waiting(const RoomId& room, const UserId& user) const override;
  void number_owned(NumberKeeper::Way way, std::int64_t waited_ms) override { listener_.numbers_owned(way, waited_ms); }
  void number_conflict(const RoomId& room, const UserId& user, const std::string& text) override { listener_.numbers_conflict(room, user, text); }

  const config::Settings& settings_;
  const Clock& clock_;
  ChunkPublisher& publisher_;
  Listener& listener_;
  BufferBudget budget_;
  NumberKeeper numbers_;
  std::unordered_map<std::string, std::shared_ptr<Upload>> uploads_;  // by room, NUL, user
  std::unordered_map<std::uint64_t, Inflight> inflight_;
  std::uint64_t next_token_ = 1;
};

}  // namespace fluentgate::gateway
