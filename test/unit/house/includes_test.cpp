// The house stands: floors, circles, and what core/domain knows. Each rule is first seen to be broken by a made-up tree.
#include "test/support/check.hpp"
#include "test/unit/house/includes.hpp"

using namespace fluentgate::test;

namespace {

// The one rule that this tree breaks.
std::string only_fault(const SourceTree& tree) {
  const auto faults = broken_rules(tree);
  CHECK_EQ(faults.size(), 1u);
  return faults.front();
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(house_of_this_project_stands) {
  const SourceTree tree = read_tree(FLUENTGATE_SOURCE_DIR);
  CHECK(tree.contains("core/domain/ids.hpp"));
  CHECK(!includes_of(tree.at("core/domain/ids.hpp")).empty());
  std::string text;
  for (const std::string& fault : broken_rules(tree)) text += "\n  " + fault;
  if (!text.empty()) FAIL(text);
}

TEST(house_allows_what_lies_below_and_beside) {
  CHECK(broken_rules({
      {"core/domain/a.hpp", "#include <vector>\n#include \"core/domain/b.hpp\"\n"},
      {"core/log/a.cpp", "#include <unistd.h>\n#include \"core/domain/a.hpp\"\n"},
      {"core/kafka/a.cpp", "#include <librdkafka/rdkafka.h>\n#include \"core/wire/a.hpp\"\n#include \"core/log/a.hpp\"\n"},
      {"plugin/lws/a.cpp", "#include <libwebsockets.h>\n#include \"core/gateway/a.hpp\"\n"},
  }).empty());
}

TEST(house_refuses_an_arrow_upwards) {
  const std::string fault = only_fault({{"core/wire/a.cpp", "\n#include \"core/kafka/b.hpp\"\n"}});
  CHECK_EQ(fault, "core/wire/a.cpp:2: includes core/kafka/b.hpp: an arrow upwards");
  CHECK(contains(only_fault({{"core/gateway/a.cpp", "#include \"plugin/lws/b.hpp\""}}), "an arrow upwards"));
}

TEST(house_refuses_a_circle_of_rooms_on_one_floor) {
  const std::string fault = only_fault({
      {"core/wire/a.cpp", "#include \"core/config/a.hpp\"\n"},
      {"core/config/a.cpp", "#include \"core/auth/a.hpp\"\n"},
      {"core/auth/a.cpp", "#include \"core/wire/a.hpp\"\n"},
  });
  CHECK_EQ(fault, "a circle of rooms: core/auth -> core/wire -> core/config -> core/auth");
}

TEST(house_sees_no_circle_in_a_diamond) {
  CHECK(broken_rules({
      {"core/gateway/a.cpp", "#include \"core/kafka/a.hpp\"\n#include \"core/wire/a.hpp\"\n"},
      {"core/kafka/a.cpp", "#include \"core/wire/a.hpp\"\n#include \"core/domain/a.hpp\"\n"},
      {"core/wire/a.cpp", "#include \"core/domain/a.hpp\"\n"},
  }).empty());
}

TEST(house_keeps_the_domain_to_std_and_itself) {
  for (const char* line : {"#include <jansson.h>", "#include <unistd.h>", "#include <thread>", "#include <chrono>", "#include <mutex>",
                           "#include <hiredis/hiredis.h>", "#include \"core/log/a.hpp\"", "  #  include <atomic>"}) {
    CHECK(contains(only_fault({{"core/domain/a.cpp", line}}), "core/domain knows nothing but std and itself"));
  }
}

TEST(house_keeps_transports_out_of_the_core) {
  CHECK(contains(only_fault({{"core/gateway/a.cpp", "#include <libwebsockets.h>"}}), "the core knows no transport"));
  CHECK(contains(only_fault({{"core/audio/a.cpp", "#include <janus/plugin.h>"}}), "the core knows no transport"));
}

TEST(house_wants_includes_from_the_root) {
  for (const char* line : {"#include \"b.hpp\"", "#include \"../domain/b.hpp\"", "#include \"test/support/check.hpp\"",
                           "#include \"tools/worker/b.hpp\""}) {
    CHECK(contains(only_fault({{"core/wire/a.cpp", line}}), "includes go from the root"));
  }
}

TEST(house_wants_a_floor_for_every_room) {
  CHECK(contains(only_fault({{"core/attic/a.cpp", ""}}), "no floor"));
  CHECK(contains(only_fault({{"core/a.cpp", ""}}), "no floor"));
  CHECK(contains(only_fault({{"core/gateway/a.cpp", "#include \"core/attic/a.hpp\""}}), "no floor"));
}

TEST(house_reads_include_lines_only) {
  const auto found = includes_of(
      "// #include <a>\n#define X\n#include <vector>  // <b>\n \t#\tinclude \"core/x/y.hpp\"\n#include\n#include <broken\n");
  CHECK_EQ(found.size(), 2u);
  CHECK(found[0].angle);
  CHECK_EQ(found[0].path, "vector");
  CHECK_EQ(found[0].line, 3);
  CHECK(!found[1].angle);
  CHECK_EQ(found[1].path, "core/x/y.hpp");
}
