// Settings from files and from single options.
#include "core/config/loader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/config/option_rules.hpp"
#include "core/config/option_value.hpp"

namespace fluentgate::config {

namespace {

constexpr std::string_view passed_on_form = "text, a number, true or false; librdkafka says which";
constexpr std::string_view not_shown = "(not shown)";

// The file's text, or nothing and `why`.
std::optional<std::string> read_file(const std::string& path, std::string& why) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    why = "is a folder";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    why = errno != 0 ? std::strerror(errno) : "can't be opened";
    return std::nullopt;
  }
  std::string text(config_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) {
    why = "can't be read";
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > config_file_bytes_max) {
    why = "is longer than " + std::to_string(config_file_bytes_max) + " bytes";
    return std::nullopt;
  }
  return text;
}

// toml++ quotes what it stumbled over. Where that may be part of a secret (its name stands at or above the line), the quotes are emptied.
std::string shown_syntax_error(std::string_view description, std::string_view file_text, std::size_t line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line && end != std::string_view::npos; ++i) {
    end = file_text.find('\n', end);
    if (end != std::string_view::npos) ++end;
  }
  const bool may_be_secret = is_secret_name(file_text.substr(0, end));
  std::string out;
  for (std::size_t at = 0; at < description.size();) {
    const char c = description[at];
    // The rest of the line, up to the last quote: what is quoted may have quotes in it.
    if (c == '\'' && may_be_secret && description.find('\'', at + 1) > at + 2) {
      out += "'...";
      break;
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    ++at;
  }
  return out;
}

struct Entry {
  std::string name;
  const toml::node* node;
};

void flatten(const toml::table& table, const std::string& above, std::vector<Entry>& out) {
  for (const auto& [key, node] : table) {
    const std::string name = above.empty() ? std::string(key.str()) : above + "." + std::string(key.str());
    if (const toml::table* inner = node.as_table()) flatten(*inner, name, out);
    else out.push_back({name, &node});
  }
}

// By its own type; monostate for what no option takes (dates, lists of anything but text).
Value value_of_node(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get();
  const toml::array* array = node.as_array();
  if (array == nullptr) return {};
  std::vector<std::string> list;
  for (const toml::node& element : *array) {
    if (!element.is_string()) return {};
    list.push_back(element.as_string()->get());
  }
  return list;
}

bool is_of_type(OptionType type, const Value& value) {
  switch (type) {
    case OptionType::boolean: return std::holds_alternative<bool>(value);
    case OptionType::integer: return std::holds_alternative<std::int64_t>(value);
    case OptionType::number: return std::holds_alternative<double>(value);
    case OptionType::string: return std::holds_alternative<std::string>(value);
    case OptionType::list: return std::holds_alternative<std::vector<std::string>>(value);
  }
  return false;
}

bool is_scalar(const Value& value) {
  return !std::holds_alternative<std::monostate>(value) && !std::holds_alternative<std::vector<std::string>>(value);
}

// As librdkafka reads it.
std::string text_of(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : show(value);
}

std::string shown(const Value& value) { return std::holds_alternative<std::monostate>(value) ? "(of another type)" : show_short(value); }

// PATH or KID=PATH; with a / before the first = it is a path.
std::string from_folder(const std::string& text, const std::string& folder) {
  if (text.empty() || folder.empty()) return text;
  const std::size_t equals = text.find('='), slash = text.find('/');
  const bool has_kid = equals != std::string::npos && (slash == std::string::npos || slash > equals);
  const std::size_t start = has_kid ? equals + 1 : 0;
  const std::filesystem::path path(text.substr(start));
  if (path.empty() || path.is_absolute()) return text;
  return text.substr(0, start) + (std::filesystem::path(folder) / path).lexically_normal().string();
}

}  // namespace

