#include "core/wire/room_note.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

TEST(room_note_reads_what_it_writes) {
  const UserId user("ü\"\\\n");
  const auto refreshed = parse_note(note_text(RefreshedNote{user, 1795341600}));
  CHECK(std::get<RefreshedNote>(*refreshed).user == user);
  CHECK_EQ(std::get<RefreshedNote>(*refreshed).exp_s.value(), 1795341600);
  CHECK(!std::get<RefreshedNote>(*parse_note(note_text(RefreshedNote{user, std::nullopt}))).exp_s);
  CHECK(std::get<VoicedNote>(*parse_note(note_text(VoicedNote{user}))).user == user);
  CHECK(std::get<ForbiddenNote>(*parse_note(note_text(ForbiddenNote{user}))).user == user);
}

TEST(room_note_of_another_version_is_an_error) {
  for (const char* bad : {"", "[]", "{", R"({"note":"voiced"})", R"({"user":"u"})", R"({"note":"later","user":"u"})", R"({"note":"refreshed","user":"u"})",
                          R"({"note":"refreshed","user":"u","exp":"soon"})", R"({"note":1,"user":"u"})", R"({"note":"voiced","user":""})"}) {
    if (parse_note(bad)) FAIL(bad);
  }
  CHECK(parse_note(R"({"note":"voiced","user":"u","more":[1]})").ok());
}
