// A value as text: read from --set and per-vhost options, shown as TOML. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "core/config/option_table.hpp"

namespace fluentgate::config {

// A value of the option's type from `text`: a string as it is, a list as a TOML array or separated by commas. monostate if it is not of that type.
Value value_of_text(OptionType type, std::string_view text);

// TOML, on one line: "text" with escapes, ["a", "b"], 0.15. monostate is empty.
std::string show(const Value& value);
// The same, cut to what fits in a message.
std::string show_short(const Value& value);

}  // namespace fluentgate::config
