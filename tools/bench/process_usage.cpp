// See process_usage.hpp. proc(5): stat's second field is the name in parentheses, utime and stime are fields 14 and 15, in clock ticks.
#include "tools/bench/process_usage.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace fluentgate::bench {
namespace {

struct Stat {
  std::string name;
  double cpu_s = 0;
};

std::optional<Stat> read_stat(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(close + 1));
  std::string skipped;
  for (int field = 3; field <= 13; ++field) rest >> skipped;
  double user = 0, system = 0;
  if (!(rest >> user >> system)) return std::nullopt;
  return Stat{line.substr(open + 1, close - open - 1), (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

struct CloseDir { void operator()(DIR* dir) const noexcept { ::closedir(dir); } };

}  // namespace

std::optional<ProcessUsage> usage_of(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto whole = read_stat(folder + "/stat");
  std::ifstream memory(folder + "/statm");
  std::int64_t pages = 0, resident = 0;
  if (!whole || !(memory >> pages >> resident)) return std::nullopt;
  ProcessUsage out;
  out.cpu_s = whole->cpu_s;
  out.rss_bytes = resident * ::sysconf(_SC_PAGESIZE);
  const std::unique_ptr<DIR, CloseDir> tasks(::opendir((folder + "/task").c_str()));
  if (!tasks) return out;
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    if (const auto thread = read_stat(folder + "/task/" + entry->d_name + "/stat")) {
      out.thread_s[std::atoi(entry->d_name) == pid ? "main" : thread->name] += thread->cpu_s;
    }
  }
  return out;
}

}  // namespace fluentgate::bench
