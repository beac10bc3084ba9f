// Everything of one gateway that its sockets act on: rooms, services, tokens. One object, made by Gateway::start. Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "core/auth/admission.hpp"
#include "core/domain/latency.hpp"
#include "core/domain/room.hpp"
#include "core/gateway/caption_service.hpp"
#include "core/gateway/cluster_service.hpp"
#include "core/gateway/core.hpp"
#include "core/gateway/pipeline_health.hpp"
#include "core/gateway/playback.hpp"
#include "core/gateway/presence_service.hpp"
#include "core/gateway/speech_uploads.hpp"
#include "core/gateway/suppression_service.hpp"

namespace fluentgate::gateway {

// What a socket needs of its place: who it belongs to and where. Valid from join() to leave().
struct Seat {
  std::shared_ptr<Room> room;
  std::shared_ptr<Participant> participant;
  std::shared_ptr<Session> session;
};

class AudioTimers;  // sockets.hpp

class Hub final : public SpeechUploads::Listener {
 public:
  Hub(Core& core, ChunkPublisher& publisher, std::shared_ptr<const auth::TokenVerifier> verifier);

  // attendance.cpp: sockets come and go.
  Seat join(auth::Admitted admitted, Transport& transport);
  // The socket of an audio seat: what it holds back is published before a newer one takes its place.
  void audio_socket(const Session& session, std::weak_ptr<AudioTimers> socket) { audio_sockets_[session.id()] = std::move(socket); }
  void leave(Seat& seat);
  std::size_t session_count() const noexcept { return sessions_; }
  // The limit that one more socket would exceed (CONTRACT 1, 429 and 503). A replacement is no additional one.
  std::optional<auth::LimitReached> over_limit(const RoomId& room, const UserId& user, Endpoint endpoint) const;

  // What is held back of an audio socket that a newer one replaces is published.
  void flush_replaced(const Room& room, const UserId& user);
  // Elsewhere the user said that it speaks this.
  void spoken_told(Room& room, const UserId& user, const LanguageTag& tag);

  // control.cpp: what every control socket understands.
  void set_language(Seat& seat, const wire::SetLanguage& message);
  void set_speaking(Seat& seat, const LanguageTag& tag);
  void refresh(Seat& seat, const wire::Refresh& message);
  // The participant's languages as another socket of it set them.
  void take_languages(Room& room, Participant& participant, Hearing hearing, const std::optional<std::string>& speaking);
  void tell_language(Participant& participant);
  void take_expiry(Participant& participant, std::optional<std::int64_t> exp_s);
  static void close_all(Participant& participant, CloseCode code);
  void heartbeat(const std::shared_ptr<Session>& session);
  // Tokens that end or are about to.
  void check_tokens(UnixMs now);

  // speech.cpp: from a socket to the uploads, and what comes back of it.
  void publish(Seat& seat, Encoding encoding, int sample_rate, Bytes audio, UnixMs ingest_ms, std::int64_t duration_us);
  void voiced(Seat& seat);
  void played(Seat& seat, const wire::Played& message);
  void before_publish(AudioChunk& chunk) override;
  void chunk_published(const AudioChunk& chunk) override;
  std::string spoken_in(const AudioChunk& chunk) override;
  void chunk_acknowledged(const std::string& spoken, std::int64_t ack_us) override { core.metrics.chunk_acknowledged(spoken, ack_us); }
  void chunk_dropped(std::int64_t duration_us) override { core.metrics.audio_dropped("buffer_full", duration_us); }
  void chunk_refused(const std::string& error, std::int64_t duration_us) override;
  void audio_dropped(const RoomId& room, const UserId& user, const SpeechUploads::Dropped& dropped) override;
  void numbers_owned(NumberKeeper::Way way, std::int64_t waited_ms) override { core.metrics.numbers_owned(NumberKeeper::name_of(way), waited_ms); }
  void numbers_conflict(const RoomId& room, const UserId& user, const std::string& text) override;
  void caption_arrived(Caption caption);

  // Calls `visit(session)` for every open socket.
  template <class Visit>
  void each_session(Visit&& visit) {
    for (auto& [id, room] : core.rooms.rooms()) {
      for (auto& [user, participant] : room->participants()) {
        if (participant->audio) visit(participant->audio);
        if (participant->signaling) visit(participant->signaling);
        for (auto& session : participant->captions) visit(session);
      }
    }
  }

  Core& core;
  std::shared_ptr<const auth::TokenVerifier> verifier;
  LatencyTracker latency;
  SuppressionService suppression;
  Playback playback;
  CaptionService captions;
  PresenceService presence;
  SpeechUploads uploads;
  PipelineHealth health;
  std::optional<ClusterService> cluster;  // where Redis joins instances

 private:
  std::shared_ptr<Participant> participant_for(Room& room, const auth::Admitted& admitted);
  void seat_audio(Room& room, Participant& participant, const std::shared_ptr<Session>& session);
  void seat_signaling(Room& room, Participant& participant, const std::shared_ptr<Session>& session);
  void release_room(Room& room);
  void change_hearing(Room& room, Participant& participant, Hearing hearing);
  void speaking_changed(Room& room, Participant& participant);
  void tell_languages_elsewhere(Room& room, Participant& participant);
  void learn_spoken(Room& room, const UserId& user, const LanguageTag& spoken);

  std::uint64_t next_session_ = 1;
  std::size_t sessions_ = 0;
  std::unordered_map<UserId, std::size_t, IdHash, IdEqual> sessions_by_user_;
  std::unordered_map<std::uint64_t, std::weak_ptr<AudioTimers>> audio_sockets_;  // by session
};

}  // namespace fluentgate::gateway
