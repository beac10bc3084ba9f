// Lookup in the option table, and the rules of a single row.
#include "core/config/option_table.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/config/option_rows.hpp"
#include "core/config/option_value.hpp"

namespace fluentgate::config {

namespace {

bool element_fits(const Option& option, std::string_view text) {
  if (!option.choices.empty()) return std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end();
  return !text.empty() && (option.fits == nullptr || option.fits(text));
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const Option> option_table() {
  static const std::vector<Option> rows = option_rows();
  return rows;
}

const Option* find_option(std::string_view name) {
  const auto table = option_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Option& option) { return option.name == name; });
  return found == table.end() ? nullptr : &*found;
}

Value default_value(const Option& option) {
  static const Settings defaults;
  return option.get(option, defaults);
}

bool is_empty(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->empty();
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return list->empty();
  return std::holds_alternative<std::monostate>(value);
}

std::string allowed(const Option& option) {
  switch (option.type) {
    case OptionType::boolean: return "true or false";
    case OptionType::integer:
      if (option.min == option.max) return "only " + std::to_string(option.min);
      return "an integer from " + std::to_string(option.min) + " to " + std::to_string(option.max);
    case OptionType::number: return "a number from " + show(Value(option.number_min)) + " to " + show(Value(option.number_max));
    case OptionType::string:
      if (option.choices.size() == 1) return "only " + std::string(option.choices.front());
      return option.choices.empty() ? std::string(option.form) : "one of " + joined(option.choices);
    case OptionType::list: return "a list of " + (option.choices.empty() ? std::string(option.form) : joined(option.choices));
  }
  return {};
}

bool accepts(const Option& option, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer >= option.min && *integer <= option.max;
  if (const auto* number = std::get_if<double>(&value)) return *number >= option.number_min && *number <= option.number_max;  // not a NaN
  if (const auto* text = std::get_if<std::string>(&value)) return text->empty() ? option.may_be_empty : element_fits(option, *text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    if (list->empty()) return option.may_be_empty;
    return std::all_of(list->begin(), list->end(), [&](const std::string& text) { return element_fits(option, text); });
  }
  return std::holds_alternative<bool>(value);
}

bool is_passed_on(std::string_view name, PassedOn& out) {
  constexpr std::string_view kafka = "kafka.", producer = "producer.", consumer = "consumer.";
  if (!name.starts_with(kafka)) return false;
  std::string_view rest = name.substr(kafka.size());
  out.side = Side::both;
  if (rest.starts_with(producer)) {
    out.side = Side::producer;
    rest.remove_prefix(producer.size());
  } else if (rest.starts_with(consumer)) {
    out.side = Side::consumer;
    rest.remove_prefix(consumer.size());
  }
  out.property = rest;
  return !rest.empty() && rest.front() != '.' && rest.back() != '.' && std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

bool is_secret_name(std::string_view name) {
  if (const Option* option = find_option(name)) return option->secret;
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 6> words{"secret", "password", "passwd", "pem", "token", "oauthbearer.config"};
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string_view nearest_name(std::string_view wrong) {
  constexpr std::size_t name_bytes_max = 128;  // longer ones are near to nothing, and would take long
  if (wrong.empty() || wrong.size() > name_bytes_max) return {};
  const Option* best = nullptr;
  std::size_t best_distance = wrong.size() / 2 + 1;
  for (const Option& option : option_table()) {
    // "port" for "listen.port": the section forgotten.
    const bool is_last_word = option.name.size() > wrong.size() && option.name.ends_with(wrong) && option.name[option.name.size() - wrong.size() - 1] == '.';
    const std::size_t d = is_last_word ? 1 : distance(wrong, option.name);
    if (d < best_distance) {
      best = &option;
      best_distance = d;
    }
  }
  return best == nullptr ? std::string_view() : best->name;
}

}  // namespace fluentgate::config
