#include "test/soak/check_presence.hpp"

#include <algorithm>

#include "test/soak/mark.hpp"

namespace fluentgate::soak {

std::string PresenceChecker::told(int observer, int user) const {
  return person_name(observer) + " in " + room_name(persons_.at(observer).room) + " about " + person_name(user);
}

void PresenceChecker::opened(int room, int person) {
  Person& who = persons_[person];
  const Ms now = journal_.now_ms();
  rooms_[room].insert(person);
  who.room = room;
  if (!who.here) who.since_ms = now;
  who.here = true;
  who.ending = false;
  who.known_by_ms = std::max(who.known_by_ms, now + known_within_ms);
  who.greeted = false;
  who.view.clear();
  who.told_wrong_since.clear();
}

void PresenceChecker::ending(int person) { persons_[person].ending = true; }

void PresenceChecker::ended(int room, int person, bool killed) {
  Person& who = persons_[person];
  const Ms now = journal_.now_ms();
  rooms_[room].insert(person);
  who.room = room;
  who.here = false;
  who.ending = false;
  who.greeted = false;
  who.since_ms = now;
  if (killed) who.killed_known_by_ms = now + killed_known_within_ms;
  who.known_by_ms = std::max(now + known_within_ms, who.killed_known_by_ms);
}

void PresenceChecker::replaced(int person) {
  Person& who = persons_[person];
  who.greeted = false;
  who.view.clear();
  who.told_wrong_since.clear();
  who.view_known_by_ms = journal_.now_ms() + known_within_ms;
}

void PresenceChecker::redis_away() { redis_away_ = true; }

void PresenceChecker::redis_back() {
  redis_away_ = false;
  redis_known_by_ms_ = journal_.now_ms() + redis_back_within_ms;
}

void PresenceChecker::existing_users(int observer, const std::vector<int>& users) {
  Person& who = persons_[observer];
  who.greeted = true;
  who.view.clear();
  for (const int user : users) {
    if (user == observer) journal_.violation(once, told(observer, user) + ": named itself among existing_users");
    if (!who.view.insert(user).second) journal_.violation(once, told(observer, user) + ": twice in existing_users");
  }
  journal_.held(once);
}

void PresenceChecker::user_joined(int observer, int user) {
  Person& who = persons_[observer];
  if (!who.greeted) journal_.violation(once, told(observer, user) + ": user_joined before existing_users");
  if (user == observer) journal_.violation(once, told(observer, user) + ": told of its own joining");
  if (!who.view.insert(user).second) journal_.violation(once, told(observer, user) + ": user_joined, and it was there already");
  journal_.held(once);
}

void PresenceChecker::user_left(int observer, int user) {
  Person& who = persons_[observer];
  if (who.view.erase(user) == 0) journal_.violation(once, told(observer, user) + ": user_left, and it was not there");
  const Person& other = persons_[user];
  // It may have come back a moment ago, and this is still about the time before.
  if (other.here && !other.ending && journal_.now_ms() > other.known_by_ms + slack_ms) {
    journal_.violation(stays, told(observer, user) + ": user_left, and it is there since " + clock_text(other.since_ms));
  }
  journal_.held(once);
  journal_.held(stays);
}

void PresenceChecker::compare() {
  const Ms now = journal_.now_ms();
  if (redis_away_ || now < redis_known_by_ms_ + slack_ms) return;
  for (auto& [observer, who] : persons_) {
    if (!who.here || who.ending || now < std::max(who.known_by_ms, who.view_known_by_ms) + slack_ms) continue;
    for (const int user : rooms_[who.room]) {
      const Person& other = persons_[user];
      if (user == observer || other.ending || now < other.known_by_ms + slack_ms) continue;
      const bool seen = who.view.contains(user);
      if (seen == other.here) {
        who.told_wrong_since.erase(user);
      } else if (who.told_wrong_since.emplace(user, now).second) {
        journal_.violation(truth, told(observer, user) + (seen ? ": shown as there, and it left at " : ": not shown, and it is there since ") +
                                      clock_text(other.since_ms));
      }
      journal_.held(truth);
    }
  }
}

}  // namespace fluentgate::soak