void Loader::add_file(const std::string& path) {
  std::string why;
  const std::optional<std::string> text = read_file(path, why);
  if (!text) {
    errors_.push_back(path + ": " + why);
    unread_ = true;
    return;
  }
  std::vector<Entry> entries;
  toml::table table;
  try {
    table = toml::parse(*text);
  } catch (const toml::parse_error& error) {
    errors_.push_back(path + ":" + std::to_string(error.source().begin.line) + ": not valid TOML: " +
                      shown_syntax_error(error.description(), *text, error.source().begin.line));
    unread_ = true;
    return;
  }
  flatten(table, {}, entries);
  // toml++ sorts by name; people read by line.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    const auto at = [](const Entry& e) { return std::pair(e.node->source().begin.line, e.node->source().begin.column); };
    return at(a) < at(b);
  });
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::set<std::string, std::less<>> in_this_file;
  for (const auto& [name, node] : entries) {
    const std::string where = path + ":" + std::to_string(node->source().begin.line) + ": ";
    // `"listen.port"` and `port` under [listen] are two keys to TOML.
    if (!in_this_file.insert(name).second) {
      given_.insert(name);
      wrong_.insert(name);
      errors_.push_back(where + name + ": given twice in this file: allowed is once");
      continue;
    }
    Value value = value_of_node(*node);
    PassedOn to;
    if (const Option* option = find_option(name)) {
      if (const auto* integer = std::get_if<std::int64_t>(&value); integer != nullptr && option->type == OptionType::number) {
        value = static_cast<double>(*integer);
      }
      set(where, *option, std::move(value), folder);
    } else if (is_passed_on(name, to)) {
      if (is_scalar(value)) pass_on(where, name, to, text_of(value));
      else wrong(where, name, shown(value), passed_on_form);
    } else {
      unknown(where, name);
    }
  }
}

void Loader::add_option(std::string_view name, std::string_view text) {
  PassedOn to;
  if (const Option* option = find_option(name)) {
    Value value = value_of_text(option->type, text);
    if (std::holds_alternative<std::monostate>(value)) wrong({}, name, show_short(std::string(text)), allowed(*option));
    else set({}, *option, std::move(value), {});
  } else if (is_passed_on(name, to)) {
    pass_on({}, name, to, std::string(text));
  } else {
    unknown({}, name);
  }
}

void Loader::set(std::string_view where, const Option& option, Value value, const std::string& folder) {
  given_.emplace(option.name);
  if (!is_of_type(option.type, value) || !accepts(option, value)) {
    wrong(where, option.name, shown(value), allowed(option));
    return;
  }
  if (option.path) {
    if (auto* text = std::get_if<std::string>(&value)) *text = from_folder(*text, folder);
    if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
      for (std::string& text : *list) text = from_folder(text, folder);
    }
  }
  option.set(option, settings_, value);
}

void Loader::pass_on(std::string_view where, std::string_view name, const PassedOn& to, std::string value) {
  given_.emplace(name);
  if (value.find('\0') != std::string::npos) {  // librdkafka would read what stands before it
    wrong(where, name, show_short(Value(std::move(value))), "text without a NUL");
    return;
  }
  Kafka& kafka = settings_.kafka;
  auto& properties = to.side == Side::producer ? kafka.producer_properties : to.side == Side::consumer ? kafka.consumer_properties : kafka.properties;
  properties.insert_or_assign(std::string(to.property), std::move(value));
}

void Loader::unknown(std::string_view where, std::string_view name) {
  // No value: it may be that of a secret whose name is misspelled. A name comes from outside, and a line is a line.
  const std::string_view nearest = nearest_name(name);
  const std::string shown = show_short(Value(std::string(name)));
  const bool is_plain = shown.size() == name.size() + 2;
  errors_.push_back(std::string(where) + (is_plain ? std::string(name) : shown) + ": unknown option: " +
                    (nearest.empty() ? std::string("allowed are those of --print-options") : "the nearest is " + std::string(nearest)));
}

void Loader::wrong(std::string_view where, std::string_view name, std::string_view shown, std::string_view allowed) {
  given_.emplace(name);
  wrong_.emplace(name);
  errors_.push_back(std::string(where).append(name).append(" = ").append(is_secret_name(name) ? not_shown : shown).append(": allowed is ").append(allowed));
}

bool Loader::was_given(std::string_view name) const { return given_.contains(name); }

Result<Settings> Loader::finish() const {
  std::vector<std::string> lines = errors_;
  if (!unread_) {  // else "no key is set" would be said of a file that has one
    for (std::string& line : broken_rules(settings_, [&](std::string_view name) { return wrong_.contains(name); })) lines.push_back(std::move(line));
  }
  if (lines.empty()) return settings_;
  std::string text;
  for (const std::string& line : lines) text.append(text.empty() ? "" : "\n").append(line);
  return Error{"bad_configuration", std::move(text)};
}

}  // namespace fluentgate::config
