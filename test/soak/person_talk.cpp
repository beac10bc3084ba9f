// What a person says and hears.
#include <algorithm>

#include "test/plugin/world.hpp"
#include "test/soak/person.hpp"

namespace fluentgate::soak {
namespace {

constexpr Ms chunk_ms = 20;

std::optional<std::vector<int>> language_list(std::string_view array) {
  std::vector<std::pair<std::size_t, int>> found;
  for (int i = 0; i < language_count; ++i) {
    const std::size_t at = array.find("\"" + std::string(languages[i]) + "\"");
    if (at != std::string_view::npos) found.emplace_back(at, i);
  }
  std::sort(found.begin(), found.end());
  std::vector<int> out;
  for (const auto& [at, language] : found) out.push_back(language);
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

void Person::text(const LinePtr& line, std::string_view text) {
  try {
    event(line, test::text_member(text, "type"), text);
  } catch (const std::exception& error) {
    unlike(line, std::string(error.what()) + " in " + std::string(text));
  }
}

void Person::event(const LinePtr& line, std::string_view type, std::string_view text) {
  if (type == "pipeline_heartbeat") return stage_.heartbeats.state(line->number, test::text_member(text, "state"));
  if (type == "going_away") return going_away(line, test::number_member(text, "retry_after_ms"));
  if (!current(line)) return;  // an older socket, that a newer one replaces
  if (type == "suppress_original" || type == "restore_original") {
    const auto speaker = person_of(test::text_member(text, "speaker_id"));
    if (!speaker) return unlike(line, "a speaker that is nobody: " + std::string(text));
    type == "suppress_original" ? stage_.audio.suppressed(id_, *speaker) : stage_.audio.restored(id_, *speaker);
  } else if (type == "existing_users" || type == "user_joined" || type == "user_left") {
    presence_event(line, type, text);
  } else if (type == "probe") {
    const auto from = person_of(test::text_member(text, "from_user_id"));
    stage_.signals.received(static_cast<std::uint64_t>(test::number_member(text, "id")), id_, from.value_or(-1));
  } else if (type == "language") {
    const auto list = language_list(test::member(text, "listening_language"));
    if (line->is_audio && list) stage_.audio.told(id_, *list);
  } else if (type == "error") {
    error_event(line, text);
  } else if (type != "listeners" && type != "skipped") {
    unlike(line, "an event that nobody asked for: " + std::string(text));
  }
}

void Person::presence_event(const LinePtr& line, std::string_view type, std::string_view text) {
  if (line->is_audio) return unlike(line, "presence on an audio socket: " + std::string(text));
  if (type != "existing_users") {
    const auto user = person_of(test::text_member(text, "user_id"));
    if (!user) return unlike(line, "a user that is nobody: " + std::string(text));
    return type == "user_joined" ? stage_.presence.user_joined(id_, *user) : stage_.presence.user_left(id_, *user);
  }
  std::vector<int> users;
  const std::string list = test::member(text, "users");
  constexpr std::string_view key = "\"user_id\":\"";
  for (std::size_t at = list.find(key); at != std::string::npos; at = list.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    const auto user = person_of(list.substr(begin, list.find('"', begin) - begin));
    if (!user) return unlike(line, "a user that is nobody: " + list);
    users.push_back(*user);
  }
  stage_.presence.existing_users(id_, users);
  stage_.audio.opened(id_, plan_.room, listening_, !plan_.split);
  if (!audio_) audio_ = open_line(true, target_);
}

void Person::error_event(const LinePtr& line, std::string_view text) {
  const std::string code = test::text_member(text, "code");
  if (code == "audio_dropped") {
    stage_.journal.detail(line->name + ": " + std::string(text));
    return stage_.chunks.dropped_told(id_, test::number_member(text, "dropped_ms"));
  }
  if (code == "unknown_peer") return stage_.signals.unknown_peer(id_);
  unlike(line, std::string(text));
}

void Person::binary(const LinePtr& line, std::string_view bytes) {
  try {
    if (!line->is_audio || !current(line)) return;
    std::string_view pcm = bytes;
    test::FramedAudio framed;
    if (plan_.framed) {
      framed = test::framed(std::string(bytes));
      pcm = framed.audio;
    }
    const auto mark = read_mark(pcm);
    if (!mark) return unlike(line, "a message of " + std::to_string(bytes.size()) + " bytes that no worker made");
    if (plan_.framed && (test::text_member(framed.header, "speaker_id") != person_name(mark->person) ||
                         test::text_member(framed.header, "language") != languages[mark->language])) {
      unlike(line, "a header that is not the audio's: " + framed.header);
    }
    if (stage_.audio.unannounced(id_, mark->person) && signaling_) signaling_->socket->drain();
    stage_.audio.frame(id_, *mark);
  } catch (const std::exception& error) {
    unlike(line, error.what());
  }
}

void Person::tick() {
  if (!plan_.speaks || quiet_ || !usable(audio_)) return;
  const Ms now = stage_.reactor.now_ms();
  if (muted_ && now >= mute_until_ms_) {
    audio_->socket->send_text(R"({"type":"unmute"})");
    muted_ = false;
  }
  if (now >= phrase_until_ms_) {
    talking_ = !talking_;
    phrase_until_ms_ = now + (talking_ ? 4000 + static_cast<Ms>(random_() % 8000) : 1000 + static_cast<Ms>(random_() % 4000));
  }
  if (!talking_) return;
  ChunkMark mark;
  mark.room = static_cast<std::uint16_t>(plan_.room);
  mark.person = static_cast<std::uint16_t>(id_);
  mark.counter = counter_++;
  mark.spoken = mark.language = static_cast<std::uint8_t>(spoken_);
  // What is said while muted must not be in the log: the checker is not told of it.
  if (!muted_) stage_.chunks.sent(id_, mark.counter, audio_->life, audio_->number, chunk_ms);
  audio_->socket->send_binary(marked_pcm(mark));
}

void Person::listen(int language) {
  if (!usable(audio_)) return;
  listening_ = {language};
  stage_.audio.asked_for(id_, listening_);
  audio_->socket->send_text(R"({"type":"set_language","listening_language":")" + std::string(languages[language]) + "\"}");
}

void Person::speak(int language) {
  if (!usable(audio_)) return;
  spoken_ = language;
  stage_.audio.speaks(id_, language);
  audio_->socket->send_text(R"({"type":"set_language","speaking_language":")" + std::string(languages[language]) + "\"}");
}

void Person::mute(Ms for_ms) {
  if (!usable(audio_) || muted_) return;
  muted_ = true;
  mute_until_ms_ = stage_.reactor.now_ms() + for_ms;
  audio_->socket->send_text(R"({"type":"mute"})");
}

void Person::send_probe(std::uint64_t id, std::optional<int> to) {
  std::string text = R"({"type":"probe","id":)" + std::to_string(id);
  if (to) text += R"(,"target_user_id":")" + person_name(*to) + "\"";
  signaling_->socket->send_text(text + "}");
}

}  // namespace fluentgate::soak
