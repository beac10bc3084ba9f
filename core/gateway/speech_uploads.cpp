#include "core/gateway/speech_uploads.hpp"

namespace fluentgate::gateway {

namespace {
constexpr SteadyMs told_every_ms = 1000;
constexpr SteadyMs number_asked_ms = 1000;  // an instance that lives has answered by then
constexpr std::size_t split_bytes_min = 1600;  // PCM that is too large for a message is published in halves, down to this
constexpr SteadyMs gap_kept_ms = 60000;  // for a speaker that is silent after a drop
std::string key_of(const RoomId& room, const UserId& user) { return room.value + '\0' + user.value; }

// Cuts PCM in the middle; returns the second half.
AudioChunk split(AudioChunk& chunk) {
  AudioChunk rest = chunk;
  const std::size_t bytes = chunk.audio.size();
  const std::size_t middle = bytes / 4 * 2;
  rest.audio.erase(rest.audio.begin(), rest.audio.begin() + static_cast<std::ptrdiff_t>(middle));
  rest.gap_ms = 0;  // the first tells it
  rest.duration_us = chunk.duration_us * static_cast<std::int64_t>(rest.audio.size()) / static_cast<std::int64_t>(bytes);
  chunk.audio.resize(middle);
  chunk.duration_us -= rest.duration_us;
  return rest;
}
}  // namespace

SpeechUploads::SpeechUploads(const config::Settings& settings, const Clock& clock, ChunkPublisher& publisher, Listener& listener)
    : settings_(settings), clock_(clock), publisher_(publisher), listener_(listener),
      budget_{0, settings.kafka.buffer_bytes}, numbers_(settings.audio.sequence_lookback_ms, clock, *this) {}

void SpeechUploads::push(AudioChunk chunk) {
  auto& upload = uploads_[key_of(chunk.room, chunk.user)];
  if (!upload) {
    upload = std::make_shared<Upload>(chunk.room, chunk.user, budget_, settings_.kafka.buffer_ms, settings_.kafka.inflight_ms);
  }
  upload->pushed_ms = clock_.steady_ms();
  numbers_.awake(upload->pushed_ms);
  if (upload->buffer.empty()) upload->waits_since_ms = upload->pushed_ms;
  // One message may be longer than kafka.buffer_ms: while its number is being asked for, that is no reason to drop it.
  const bool asks = upload->pushed_ms - upload->waits_since_ms < number_asked_ms && !numbers_.next(chunk.room, chunk.user);
  if (const std::int64_t dropped_us = upload->buffer.push(std::move(chunk), !asks); dropped_us > 0) {
    upload->dropped.waited_us += dropped_us;
    listener_.chunk_dropped(dropped_us);
  }
  hand_over(upload);
  if (upload->dropped.us() > 0) tell_drops(*upload, clock_.steady_ms());
}

void SpeechUploads::hand_over(const std::shared_ptr<Upload>& upload) {
  while (const AudioChunk* next = upload->buffer.peek()) {
    const auto number = numbers_.next(next->room, next->user);
    if (!number) break;  // it is told by number_known() or recovery_done()
    AudioChunk chunk = upload->buffer.take();
    chunk.sequence_number = *number;
    listener_.before_publish(chunk);
    const std::uint64_t token = next_token_++;
    const std::int64_t duration_us = chunk.duration_us;
    const Status taken = publisher_.publish(chunk, token);
    if (!taken) {
      if (taken.error().retriable) {
        upload->buffer.put_back(std::move(chunk));
        break;
      }
      if (taken.error().code == "too_large" && chunk.encoding == Encoding::linear16 && chunk.audio.size() >= 2 * split_bytes_min) {
        AudioChunk rest = split(chunk);
        upload->buffer.put_back(std::move(rest));
        upload->buffer.put_back(std::move(chunk));
        continue;
      }
      // Refused for good (larger than the broker allows, say): it never had a place in the log, so its number is still free.
      upload->buffer.settled(duration_us);
      upload->buffer.lost(duration_us + chunk.gap_ms * 1000);
      upload->dropped.refused_us += duration_us;
      listener_.chunk_refused(taken.error().code, duration_us);
      continue;
    }
    numbers_.used(chunk.room, chunk.user);
    inflight_.emplace(token, Inflight{upload, *number, duration_us, listener_.spoken_in(chunk)});
    listener_.chunk_published(chunk);
  }
  if (numbers_.releasing()) numbers_.try_release(upload->room, upload->user, upload->buffer.empty());
}

void SpeechUploads::settled(const kafka::ChunkSettled& message) {
  const auto it = inflight_.find(message.token);
  if (it == inflight_.end()) return;
  numbers_.awake(clock_.steady_ms());
  const Inflight inflight = std::move(it->second);
  inflight_.erase(it);
  if (message.ok) {
    listener_.chunk_acknowledged(inflight.spoken, message.ack_us);
    if (message.lost_us > 0) listener_.chunk_refused("MSG_SIZE_TOO_LARGE", message.lost_us);
  } else {
    listener_.chunk_refused(message.error, inflight.duration_us);
  }
  const std::shared_ptr<Upload>& upload = inflight.upload;
  numbers_.settled(upload->room, upload->user, inflight.number, message.ok ? message.partition : -1, message.offset, message.ack_us);
  upload->buffer.settled(inflight.duration_us);
  const std::int64_t lost_us = message.ok ? message.lost_us : inflight.duration_us;
  upload->dropped.refused_us += lost_us;
  if (lost_us > 0) upload->buffer.lost(lost_us);
  hand_over(upload);
}

void SpeechUploads::recovered(const kafka::SpeakerRecovered& message) {
  numbers_.recovered(message.room, message.user, message.sequence_number, clock_.steady_ms());
}

void SpeechUploads::recovery_done() {
  numbers_.recovery_done();
  for (auto& [key, upload] : uploads_) hand_over(upload);
}

void SpeechUploads::numbers(const NumberNews& news) {
  numbers_.awake(clock_.steady_ms());
  numbers_.take(news);
}

void SpeechUploads::numbers(const TailRead& read) {
  numbers_.awake(clock_.steady_ms());
  numbers_.take(read);
}

std::shared_ptr<SpeechUploads::Upload> SpeechUploads::find(const RoomId& room, const UserId& user) const {
  const auto found = uploads_.find(key_of(room, user));
  return found == uploads_.end() ? nullptr : found->second;
}

void SpeechUploads::number_known(const RoomId& room, const UserId& user) {
  if (const auto upload = find(room, user)) hand_over(upload);
  else numbers_.try_release(room, user, true);
}

std::size_t SpeechUploads::chunks_waiting(const RoomId& room, const UserId& user) const {
  const auto upload = find(room, user);
  return upload ? upload->buffer.size() : 0;
}

void SpeechUploads::tell_drops(Upload& upload, SteadyMs now) {
  if (upload.dropped.us() < 1000 || now - upload.told_ms < told_every_ms) return;
  const Dropped told = upload.dropped;
  // What is less than a millisecond stays for the next time.
  upload.dropped = {};
  (told.refused_us > 0 ? upload.dropped.refused_us : upload.dropped.waited_us) = told.us() % 1000;
  upload.told_ms = now;
  listener_.audio_dropped(upload.room, upload.user, told);
}

void SpeechUploads::tick() {
  const SteadyMs now = clock_.steady_ms();
  numbers_.awake(now);
  numbers_.tick();
  for (auto it = uploads_.begin(); it != uploads_.end();) {
    const std::shared_ptr<Upload>& upload = it->second;
    hand_over(upload);
    tell_drops(*upload, now);
    const bool done = upload->buffer.empty() && upload->buffer.inflight_us() == 0 && upload->dropped.us() < 1000 &&
                      (upload->buffer.untold_us() < 1000 || now - upload->pushed_ms >= gap_kept_ms);
    it = done ? uploads_.erase(it) : std::next(it);
  }
}

std::int64_t SpeechUploads::waiting_us() const noexcept {
  std::int64_t total_us = 0;
  for (const auto& [key, upload] : uploads_) total_us += upload->buffer.waiting_us();
  return total_us;
}

}  // namespace fluentgate::gateway
