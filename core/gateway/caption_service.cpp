#include "core/gateway/caption_service.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/domain/hearing.hpp"
#include "core/wire/server_event.hpp"
#include "core/wire/webvtt.hpp"
#include "core/wire/ws_frame.hpp"

namespace fluentgate::gateway {

namespace {
constexpr SteadyMs read_back_wait_ms = 3000;
constexpr SteadyMs trim_every_ms = 5000;
constexpr std::size_t utterances_max = 50000;          // speakers, types and languages; beyond: revisions begin anew
constexpr std::size_t utterances_per_speaker_max = 4;  // of the same type and language, under way at once
}  // namespace

CaptionService::CaptionService(Core& core)
    : core_(core), history_({core.settings.captions.history, core.settings.captions.history_ms}) {}

// A short fingerprint of the cluster's id and the topics' names: positions mean something in that log only. Empty while the cluster is unknown.
std::string CaptionService::epoch() const {
  if (broker_.cluster_id.empty()) return {};
  const auto& kafka = core_.settings.kafka;
  std::uint64_t hash = 14695981039346656037ull;  // FNV-1a, 64 bit
  for (const std::string* part : {&broker_.cluster_id, &kafka.topic_text_original, &kafka.topic_text_translated}) {
    for (const char c : *part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    hash = (hash ^ 0xff) * 1099511628211ull;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

bool CaptionService::log_read_back(const LogScope& scope) const { return broker_.positioned && window_.caught_up(scope); }

void CaptionService::partition_opened(const kafka::PartitionOpened& opened) {
  if (opened.topic == 0) return;  // synthesized audio has no history
  window_.opened({opened.topic, opened.partition}, opened.offset, opened.end);
}

void CaptionService::partition_closed(const kafka::PartitionClosed& closed) { window_.closed({closed.topic, closed.partition}); }

void CaptionService::record_seen(const kafka::RecordSeen& record) {
  window_.seen(record.position);
}

void CaptionService::broker_state(const kafka::BrokerState& state) {
  broker_ = state;
  tick();
}

void CaptionService::subscribe(Room& room, const std::shared_ptr<Session>& session, const auth::CaptionQuery& query) {
  auto& subscriber = subscribers_[session->id()];
  subscriber = Subscriber{session, room.id(), query, core_.clock.steady_ms(), false};
  by_room_[room.id()].push_back(session->id());
  if (log_read_back(scope_of(subscriber.room))) begin(subscriber);
  else waiting_.push_back(session->id());
}

void CaptionService::unsubscribe(const Session& session) {
  const auto it = subscribers_.find(session.id());
  if (it == subscribers_.end()) return;
  const auto room = by_room_.find(it->second.room);
  if (room != by_room_.end()) {
    std::erase(room->second, session.id());
    if (room->second.empty()) by_room_.erase(room);
  }
  subscribers_.erase(it);
}

bool CaptionService::passes(const Subscriber& subscriber, const Caption& caption, std::span<const LanguageTag> produced) const {
  if (subscriber.query.type && *subscriber.query.type != caption.type) return false;
  if (!subscriber.query.lang_given) return true;
  const auto best = best_match(subscriber.query.lang, produced);
  return best && produced[*best] == caption.language;
}

// What of the history passes this subscriber's filters; the languages produced are those of each speaker in the whole of it.
CaptionHistory::Wanted CaptionService::wanted(const Subscriber& subscriber, UnixMs now) const {
  auto produced = std::make_shared<std::map<UserId, LanguageList>>();
  if (subscriber.query.lang_given) {
    for (const auto& entry : history_.last(subscriber.room, core_.settings.captions.history, now)) {
      auto& tags = (*produced)[entry->speaker];
      if (std::find(tags.begin(), tags.end(), entry->language) == tags.end()) tags.push_back(entry->language);
    }
  }
  return [this, &subscriber, produced](const Caption& caption) { return passes(subscriber, caption, (*produced)[caption.speaker]); };
}

void CaptionService::begin(Subscriber& subscriber) {
  subscriber.live = true;
  const UnixMs now = core_.clock.unix_ms();
  const std::string epoch_now = epoch();
  const LogScope scope = scope_of(subscriber.room);
  const auto passing = wanted(subscriber, now);
  std::optional<bool> recovered;
  std::optional<std::vector<CaptionHistory::Entry>> entries;
  if (subscriber.query.since) {
    const auto cursor = LogCursor::decode(*subscriber.query.since);
    if (cursor && !epoch_now.empty() && subscriber.query.epoch == epoch_now && window_.verifies(*cursor, scope)) {
      entries = history_.since(subscriber.room, *cursor, now);
      if (entries) std::erase_if(*entries, [&](const auto& entry) { return !passing(*entry); });
    }
    recovered = entries.has_value();
    core_.metrics.caption_resume(*recovered);
  }
  if (!entries) {
    const std::size_t count = std::min(subscriber.query.history.value_or(core_.settings.captions.history), core_.settings.captions.history);
    entries = count == 0 ? std::vector<CaptionHistory::Entry>{} : history_.last(subscriber.room, count, now, passing);
  }
  // In one buffer: a history larger than the outbox is no reason to close whoever asked for it.
  auto joined = std::make_shared<Bytes>();
  for (const auto& entry : *entries) wire::append_text_frame(*joined, rendered(*entry, true));
  // Never empty: a client resumes with what it was given, and an empty epoch would be none.
  const std::string_view epoch_told = epoch_now.empty() ? std::string_view("-") : std::string_view(epoch_now);
  wire::append_text_frame(*joined, wire::history_end_event(entries->size(), epoch_told, window_.cursor(scope).encode(), recovered));
  subscriber.session->send(joined);
}

// What the worker left out and the gateway knows: utterance, revision, the speaker's name.
void CaptionService::complete(Caption& caption, const Room* room) {
  caption.utterance_id = wire::utterance_id_of(caption);
  if (room != nullptr) {
    if (const auto speaker = room->find(caption.speaker); speaker && !speaker->display_name.empty()) {
      caption.speaker_name = speaker->display_name;
    } else if (const PeerSeat* elsewhere = room->peers().languages(caption.speaker); elsewhere != nullptr && !elsewhere->display_name.empty()) {
      caption.speaker_name = elsewhere->display_name;
    }
  }
  if (caption.revision) return;
  std::string key = caption.room.value + '\0' + caption.speaker.value + '\0';
  key.append(name_of(caption.type)).append(1, '\0').append(caption.language.key());
  if (utterances_.size() >= utterances_max) utterances_.clear();
  auto& recent = utterances_[key];  // two may be under way at once
  const auto known = std::find_if(recent.begin(), recent.end(), [&](const Utterance& one) { return one.id == caption.utterance_id; });
  if (!caption.utterance_id) {
    caption.revision = 0;
  } else if (known != recent.end()) {
    caption.revision = ++known->revision;
  } else {
    if (recent.size() >= utterances_per_speaker_max) recent.erase(recent.begin());
    recent.push_back({*caption.utterance_id, 0});
    caption.revision = 0;
  }
}

std::string CaptionService::rendered(const Caption& caption, bool replay) const {
  return wire::caption_event(caption, caption.speaker_name, caption.revision, replay, core_.settings.captions.legacy_members);
}

void CaptionService::caption(Caption caption) {
  Room* room = core_.rooms.find(caption.room.value);
  complete(caption, room);
  const UnixMs now = core_.clock.unix_ms();
  const auto entry = std::make_shared<const Caption>(std::move(caption));
  history_.add(entry, now);
  if (room == nullptr || entry->replayed) return;

  Speaker& speaker = room->speaker(entry->speaker);
  speaker.captioned.note(entry->language, core_.clock.steady_ms());
  const auto subscribers = by_room_.find(entry->room);
  if (subscribers == by_room_.end()) return;
  const auto produced = speaker.captioned.current(core_.clock.steady_ms());
  SharedBytes message;
  std::uint64_t delivered = 0;
  for (const std::uint64_t id : subscribers->second) {
    const Subscriber& subscriber = subscribers_.at(id);
    if (!subscriber.live || !passes(subscriber, *entry, produced)) continue;
    if (!message) message = text_message(rendered(*entry, false));
    subscriber.session->send(message);
    ++delivered;
  }
  core_.metrics.captions_delivered(name_of(entry->type), delivered);
}

std::string CaptionService::webvtt(const RoomId& room) const {
  const auto finals = history_.last(room, core_.settings.captions.history, core_.clock.unix_ms());
  return wire::webvtt(finals, [&](const UserId& user) -> std::optional<std::string> {
    for (const auto& caption : finals) {
      if (caption->speaker == user && caption->speaker_name) return caption->speaker_name;
    }
    return std::nullopt;
  });
}

void CaptionService::begin_ready() {
  if (waiting_.empty()) return;
  const SteadyMs now = core_.clock.steady_ms();
  std::erase_if(waiting_, [&](std::uint64_t id) {
    const auto at = subscribers_.find(id);
    if (at == subscribers_.end()) return true;
    Subscriber& subscriber = at->second;
    if (now - subscriber.since_ms < read_back_wait_ms && !log_read_back(scope_of(subscriber.room))) return false;
    begin(subscriber);
    return true;
  });
}

void CaptionService::tick() {
  begin_ready();
  const SteadyMs now = core_.clock.steady_ms();
  if (now >= trim_due_ms_) {
    trim_due_ms_ = now + trim_every_ms;
    history_.trim(core_.clock.unix_ms());
    core_.metrics.caption_history(history_.bytes(), history_.rooms());
  }
}

}  // namespace fluentgate::gateway
