// The scripts, and their answers as messages.
#include "core/redis/numbering.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace fluentgate::redis {
namespace {

// Of the hash; a week without a word, and a speaker begins anew if the log doesn't know it either.
constexpr std::string_view kept_ms = "604800000";
constexpr const char* born_key = "fg:born";

// Every script: KEYS[1] fg:seq:{room}; ARGV[1] the user, ARGV[2] this instance, ARGV[3] how long the hash is kept.
// read(): owner ('-': nobody), fence, next, partition, offset, at, tail of the field; nil where there is none. write() returns what it wrote.
#define FLUENTGATE_NUMBERS_COMMON                                                                                        \
  "local function read()\n"                                                                                              \
  "  local v = redis.call('HGET', KEYS[1], ARGV[1])\n"                                                                   \
  "  if not v then return nil end\n"                                                                                     \
  "  local o, f, n, p, q, a, t = string.match(v, '^(%S+) (%d+) (%d+) (%-?%d+) (%-?%d+) (%d+) ([01])$')\n"                \
  "  if not o then return nil end\n"                                                                                     \
  "  return {text = v, owner = o, fence = tonumber(f), next = tonumber(n), partition = p, offset = q, at = a, tail = t}\n" \
  "end\n"                                                                                                                \
  "local function write(r)\n"                                                                                            \
  "  local v = string.format('%s %.0f %.0f %s %s %s %s', r.owner, r.fence, r.next, r.partition, r.offset, r.at, r.tail)\n" \
  "  redis.call('HSET', KEYS[1], ARGV[1], v)\n"                                                                          \
  "  redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"                                                                          \
  "  return v\n"                                                                                                         \
  "end\n"                                                                                                                \
  "local me = ARGV[2]\n"                                                                                                 \
  "local r = read()\n"

// ARGV[4] what to begin with, or ''; ARGV[5] now.
constexpr std::string_view claim_script = FLUENTGATE_NUMBERS_COMMON
    R"(if not r then
  if ARGV[4] == '' then return {'absent', ''} end
  r = {owner = '-', fence = 0, next = 0, partition = '-1', offset = '-1', at = ARGV[5], tail = '0'}
end
if r.owner ~= '-' and r.owner ~= me then return {'held', r.text} end
r.owner = me
r.fence = r.fence + 1
if ARGV[4] ~= '' then r.next = math.max(r.next, tonumber(ARGV[4])) end
return {'granted', write(r)})";

// ARGV[4], ARGV[5] owner and fence as they were seen.
constexpr std::string_view force_script = FLUENTGATE_NUMBERS_COMMON
    R"(if not r then return {'absent', ''} end
if r.owner ~= ARGV[4] or r.fence ~= tonumber(ARGV[5]) then return {'held', r.text} end
r.owner = me
r.fence = r.fence + 1
r.tail = '1'
return {'granted', write(r)})";

// ARGV[4] fence, next, partition, offset, at; ARGV[9] '1': adopt.
constexpr std::string_view save_script = FLUENTGATE_NUMBERS_COMMON
    R"(local fence, next = tonumber(ARGV[4]), tonumber(ARGV[5])
if not r then
  fence = math.max(1, fence)
elseif r.owner == me and r.fence == fence then
  fence = r.fence
elseif ARGV[9] == '1' and r.next <= next then
  fence = r.fence + 1
else
  return {'refused', r.text}
end
return {'kept', write({owner = me, fence = fence, next = next, partition = ARGV[6], offset = ARGV[7], at = ARGV[8], tail = '0'})})";

// ARGV[4] fence, next, partition, offset, at, tail.
constexpr std::string_view release_script = FLUENTGATE_NUMBERS_COMMON
    R"(local fence = tonumber(ARGV[4])
if not r or r.owner ~= me or (fence ~= 0 and r.fence ~= fence) then return 0 end
r.owner = '-'
r.next = math.max(r.next, tonumber(ARGV[5]))
if ARGV[6] ~= '-1' then r.partition, r.offset, r.at = ARGV[6], ARGV[7], ARGV[8] end
if fence ~= 0 or ARGV[9] == '1' then r.tail = ARGV[9] end
write(r)
return 1)";

#undef FLUENTGATE_NUMBERS_COMMON

std::string seq_key(const RoomId& room) { return "fg:seq:" + room.value; }
std::string inbox_of(const std::string& instance) { return "fg:instance:" + instance; }

// The next word, which it takes off `text`.
std::string_view word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view found = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return found;
}

