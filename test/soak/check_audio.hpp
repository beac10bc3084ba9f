// What listeners may hear: their room, a language that they listen in, never themselves nor who speaks what they understand, each speaker in order; and the
// original suppressed before the first frame where both sockets are on one instance. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/soak/journal.hpp"
#include "test/soak/mark.hpp"

namespace fluentgate::soak {

class AudioChecker {
 public:
  static constexpr std::string_view right = "audio: right room and language, never own speech", order = "audio: each speaker in order",
                                    suppressed_first = "audio: suppressed before the first frame";
  // What was on its way when somebody changed a language.
  static constexpr Ms change_ms = 6000;
  // A restore that was read a moment before a frame that was written earlier: two sockets have no common order for the reader.
  static constexpr Ms restore_ms = 1500;

  explicit AudioChecker(Journal& journal) : journal_(journal) {}

  // New sockets: told anew what it hears; nobody is suppressed yet. together: both sockets are on one instance.
  void opened(int listener, int room, const std::vector<int>& listening, bool together);
  void asked_for(int listener, const std::vector<int>& listening);   // set_language was sent
  void told(int listener, const std::vector<int>& listening);        // and is in force for what follows on the audio socket
  void speaks(int person, int language);                             // from now on
  void suppressed(int listener, int speaker);
  void restored(int listener, int speaker);
  // Whether a frame of this speaker would be against `suppressed_first` as far as is known: then what waits on the signaling socket is read first.
  bool unannounced(int listener, int speaker) const;
  void frame(int listener, const ChunkMark& mark);

  std::uint64_t frames() const noexcept { return frames_; }

 private:
  struct Listener {
    int room = 0;
    std::set<int> allowed;              // languages
    std::vector<int> asked;             // the newest asked for
    int first = 0;                      // of the newest told: what counts as understood
    Ms changed_ms = 0;
    bool together = true;
    std::set<int> suppressed;
    std::map<int, Ms> restored_ms;
    std::map<std::pair<int, int>, std::int64_t> newest;  // by speaker and language
  };

  Journal& journal_;
  std::map<int, Listener> listeners_;
  std::map<int, std::pair<int, Ms>> spoken_;  // person → language, since
  std::uint64_t frames_ = 0;
};

}  // namespace fluentgate::soak
