// Reads #include lines and says which of them break the house: its floors, its rooms and what core/domain may know (ARCHITECTURE.md).
#pragma once

#include <map>
#include <string>
#include <vector>

namespace fluentgate::test {

using SourceTree = std::map<std::string, std::string>;  // path from the root -> text

struct Include {
  int line = 0;
  bool angle = false;
  std::string path;
};

std::vector<Include> includes_of(const std::string& text);

// "core/wire/base64.hpp" -> "core/wire"; empty for what is not in a room.
std::string room_of(const std::string& path);

// One line for each include that breaks a rule, and one for each circle of rooms. Empty: the house stands.
std::vector<std::string> broken_rules(const SourceTree& tree);

// C and C++ files under core/ and plugin/.
SourceTree read_tree(const std::string& root);

}  // namespace fluentgate::test
