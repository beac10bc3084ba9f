// The rows of the option table; read through option_table.hpp.
#pragma once

#include <vector>

#include "core/config/option_table.hpp"

namespace fluentgate::config {

std::vector<Option> option_rows();

}  // namespace fluentgate::config
