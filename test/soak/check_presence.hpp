// Who is in a room, as every client with a signaling socket was told it (existing_users, then user_joined and user_left), against who is there. Held always:
// nobody twice, nobody leaves who was not there, nobody is said to have left who is there. And once all has had time to be known: the truth. Thread: one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/soak/journal.hpp"

namespace fluentgate::soak {

class PresenceChecker {
 public:
  static constexpr std::string_view once = "presence: nobody twice, nobody left who was not there";
  static constexpr std::string_view stays = "presence: nobody left who is there";
  static constexpr std::string_view truth = "presence: views equal the truth in time";
  static constexpr Ms known_within_ms = 3000, killed_known_within_ms = 15000, redis_back_within_ms = 5000;
  static constexpr Ms slack_ms = 2000;  // of a machine whose two cores carry servers and clients alike

  explicit PresenceChecker(Journal& journal) : journal_(journal) {}

  // The truth: a signaling socket opened or ended; how: `killed` with its instance.
  void opened(int room, int person);
  void ending(int person);  // its client has begun to close it: others may hear of that before it does
  void ended(int room, int person, bool killed);
  // A newer socket of the same user took the older one's place: nobody else may notice.
  void replaced(int person);
  // While Redis is away nothing is learnt from elsewhere.
  void redis_away();
  void redis_back();

  // What the client `observer` was told on its present signaling socket.
  void existing_users(int observer, const std::vector<int>& users);
  void user_joined(int observer, int user);
  void user_left(int observer, int user);

  // Compares what must be known by now.
  void compare();

 private:
  struct Person {
    int room = 0;
    bool here = false, ending = false;
    Ms since_ms = 0;     // of `here`, or of its contrary
    Ms known_by_ms = 0;  // by everybody else
    Ms killed_known_by_ms = 0;  // until then a killed instance may still have a seat of it, which shows again when a newer one goes
    Ms view_known_by_ms = 0;  // what it sees itself on a socket that replaced another
    bool greeted = false;
    std::set<int> view;
    std::map<int, Ms> told_wrong_since;  // one violation for one wrong fact
  };
  std::string told(int observer, int user) const;

  Journal& journal_;
  std::map<int, Person> persons_;
  std::map<int, std::set<int>> rooms_;
  bool redis_away_ = false;
  Ms redis_known_by_ms_ = 0;
};

}  // namespace fluentgate::soak
