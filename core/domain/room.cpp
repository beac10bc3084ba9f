#include "core/domain/room.hpp"

#include <algorithm>

#include "core/domain/limits.hpp"

namespace fluentgate {

std::shared_ptr<Participant> Room::find(const UserId& user) const {
  const auto it = participants_.find(user);
  return it == participants_.end() ? nullptr : it->second;
}

void Room::add_listener(Participant& participant) {
  Session& session = *participant.audio;
  auto it = std::find_if(groups_.begin(), groups_.end(), [&](const ListenerGroup& g) { return g.hearing == participant.hearing; });
  if (it == groups_.end()) it = groups_.insert(groups_.end(), ListenerGroup{participant.hearing, {}});
  session.group_index = static_cast<std::size_t>(it - groups_.begin());
  session.index_in_group = it->members.size();
  it->members.push_back({&session, &participant});
  if (!participant.hearing.listening.empty()) {
    const LanguageTag& tag = participant.hearing.listening.front();
    if (first_spelled_.size() >= limits::room_spellings_max) first_spelled_.clear();
    first_spelled_.try_emplace(tag.key(), tag);
  }
  demand_changed();
}

void Room::remove_listener(Participant& participant) {
  Session& session = *participant.audio;
  if (session.group_index == Session::npos) return;
  auto& members = groups_[session.group_index].members;
  members[session.index_in_group] = members.back();
  members[session.index_in_group].session->index_in_group = session.index_in_group;
  members.pop_back();
  if (members.empty()) {
    const std::size_t gone = session.group_index;
    if (gone + 1 != groups_.size()) {
      groups_[gone] = std::move(groups_.back());
      for (const auto& member : groups_[gone].members) member.session->group_index = gone;
    }
    groups_.pop_back();
  }
  session.group_index = session.index_in_group = Session::npos;
  demand_changed();
}

LanguageList Room::listened() const {
  LanguageList all;
  for (const auto& group : groups_) {
    for (const auto& tag : group.hearing.listening) {
      if (std::find(all.begin(), all.end(), tag) == all.end()) all.push_back(tag);
    }
  }
  return all;
}

std::vector<Room::Demand> Room::demand_for(const UserId& user, const std::optional<LanguageTag>& spoken) const {
  std::map<std::string, Demand> by_key;
  const auto count = [&](const Hearing& hearing) {
    if (hearing.listening.empty() || hearing.understands_speech_in(spoken)) return;
    const LanguageTag& tag = hearing.listening.front();
    const auto first = first_spelled_.find(tag.key());
    by_key.try_emplace(tag.key(), Demand{first == first_spelled_.end() ? tag : first->second, 0}).first->second.count += 1;
  };
  for (const auto& [id, participant] : participants_) {
    if (id != user && participant->audio) count(participant->hearing);
  }
  for (const auto& [id, seats] : peers_.users()) {
    if (id == user) continue;
    const auto here = participants_.find(id);
    if (here != participants_.end() && here->second->audio) continue;  // counted above: a socket is about to be replaced
    if (const PeerSeat* seat = peers_.audio(id)) count(seat->hearing);
  }
  std::vector<Demand> out;
  for (auto& [key, demand] : by_key) out.push_back(std::move(demand));
  std::sort(out.begin(), out.end(), [](const Demand& a, const Demand& b) { return a.language.spelling() < b.language.spelling(); });
  return out;
}

const std::string& Room::wanted_from(Speaker& speaker) {
  if (speaker.wanted_version != demand_version_) {
    LanguageList tags;
    for (auto& demand : demand_for(speaker.user, speaker.spoken)) tags.push_back(std::move(demand.language));
    speaker.wanted = join(tags);
    speaker.wanted_version = demand_version_;
  }
  return speaker.wanted;
}

Speaker& Room::speaker(const UserId& user) {
  auto it = speakers_.find(user);
  if (it == speakers_.end()) {
    auto made = by_number_.size() < limits::room_speakers_max ? nullptr : take_oldest_speaker();
    const auto number = made ? made->number : static_cast<std::uint32_t>(by_number_.size());
    made = std::make_unique<Speaker>(Speaker{.user = user,
                                             .number = number,
                                             .produced = ProducedLanguages(language_timeout_ms_),
                                             .captioned = ProducedLanguages(language_timeout_ms_)});
    if (number == by_number_.size()) by_number_.push_back(nullptr);
    by_number_[number] = made.get();
    it = speakers_.emplace(user, std::move(made)).first;
  }
  it->second->used = ++speaker_uses_;
  return *it->second;
}

// Nothing if all are participants.
std::unique_ptr<Speaker> Room::take_oldest_speaker() {
  const Speaker* oldest = nullptr;
  for (const Speaker* speaker : by_number_) {
    if ((oldest == nullptr || speaker->used < oldest->used) && participants_.find(speaker->user) == participants_.end()) oldest = speaker;
  }
  if (oldest == nullptr) return nullptr;
  for (auto& [id, participant] : participants_) {
    if (oldest->number < participant->suppression.size()) participant->suppression[oldest->number] = Suppression{};
    std::erase_if(participant->gaps, [&](const SkippedGap& gap) { return gap.speaker == oldest->number; });
  }
  return std::move(speakers_.extract(oldest->user).mapped());
}

Speaker* Room::find_speaker(std::string_view user) noexcept {
  const auto it = speakers_.find(user);
  return it == speakers_.end() ? nullptr : it->second.get();
}

std::shared_ptr<Room> ConnectionManager::open(const RoomId& room) {
  auto it = rooms_.find(room);
  if (it == rooms_.end()) it = rooms_.emplace(room, std::make_shared<Room>(room, language_timeout_ms_)).first;
  return it->second;
}

Room* ConnectionManager::find(std::string_view room) noexcept {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? nullptr : it->second.get();
}

const Room* ConnectionManager::find(std::string_view room) const noexcept {
  const auto it = rooms_.find(room);
  return it == rooms_.end() ? nullptr : it->second.get();
}

bool ConnectionManager::close_if_empty(const RoomId& room) {
  const auto it = rooms_.find(room);
  if (it == rooms_.end() || !it->second->empty()) return false;
  rooms_.erase(it);
  return true;
}

}  // namespace fluentgate
