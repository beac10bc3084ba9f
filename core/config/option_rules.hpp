// Rules between options. Thread: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/settings.hpp"

namespace fluentgate::config {

// One line for each broken rule: option, value, what is allowed. A rule that reads an option for which `is_wrong` is left out: its error
// has been told, and what follows from it would mislead.
std::vector<std::string> broken_rules(const Settings& settings, const std::function<bool(std::string_view)>& is_wrong);

}  // namespace fluentgate::config
