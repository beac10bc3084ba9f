// fluentgate-docgen [--check] FOLDER: writes the generated reference pages into FOLDER, or with --check says which of them are out of date.
// Exit: 0 done, or all up to date; 1 a page is out of date, or can't be written; 2 wrong usage.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option_pages.hpp"
#include "tools/docgen/pages.hpp"

namespace {

struct Page {
  std::string_view name;
  std::string text;
};

std::vector<Page> pages() {
  using namespace fluentgate;
  return {{"options.md", config::options_markdown()},
          {"close-codes.md", docgen::close_codes_markdown()},
          {"error-codes.md", docgen::error_codes_markdown()},
          {"metrics.md", docgen::metrics_markdown()}};
}

bool is_up_to_date(const std::filesystem::path& path, const std::string& text) {
  std::ifstream in(path, std::ios::binary);
  return in && std::string(std::istreambuf_iterator<char>(in), {}) == text;
}

bool write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
  if (argc != (check ? 3 : 2) || argv[argc - 1][0] == '-') {
    std::fprintf(stderr, "usage: fluentgate-docgen [--check] FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[argc - 1];
  int status = 0;
  for (const Page& page : pages()) {
    const std::filesystem::path path = folder / page.name;
    if (is_up_to_date(path, page.text)) continue;
    if (check) {
      std::fprintf(stderr, "%s is out of date: run fluentgate-docgen %s\n", path.c_str(), folder.c_str());
      status = 1;
    } else if (!write(path, page.text)) {
      std::fprintf(stderr, "%s can't be written\n", path.c_str());
      status = 1;
    }
  }
  return status;
}
