// main() of every test program: all tests, or one by --filter NAME, or their names by --list.
#include "test/support/check.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

extern "C" {  // cmocka 1.1's header does not say so itself
#include <cmocka.h>
}

namespace fluentgate::test {
namespace {

struct Entry {
  const char* name;
  void (*body)();
};

std::vector<Entry>& entries() {
  static std::vector<Entry> list;
  return list;
}

// Returns true when the test failed, its text in `text`; every C++ object of the test is gone by then.
bool failed(const Entry& entry, char* text, std::size_t size) {
  try {
    entry.body();
    return false;
  } catch (const std::exception& error) {
    std::snprintf(text, size, "%s", error.what());
  } catch (...) {
    std::snprintf(text, size, "an exception of unknown type");
  }
  return true;
}

void trampoline(void** state) {
  static char text[8192];
  if (failed(*static_cast<const Entry*>(*state), text, sizeof text)) fail_msg("%s", text);
}

}  // namespace

Registration::Registration(const char* name, void (*body)()) { entries().push_back({name, body}); }

}  // namespace fluentgate::test

int main(int argc, char** argv) {
  using namespace fluentgate::test;
  const char* filter = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--list") == 0) {
      for (const Entry& entry : entries()) std::printf("%s\n", entry.name);
      return 0;
    }
    if (std::strcmp(argv[i], "--filter") == 0 && i + 1 < argc) filter = argv[++i];
  }
  std::vector<CMUnitTest> tests;
  for (Entry& entry : entries()) {
    if (filter == nullptr || std::strcmp(filter, entry.name) == 0) tests.push_back({entry.name, trampoline, nullptr, nullptr, &entry});
  }
  if (tests.empty()) {
    std::fprintf(stderr, "no test named %s\n", filter == nullptr ? "(any)" : filter);
    return 2;
  }
  // The public macro wants an array whose size is known when compiling; this is the function behind it.
  return _cmocka_run_group_tests(argv[0], tests.data(), tests.size(), nullptr, nullptr);
}
