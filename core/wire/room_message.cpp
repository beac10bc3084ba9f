#include "core/wire/room_message.hpp"

#include <map>

#include "core/domain/limits.hpp"
#include "core/wire/json_scan.hpp"
#include "core/wire/json_write.hpp"

namespace fluentgate::wire {
namespace {

struct Value {
  std::string_view raw;
  JsonType type = JsonType::null;
};
using Members = std::map<std::string, Value, std::less<>>;

// Of a member that is there twice the last.
Result<Members> members_of(std::string_view text) {
  Members members;
  ObjectScanner scanner(text);
  while (const auto member = scanner.next()) members[std::string(member->key)] = {member->value, member->type};
  if (Status read = scanner.status(); !read) return read.error();
  return members;
}

std::optional<std::string> string_of(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found == members.end() || found->second.type != JsonType::string) return std::nullopt;
  return decoded_string(found->second.raw);
}

// An id: a backend may have numbers.
std::optional<std::string> id_of(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found != members.end() && found->second.type == JsonType::number) return std::string(found->second.raw);
  return string_of(members, name);
}

std::optional<std::int64_t> integer_of(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found == members.end() || found->second.type != JsonType::number) return std::nullopt;
  return integer_value(found->second.raw);
}

LanguageList languages_of(const Members& members, std::string_view name) {
  LanguageList list;
  const auto found = members.find(name);
  if (found == members.end() || found->second.type != JsonType::array) return list;
  ArrayScanner scanner(found->second.raw);
  while (const auto element = scanner.next()) {
    if (element->type != JsonType::string || list.size() == limits::language_list_max) continue;
    if (Result<LanguageTag> tag = LanguageTag::parse(decoded_string(element->value)); tag) list.push_back(std::move(tag).value());
  }
  return list;
}

std::string array_text(const LanguageList& list) {
  std::string text = "[";
  for (const LanguageTag& tag : list) {
    if (text.size() > 1) text += ',';
    append_json_string(text, tag.spelling());
  }
  return text + "]";
}

Result<PeerSeat> seat_of(const Members& members) {
  PeerSeat seat;
  const auto user = string_of(members, "user"), instance = string_of(members, "instance");
  if (!user || user->empty() || !instance || instance->empty()) return Error{"bad_seat", "a seat without user or instance"};
  seat.user = UserId(*user);
  seat.instance = *instance;
  seat.display_name = string_of(members, "display_name").value_or("");
  seat.role = string_of(members, "role").value_or("");
  seat.speaking_spelled = string_of(members, "speaking");
  seat.hearing = {languages_of(members, "listening"), languages_of(members, "understands")};
  seat.audio_since_us = integer_of(members, "audio_since_us");
  seat.signaling_since_us = integer_of(members, "signaling_since_us");
  seat.languages_set_us = integer_of(members, "languages_set_us").value_or(0);
  return seat;
}

}  // namespace

Result<RoomPush> parse_room_push(std::string_view text) {
  const Result<Members> members = members_of(text);
  if (!members) return members.error();
  const auto type = string_of(*members, "type");
  if (!type) return Error{"missing_type", "no `type`"};
  RoomPush push;
  if (*type == "unicast") {
    push.target = id_of(*members, "target_user_id");
    if (!push.target || push.target->empty()) return Error{"missing_target", "a unicast without `target_user_id`"};
  } else if (*type != "broadcast") {
    return Error{"unknown_type", "`type` is neither broadcast nor unicast"};
  }
  const auto data = members->find("data");
  if (data == members->end()) return Error{"missing_data", "no `data`"};
  push.sender = id_of(*members, "sender_id").value_or("");
  push.data = std::string(data->second.raw);
  push.instance = string_of(*members, "fg_instance").value_or("");
  return push;
}

std::string room_push_text(const RoomPush& push) {
  ObjectWriter writer(push.data.size() + 192);
  writer.text("type", push.target ? "unicast" : "broadcast");
  if (push.target) writer.text("target_user_id", *push.target);
  if (push.sender.empty()) {
    writer.null("sender_id");
  } else {
    writer.text("sender_id", push.sender);
  }
  writer.raw("data", push.data);
  if (!push.instance.empty()) writer.text("fg_instance", push.instance);
  return writer.finish();
}

std::string seat_head(const PeerSeat& seat, std::int64_t told_us) {
  ObjectWriter writer(384);
  writer.text("user", seat.user.value).text("instance", seat.instance).text("display_name", seat.display_name).text("role", seat.role);
  writer.text("speaking", seat.speaking_spelled).raw("listening", array_text(seat.hearing.listening));
  writer.raw("understands", array_text(seat.hearing.understands)).integer("languages_set_us", seat.languages_set_us).integer("told_us", told_us);
  std::string text = writer.finish();
  text.pop_back();
  return text;
}

Result<PeerSeat> parse_seat(std::string_view text) {
  const Result<Members> members = members_of(text);
  if (!members) return members.error();
  return seat_of(*members);
}

std::string seat_gone_text(std::string_view instance, std::string_view user) {
  return ObjectWriter().text("kind", "gone").text("instance", instance).text("user", user).finish();
}

std::string note_text(std::string_view instance, std::string_view json) {
  return ObjectWriter(json.size() + 96).text("kind", "note").text("instance", instance).raw("note", json).finish();
}

std::string mark_text(std::string_view instance, std::int64_t number) {
  return ObjectWriter().text("kind", "mark").text("instance", instance).integer("number", number).finish();
}

Result<RoomMessage> parse_room_message(std::string_view text) {
  const Result<Members> members = members_of(text);
  if (!members) return members.error();
  const Error missing{"missing_member", "a member is missing"};
  const std::string kind = string_of(*members, "kind").value_or("");
  if (kind == "seat") {
    const auto value = members->find("seat");
    if (value == members->end()) return missing;
    Result<PeerSeat> seat = parse_seat(value->second.raw);
    if (!seat) return seat.error();
    return RoomMessage(SeatMessage{std::move(seat).value(), std::string(value->second.raw)});
  }
  const auto instance = string_of(*members, "instance");
  if (!instance || instance->empty()) return missing;
  if (kind == "gone") {
    const auto user = string_of(*members, "user");
    if (!user) return missing;
    return RoomMessage(SeatGoneMessage{*instance, UserId(*user)});
  }
  if (kind == "note") {
    const auto note = members->find("note");
    if (note == members->end() || note->second.type != JsonType::object) return missing;
    return RoomMessage(NoteMessage{*instance, std::string(note->second.raw)});
  }
  if (kind == "mark") {
    const auto number = integer_of(*members, "number");
    if (!number) return missing;
    return RoomMessage(MarkMessage{*instance, *number});
  }
  return Error{"unknown_kind", "`kind` is none of ours"};
}

}  // namespace fluentgate::wire
