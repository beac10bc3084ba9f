// The rules. Rooms on one floor may use each other as long as no circle comes of it.
#include "test/unit/house/includes.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace fluentgate::test {
namespace {

const std::map<std::string, int> floors = {
    {"core/domain", 1}, {"core/log", 1},   {"core/metrics", 1}, {"core/wire", 2},  {"core/auth", 2},  {"core/audio", 2},   {"core/config", 2},
    {"core/kafka", 3},  {"core/redis", 3}, {"core/gateway", 4}, {"plugin/lws", 5}, {"plugin/host", 5}, {"plugin/janus", 5},
};

// Std without threads, clocks, files and streams of the process: the domain has none of its own.
const std::set<std::string> domain_may_include = {
    "algorithm", "array",  "bit",    "bitset",   "cassert",     "cctype",        "charconv",      "cmath",    "compare", "concepts",
    "cstddef",   "cstdint", "cstring", "deque",  "exception",   "functional",    "initializer_list", "iterator", "limits", "list",
    "map",       "memory", "new",    "numbers",  "numeric",     "optional",      "ostream",       "queue",    "ranges",  "ratio",
    "set",       "span",   "stack",  "stdexcept", "string",     "string_view",   "tuple",         "type_traits", "unordered_map", "unordered_set",
    "utility",   "variant", "vector",
};

bool is_transport_header(const std::string& path) {
  return path.starts_with("libwebsockets") || path.starts_with("lws") || path.starts_with("janus/");
}

// What one include breaks; empty: nothing.
std::string broken_by(const std::string& room, const Include& include) {
  if (include.angle) {
    if (room == "core/domain" && !domain_may_include.contains(include.path)) return "core/domain knows nothing but std and itself";
    if (room.starts_with("core/") && is_transport_header(include.path)) return "the core knows no transport";
    return "";
  }
  const std::string target = room_of(include.path);
  if (target.empty()) return "includes go from the root, to a room of core/ or plugin/";
  if (!floors.contains(target)) return "a room that has no floor in this test";
  if (room == "core/domain" && target != room) return "core/domain knows nothing but std and itself";
  if (floors.at(target) > floors.at(room)) return "an arrow upwards";
  return "";
}

using Graph = std::map<std::string, std::set<std::string>>;

// The first circle met from `room`, as "a -> b -> a".
std::string circle_from(const Graph& graph, const std::string& room, std::vector<std::string>& way, std::set<std::string>& done) {
  for (std::size_t i = 0; i < way.size(); ++i) {
    if (way[i] != room) continue;
    std::string text;
    for (; i < way.size(); ++i) text += way[i] + " -> ";
    return text + room;
  }
  if (!done.insert(room).second) return "";
  way.push_back(room);
  if (const auto found = graph.find(room); found != graph.end()) {
    for (const std::string& next : found->second) {
      if (std::string circle = circle_from(graph, next, way, done); !circle.empty()) return circle;
    }
  }
  way.pop_back();
  return "";
}

}  // namespace

std::vector<Include> includes_of(const std::string& text) {
  std::vector<Include> out;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line[at] != '#') continue;
    at = line.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
    at = line.find_first_of("<\"", at);
    if (at == std::string::npos) continue;
    const bool angle = line[at] == '<';
    const std::size_t end = line.find(angle ? '>' : '"', at + 1);
    if (end == std::string::npos) continue;
    out.push_back({number, angle, line.substr(at + 1, end - at - 1)});
  }
  return out;
}

std::string room_of(const std::string& path) {
  const std::size_t first = path.find('/');
  if (first == std::string::npos) return "";
  const std::string top = path.substr(0, first);
  if (top != "core" && top != "plugin") return "";
  const std::size_t second = path.find('/', first + 1);
  return second == std::string::npos ? "" : path.substr(0, second);
}

std::vector<std::string> broken_rules(const SourceTree& tree) {
  std::vector<std::string> out;
  Graph graph;
  for (const auto& [path, text] : tree) {
    const std::string room = room_of(path);
    if (!floors.contains(room)) {
      out.push_back(path + ": a room that has no floor in this test");
      continue;
    }
    for (const Include& include : includes_of(text)) {
      const std::string why = broken_by(room, include);
      if (!why.empty()) out.push_back(path + ":" + std::to_string(include.line) + ": includes " + include.path + ": " + why);
      if (include.angle) continue;
      const std::string target = room_of(include.path);
      if (!target.empty() && target != room) graph[room].insert(target);
    }
  }
  std::set<std::string> done;
  for (const auto& [room, targets] : graph) {
    std::vector<std::string> way;
    if (std::string circle = circle_from(graph, room, way, done); !circle.empty()) out.push_back("a circle of rooms: " + circle);
  }
  return out;
}

SourceTree read_tree(const std::string& root) {
  namespace fs = std::filesystem;
  static const std::set<std::string> kinds = {".hpp", ".cpp", ".h", ".c", ".inc"};
  SourceTree out;
  for (const char* top : {"core", "plugin"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fs::path(root) / top)) {
      if (!entry.is_regular_file() || !kinds.contains(entry.path().extension().string())) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      out[fs::relative(entry.path(), root).generic_string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return out;
}

}  // namespace fluentgate::test
