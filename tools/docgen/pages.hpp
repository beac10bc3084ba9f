// The reference pages as Markdown, each from its table in the core.
#pragma once

#include <string>

namespace fluentgate::docgen {

std::string close_codes_markdown();
std::string error_codes_markdown();
std::string metrics_markdown();

}  // namespace fluentgate::docgen
