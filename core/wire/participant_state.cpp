#include "core/wire/participant_state.hpp"

#include <array>
#include <utility>

#include "core/wire/json_scan.hpp"
#include "core/wire/json_write.hpp"

namespace fluentgate::wire {

Result<std::string> with_participant_state(std::string_view existing, const ParticipantState& state, std::string_view mark) {
  const std::array<std::pair<std::string_view, std::string_view>, 5> ours{{{"language", state.language},
                                                                          {"speaking_language", state.speaking_language},
                                                                          {"display_name", state.display_name},
                                                                          {"role", state.role},
                                                                          {"fg_instance", mark}}};
  std::array<bool, 5> written{};
  std::string out = "{";
  const auto add = [&](std::size_t i) {
    if (out.size() > 1) out += ',';
    append_json_string(out, ours[i].first);
    out += ':';
    append_json_string(out, ours[i].second);
    written[i] = true;
  };
  if (!existing.empty()) {
    ObjectScanner scanner(existing);
    while (const auto member = scanner.next()) {
      std::size_t i = 0;
      while (i < ours.size() && (ours[i].first != member->key || ours[i].second.empty())) ++i;
      if (i == ours.size()) {
        if (out.size() > 1) out += ',';
        out += member->raw;
      } else if (!written[i]) {
        add(i);
      }
    }
    if (Status read = scanner.status(); !read) return read.error();
  }
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!written[i] && !ours[i].second.empty()) add(i);
  }
  return out + "}";
}

std::optional<std::string> participant_mark(std::string_view value) {
  std::optional<std::string> mark;
  ObjectScanner scanner(value);
  while (const auto member = scanner.next()) {
    if (member->key == "fg_instance" && member->type == JsonType::string) mark = decoded_string(member->value);
  }
  if (!scanner.status()) return std::nullopt;
  return mark;
}

}  // namespace fluentgate::wire
