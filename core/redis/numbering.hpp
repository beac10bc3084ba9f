// NumberAuthority over a Link: who numbers which speaker (docs/decisions/0006). Hash fg:seq:{room}, field user, value
// "owner|- fence next partition offset at_ms tail"; key fg:born: since when this Redis holds data; channel fg:instance:{instance}: an instance's inbox.
// Thread: NumberAuthority's calls the loop (none blocks); everything else the redis thread. To be destroyed after the link was stopped.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/numbering.hpp"
#include "core/redis/inbound.hpp"
#include "core/redis/link.hpp"

namespace fluentgate::redis {

// As in the hash; nothing where it can't be read.
std::string number_record_text(const NumberRecord& record);
std::optional<NumberRecord> parse_number_record(std::string_view text);
// "wanted FROM ROOM USER": the user last, since only it may have blanks.
std::string number_note_text(const NumberNote& note);
std::optional<NumberNote> parse_number_note(std::string_view text);

class RedisNumbers final : public NumberAuthority, private Link::Listener {
 public:
  // All outlive it. What comes back are NumberNews messages.
  RedisNumbers(Link& link, std::string instance, InboundSink& sink, const Clock& clock);

  bool connected() const noexcept override { return link_.connected(); }
  void claim(const Speaker& speaker, std::uint64_t ticket, std::optional<std::int64_t> first, UnixMs now) override;
  void claim_by_force(const Speaker& speaker, std::uint64_t ticket, const NumberRecord& held) override;
  void ask_owner(const Speaker& speaker, std::uint64_t ticket, const std::string& owner) override;
  void save_all(std::vector<Saved> records) override;
  void release(const Speaker& speaker, const NumberRecord& record, const std::vector<std::string>& waiting) override;
  void note(NumberNote::Kind kind, const Speaker& speaker, const std::string& instance) override;

 private:
  void on_connected(bool again) override;
  void on_lost() override;
  void on_message(std::string_view channel, std::string_view payload) override;
  void claimed(NumberClaimed answer, const Result<Reply>& reply);
  // Reads fg:born, which is made if there is none; nothing: Redis went away.
  void read_born(std::function<void(std::optional<UnixMs>)> done);
  void tell(NumberNews news);

  Link& link_;
  const std::string instance_, inbox_;
  InboundSink& sink_;
  const Clock& clock_;
  // A node of a cluster counts its own subscribers only, so that nobody there is no sign.
  std::atomic<bool> clustered_{false};
};

}  // namespace fluentgate::redis
