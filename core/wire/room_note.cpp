#include "core/wire/room_note.hpp"

#include "core/wire/json_scan.hpp"
#include "core/wire/json_write.hpp"

namespace fluentgate::wire {

namespace {

constexpr std::string_view refreshed = "refreshed", voiced = "voiced", forbidden = "forbidden";

ObjectWriter note_of(std::string_view kind, const UserId& user) {
  ObjectWriter writer;
  writer.text("note", kind).text("user", user.value);
  return writer;
}

struct TextOf {
  std::string operator()(const RefreshedNote& note) const { return note_of(refreshed, note.user).integer("exp", note.exp_s).finish(); }
  std::string operator()(const VoicedNote& note) const { return note_of(voiced, note.user).finish(); }
  std::string operator()(const ForbiddenNote& note) const { return note_of(forbidden, note.user).finish(); }
};

}  // namespace

std::string note_text(const RoomNote& note) { return std::visit(TextOf{}, note); }

Result<RoomNote> parse_note(std::string_view json) {
  std::string kind;
  UserId user;
  std::optional<std::int64_t> exp_s;
  bool exp_given = false;
  ObjectScanner scanner(json);
  while (const auto member = scanner.next()) {
    if (member->key == "note" && member->type == JsonType::string) {
      kind = decoded_string(member->value);
    } else if (member->key == "user" && member->type == JsonType::string) {
      user = UserId(decoded_string(member->value));
    } else if (member->key == "exp") {
      exp_s = member->type == JsonType::number ? integer_value(member->value) : std::nullopt;
      exp_given = exp_s.has_value() || member->type == JsonType::null;
    }
  }
  if (const Status status = scanner.status(); !status) return status.error();
  if (user.empty()) return Error{"bad_note", "no user"};
  if (kind == refreshed && exp_given) return RoomNote(RefreshedNote{std::move(user), exp_s});
  if (kind == voiced) return RoomNote(VoicedNote{std::move(user)});
  if (kind == forbidden) return RoomNote(ForbiddenNote{std::move(user)});
  return Error{"bad_note", "an unknown kind of note"};
}

}  // namespace fluentgate::wire
