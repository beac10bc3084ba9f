// The option table as text: what --print-options prints, and docs/options.md. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace fluentgate::config {

// Valid TOML, one line an option: `name = default  # text`; without a default: `# name =  # text`. The loader takes it back.
std::string print_options();

std::string options_markdown();

// Text for a cell of a Markdown table: `|` would end it, and outside of backquotes `<` would be HTML and `*` emphasis.
std::string markdown_cell(std::string_view text);

}  // namespace fluentgate::config
