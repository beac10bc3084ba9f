// The one table of options: name, type, range, default, text. Validation, --print-options and docs/options.md come from it.
// The defaults are the members' own in settings.hpp. Thread: any, read only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config/settings.hpp"

namespace fluentgate::config {

// monostate: not set, for a number that may be unset.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

enum class OptionType : std::uint8_t { boolean, integer, number, string, list };

struct Option {
  std::string_view name;  // dotted path of its key
  OptionType type = OptionType::string;
  std::string_view text;  // one line, for people
  std::string_view form;  // what a string, or each of a list's, must be, for people; unused where there are choices
  bool (*fits)(std::string_view) = nullptr;  // the same, for the machine; null: any
  std::vector<std::string_view> choices;     // of a string, or of each of a list's; an enum's enumerators in their order
  std::int64_t min = 0, max = 0;             // of an integer, both allowed
  double number_min = 0, number_max = 0;     // of a number, both allowed
  bool may_be_empty = false;                 // of a string or list: empty is "none"
  bool secret = false;                       // its value is never shown
  bool host_only = false;                    // of no meaning where the plugin is loaded by a host that is not ours
  bool reloadable = false;                   // read again at SIGHUP
  bool path = false;                         // of a file: relative to the folder of the configuration file that has it
  Value (*get)(const Option&, const Settings&) = nullptr;
  void (*set)(const Option&, Settings&, const Value&) = nullptr;  // the value must be of the type and accepted
};

std::span<const Option> option_table();
const Option* find_option(std::string_view name);

Value default_value(const Option& option);
bool is_empty(const Value& value);  // not set, or an empty text or list
// What is allowed, for people: "an integer from 0 to 65535".
std::string allowed(const Option& option);
// Whether `value`, which must be of the option's type, is in its range. Cross-option rules are in option_rules.
bool accepts(const Option& option, const Value& value);

// kafka.<property>, kafka.producer.<property>, kafka.consumer.<property>: passed on to librdkafka, which knows its own names and ranges.
// Names with an underscore are ours or nobody's: librdkafka has none that could be set from text.
enum class Side : std::uint8_t { both, producer, consumer };
struct PassedOn {
  Side side;
  std::string_view property;
};
// Returns false if `name` is no such option.
bool is_passed_on(std::string_view name, PassedOn& out);

// Whether a value by this name is never to be shown: secret options, and librdkafka's passwords, keys and tokens.
bool is_secret_name(std::string_view name);

// The valid name that is nearest to a wrong one; empty if none is near.
std::string_view nearest_name(std::string_view wrong);

}  // namespace fluentgate::config
