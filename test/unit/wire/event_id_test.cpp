// event_id.hpp: the form of UUIDs and traceparents, and that no two are alike, after fork() neither.
#include "core/wire/event_id.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "test/support/check.hpp"

using namespace fluentgate::wire;

namespace {

// 'h' stands for a hexadecimal digit, 'v' for a variant's first.
bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view allowed = form[i] == 'h' ? "0123456789abcdef" : form[i] == 'v' ? "89ab" : form.substr(i, 1);
    if (allowed.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}
constexpr std::string_view uuid_form = "hhhhhhhh-hhhh-4hhh-vhhh-hhhhhhhhhhhh";
constexpr std::string_view trace_form = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-01";

std::string uuid() {
  std::string out;
  append_uuid4(out);
  return out;
}

}  // namespace

TEST(uuids_are_of_version_4_and_all_different) {
  std::set<std::string> seen;
  std::string varied(36, '\0');
  for (int i = 0; i < 1000; ++i) {
    const std::string id = uuid();
    CHECK(has_form(id, uuid_form));
    CHECK(seen.insert(id).second);
    for (std::size_t at = 0; at < id.size(); ++at) {
      if (varied[at] == '\0') varied[at] = id[at];
      else if (varied[at] != id[at]) varied[at] = '*';
    }
  }
  CHECK_EQ(varied, "********-****-4***-****-************");
}

TEST(threads_have_numbers_of_their_own) {
  std::string other;
  const std::string mine = uuid();
  std::thread([&] { other = uuid(); }).join();
  CHECK(mine != other);
}

TEST(a_forked_process_has_numbers_of_its_own) {
  uuid();
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string id = uuid();
    _exit(write(ends[1], id.data(), id.size()) == static_cast<ssize_t>(id.size()) ? 0 : 1);
  }
  CHECK(child > 0);
  const std::string mine = uuid();
  std::string theirs(36, '\0');
  const ssize_t got = read(ends[0], theirs.data(), theirs.size());
  int status = -1;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  CHECK_EQ(status, 0);
  CHECK_EQ(got, 36);
  CHECK(mine != theirs);
}

TEST(traceparents_follow_w3c) {
  CHECK(has_form(traceparent(), trace_form));
  CHECK(traceparent() != traceparent());
}