template <class Number>
bool read_number(std::string_view& text, Number& out) {
  const std::string_view digits = word(text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}

// {word, record} as the scripts answer.
bool two_texts(const Result<Reply>& reply) { return reply.ok() && reply->kind == Reply::Kind::array && reply->items.size() == 2; }

constexpr std::string_view kinds[] = {"wanted", "busy", "released"};

}  // namespace

std::string number_record_text(const NumberRecord& record) {
  return (record.owner.empty() ? "-" : record.owner) + " " + std::to_string(record.fence) + " " + std::to_string(record.next) + " " +
         std::to_string(record.partition) + " " + std::to_string(record.offset) + " " + std::to_string(record.at_ms) + (record.tail ? " 1" : " 0");
}

std::optional<NumberRecord> parse_number_record(std::string_view text) {
  NumberRecord record;
  record.owner = word(text);
  if (record.owner.empty()) return std::nullopt;
  if (record.owner == "-") record.owner.clear();
  int tail = 0;
  if (!read_number(text, record.fence) || !read_number(text, record.next) || !read_number(text, record.partition) ||
      !read_number(text, record.offset) || !read_number(text, record.at_ms) || !read_number(text, tail) || !text.empty() || tail < 0 || tail > 1)
    return std::nullopt;
  record.tail = tail == 1;
  return record;
}

std::string number_note_text(const NumberNote& note) {
  return std::string(kinds[static_cast<std::size_t>(note.kind)]) + " " + note.from + " " + note.room.value + " " + note.user.value;
}

std::optional<NumberNote> parse_number_note(std::string_view text) {
  const auto kind = std::find(std::begin(kinds), std::end(kinds), word(text));
  if (kind == std::end(kinds)) return std::nullopt;
  NumberNote note;
  note.kind = static_cast<NumberNote::Kind>(kind - std::begin(kinds));
  note.from = word(text);
  note.room = RoomId(word(text));
  note.user = UserId(text);
  if (note.from.empty() || note.room.empty() || note.user.empty()) return std::nullopt;
  return note;
}

RedisNumbers::RedisNumbers(Link& link, std::string instance, InboundSink& sink, const Clock& clock)
    : link_(link), instance_(std::move(instance)), inbox_(inbox_of(instance_)), sink_(sink), clock_(clock) {
  link_.subscribe(inbox_);
  link_.listen(*this);
}

void RedisNumbers::tell(NumberNews news) {
  std::vector<Inbound> batch;
  batch.emplace_back(std::move(news));
  sink_.deliver(std::move(batch));
}

// What answers in the meantime is taken for no cluster at most until the first answer: nobody is thought gone that early.
void RedisNumbers::on_connected(bool) {
  link_.command({"", {"INFO", "cluster"}}, [this](const Result<Reply>& reply) {
    if (reply.ok()) clustered_.store(reply->text.find("cluster_enabled:1") != std::string::npos);
  });
  tell(AuthorityState{true});
}

void RedisNumbers::on_lost() { tell(AuthorityState{false}); }

void RedisNumbers::on_message(std::string_view channel, std::string_view payload) {
  if (channel != inbox_) return;
  if (auto note = parse_number_note(payload)) tell(std::move(*note));
}

void RedisNumbers::read_born(std::function<void(std::optional<UnixMs>)> done) {
  link_.command({born_key, {"SET", born_key, std::to_string(clock_.unix_ms()), "NX"}});
  link_.command({born_key, {"GET", born_key}}, [done = std::move(done)](const Result<Reply>& reply) {
    if (!reply) return done(std::nullopt);
    std::string_view text = reply->text;
    UnixMs born_ms = 0;
    done(read_number(text, born_ms) ? born_ms : 0);
  });
}

void RedisNumbers::claimed(NumberClaimed answer, const Result<Reply>& reply) {
  using Outcome = NumberClaimed::Outcome;
  answer.outcome = Outcome::away;
  if (two_texts(reply)) {
    const std::string& outcome = reply->items[0].text;
    const auto record = parse_number_record(reply->items[1].text);
    if (outcome == "absent") {
      return read_born([this, answer = std::move(answer)](std::optional<UnixMs> born_ms) mutable {
        if (born_ms) answer.outcome = Outcome::absent;
        answer.born_ms = born_ms.value_or(0);
        tell(std::move(answer));
      });
    }
    if (record) {
      answer.outcome = outcome == "granted" ? Outcome::granted : Outcome::held;
      answer.record = *record;
    }
  }
  tell(std::move(answer));
}

