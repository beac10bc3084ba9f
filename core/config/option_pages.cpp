// The option table as text.
#include "core/config/option_pages.hpp"

#include <array>
#include <string_view>

#include "core/config/option_table.hpp"
#include "core/config/option_value.hpp"

namespace fluentgate::config {

namespace {

struct PassedOnRow {
  std::string_view name, text;
};
constexpr std::array<PassedOnRow, 3> passed_on_rows{{
    {"kafka.<property>", "any property of librdkafka, for both sides"},
    {"kafka.producer.<property>", "the same, for what writes audio; wins over kafka.<property>"},
    {"kafka.consumer.<property>", "the same, for what reads; wins over kafka.<property>"},
}};

// What the row shows as its default; empty: none.
std::string shown_default(const Option& option) {
  const Value value = default_value(option);
  return is_empty(value) ? std::string() : show(value);
}

std::string_view section_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view("general") : name.substr(0, dot);
}

std::string notes(const Option& option) {
  std::string out;
  const auto add = [&](std::string_view note) { out.append(out.empty() ? " (" : "; ").append(note); };
  if (option.host_only) add("`fluentgate-host` only");
  if (option.reloadable) add("read again at SIGHUP");
  if (option.secret) add("never shown");
  return out.empty() ? out : out + ")";
}

constexpr std::string_view introduction =
    R"(<!-- Generated from core/config/option_rows.cpp by fluentgate-docgen. -->
# Options

An option's name is the dotted path of its key, the same everywhere: in a TOML file (`listen.port = 7681`, or `port = 7681` under `[listen]`), in
`fluentgate-host --set listen.port=7681`, and as a per-vhost option of a libwebsockets host. The file is read first, then what is set
beside it, in its order; the later one wins.

In text (`--set`, per-vhost options) a string is taken as it is, and a list is a TOML array (`["a", "b"]`) or separated by commas. Sizes, durations and rates
are plain numbers in the unit that the name or the text tells. A path in a file is relative to the folder of that file, any other one to the folder in which the process runs.

Whatever is wrong is told at once, one line an error, with the option, its value and what is allowed, and nothing starts. A secret's value is never printed.
)";

constexpr std::string_view rules_text =
    R"(
## Rules between options

- At least one of `auth.secret`, `auth.secret_file` and `auth.public_key_files` is set, and `auth.algorithms` has an algorithm that a key can be used with.
- `auth.cookie` needs `auth.allowed_origins`: without it, any web page could use the cookie.
- `auth.require_room` stays on with `auth.membership = "token"`.
- `listen.tls_cert` and `listen.tls_key` are set both, or neither.
- `audio.chunk_ms` is at most `audio.max_chunk_ms`.
- `kafka.format.audio_raw = "binary"` is refused with `captions.legacy_members`.
- The four topics are four different ones.

The gateway continues a speaker's `sequence_number` by reading back `audio.sequence_lookback_ms` of `audio.raw`; a speaker who was silent for
longer than that, at an instance that doesn't remember, starts at 0 again.
)";

}  // namespace

std::string markdown_cell(std::string_view text) {
  std::string out;
  bool is_code = false;
  for (const char c : text) {
    if (c == '`') is_code = !is_code;
    if (c == '|' || (c == '*' && !is_code)) out += '\\';
    if (c == '<' && !is_code) out += "&lt;";
    else out += c;
  }
  return out;
}

std::string print_options() {
  std::string out;
  for (const Option& option : option_table()) {
    const std::string value = shown_default(option);
    if (value.empty()) out.append("# ").append(option.name).append(" =  # ");
    else out.append(option.name).append(" = ").append(value).append("  # ");
    out.append(option.text).append("\n");
  }
  for (const auto& [name, text] : passed_on_rows) out.append("# ").append(name).append(" =  # ").append(text).append("\n");
  return out;
}

std::string options_markdown() {
  std::string out(introduction);
  std::string_view section;
  const auto add_passed_on = [&] {
    for (const auto& [name, text] : passed_on_rows) {
      out.append("| `").append(name).append("` | none | what librdkafka allows | ").append(markdown_cell(text)).append(" |\n");
    }
  };
  for (const Option& option : option_table()) {
    if (section_of(option.name) != section) {
      if (section == "kafka") add_passed_on();
      section = section_of(option.name);
      out.append("\n## ").append(section).append("\n\n| option | default | allowed | |\n|---|---|---|---|\n");
    }
    const std::string value = shown_default(option);
    out.append("| `").append(option.name).append("` | ");
    if (value.empty()) out.append("none");
    else out.append("`").append(value).append("`");
    out.append(" | ").append(markdown_cell(allowed(option))).append(" | ").append(markdown_cell(option.text)).append(notes(option)).append(" |\n");
  }
  return out.append(rules_text);
}

}  // namespace fluentgate::config