void RedisNumbers::claim(const Speaker& speaker, std::uint64_t ticket, std::optional<std::int64_t> first, UnixMs now) {
  NumberClaimed answer{speaker.room, speaker.user, ticket, NumberClaimed::Outcome::away, {}, 0};
  link_.script(claim_script, seq_key(speaker.room),
               {speaker.user.value, instance_, std::string(kept_ms), first ? std::to_string(*first) : "", std::to_string(now)},
               [this, answer = std::move(answer)](const Result<Reply>& reply) { claimed(answer, reply); });
}

void RedisNumbers::claim_by_force(const Speaker& speaker, std::uint64_t ticket, const NumberRecord& held) {
  NumberClaimed answer{speaker.room, speaker.user, ticket, NumberClaimed::Outcome::away, {}, 0};
  link_.script(force_script, seq_key(speaker.room), {speaker.user.value, instance_, std::string(kept_ms), held.owner, std::to_string(held.fence)},
               [this, answer = std::move(answer)](const Result<Reply>& reply) { claimed(answer, reply); });
}

void RedisNumbers::ask_owner(const Speaker& speaker, std::uint64_t ticket, const std::string& owner) {
  const std::string inbox = inbox_of(owner);
  OwnerAsked answer{ticket, speaker.room, speaker.user, owner, true, false, false};
  link_.command({inbox, {"PUBLISH", inbox, number_note_text({NumberNote::Kind::wanted, speaker.room, speaker.user, instance_})}},
                [this, inbox, answer = std::move(answer)](const Result<Reply>& reply) mutable {
                  if (!reply) return tell(std::move(answer));
                  answer.reached = reply->integer > 0;
                  link_.command({inbox, {"EXISTS", inbox}}, [this, answer = std::move(answer)](const Result<Reply>& lease) mutable {
                    answer.away = !lease.ok();
                    answer.leased = lease.ok() && lease->integer > 0;
                    if (clustered_.load()) answer.reached = answer.reached || answer.leased;
                    tell(std::move(answer));
                  });
                });
}

void RedisNumbers::save_all(std::vector<Saved> records) {
  for (Saved& saved : records) {
    const NumberRecord& record = saved.record;
    std::vector<std::string> args{saved.user.value,
                                  instance_,
                                  std::string(kept_ms),
                                  std::to_string(record.fence),
                                  std::to_string(record.next),
                                  std::to_string(record.partition),
                                  std::to_string(record.offset),
                                  std::to_string(record.at_ms),
                                  saved.adopt ? "1" : "0"};
    NumberSaved answer{saved.room, saved.user, record.fence, NumberSaved::Outcome::away, {}};
    link_.script(save_script, seq_key(saved.room), std::move(args), [this, answer = std::move(answer)](const Result<Reply>& reply) mutable {
      if (two_texts(reply)) {
        if (const auto found = parse_number_record(reply->items[1].text)) {
          answer.outcome = reply->items[0].text == "kept" ? NumberSaved::Outcome::kept : NumberSaved::Outcome::refused;
          answer.record = *found;
        }
      }
      tell(std::move(answer));
    });
  }
  read_born([this](std::optional<UnixMs> born_ms) {
    if (born_ms) tell(NumbersBorn{*born_ms});
  });
}

void RedisNumbers::release(const Speaker& speaker, const NumberRecord& record, const std::vector<std::string>& waiting) {
  std::vector<std::string> args{speaker.user.value,
                                instance_,
                                std::string(kept_ms),
                                std::to_string(record.fence),
                                std::to_string(record.next),
                                std::to_string(record.partition),
                                std::to_string(record.offset),
                                std::to_string(record.at_ms),
                                record.tail ? "1" : "0"};
  // Told when it is done: in a cluster the two go to different nodes.
  link_.script(release_script, seq_key(speaker.room), std::move(args), [this, speaker, waiting](const Result<Reply>& reply) {
    if (!reply) return;
    for (const std::string& instance : waiting) note(NumberNote::Kind::released, speaker, instance);
  });
}

void RedisNumbers::note(NumberNote::Kind kind, const Speaker& speaker, const std::string& instance) {
  const std::string inbox = inbox_of(instance);
  link_.command({inbox, {"PUBLISH", inbox, number_note_text({kind, speaker.room, speaker.user, instance_})}});
}

}  // namespace fluentgate::redis
