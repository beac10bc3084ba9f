// Apertium pipelines that stay: across phrases, and after one of their stages died or hung.
#include "tools/worker/translator.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

namespace {

const std::string modes_dir = "/usr/share/apertium/modes";
constexpr auto long_enough = std::chrono::seconds(20);

[[maybe_unused]] const auto pipe_ignored = ::signal(SIGPIPE, SIG_IGN);  // as the worker's main does

// Translations as they come, waited for.
struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::vector<std::string>> texts;
  Translator::OnTranslated handler() {
    return [this](const PhrasePtr&, const std::string& language, std::string text) {
      const std::lock_guard lock(mutex);
      texts[language].push_back(std::move(text));
      changed.notify_all();
    };
  }
  void wait_for(const std::string& language, std::size_t count) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, long_enough, [&] { return texts[language].size() >= count; })) FAIL("no translation into " + language);
  }
};

PhrasePtr phrase(const std::string& text, const std::vector<std::string>& languages) {
  auto made = std::make_shared<Phrase>();
  made->at = std::make_shared<ChunkInfo>();
  made->text = text;
  for (const std::string& language : languages) made->wanted[language] = {language};
  made->report = std::make_shared<PhraseReport>(made->at, std::make_shared<Summary>());
  return made;
}

std::unique_ptr<Translator> translator(const std::vector<std::string>& languages, Inbox& inbox) {
  auto made = Translator::make(modes_dir, languages, inbox.handler());
  if (!made) FAIL(made.error().text);
  return std::move(*made);
}

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/fluentgate-modes-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path + "/" + name) << text; }
};

}  // namespace

TEST(mode_file_becomes_stages_with_null_flush) {
  auto stages = mode_stages("lt-proc '/a b/x.bin' | apertium-tagger -g $2 '/p' | lt-proc $1 '/g'\n");
  CHECK(stages.ok());
  CHECK_EQ(stages->size(), 3u);
  CHECK_EQ((*stages)[0][1], "-z");
  CHECK_EQ((*stages)[0][2], "/a b/x.bin");
  CHECK_EQ((*stages)[1].size(), 4u);
  CHECK_EQ((*stages)[2][2], "-n");
  CHECK(!mode_stages("a | | b").ok());
  CHECK(!mode_stages("a 'b").ok());
}

TEST(stream_characters_are_escaped_and_marks_stripped) {
  CHECK_EQ(to_apertium("a[b]^c$/@"), "a\\[b\\]\\^c\\$\\/\\@.[][\n]");
  CHECK_EQ(from_apertium("hola *xyz  @mundo #ser.[][\n]"), "hola xyz mundo ser");
  CHECK_EQ(from_apertium("a\\[b"), "a[b");
}

TEST(one_process_translates_phrase_after_phrase) {
  const std::atomic<bool> stopping{false};
  ApertiumProcess process(modes_dir, "eng-spa", stopping);
  CHECK(process.start().ok());
  const auto pids = process.pids();
  for (int i = 0; i < 5; ++i) {
    auto answer = process.translate("the house is big", long_enough);
    CHECK(answer.ok());
    CHECK(answer->find("casa") != std::string::npos);
  }
  auto empty = process.translate("", long_enough);
  CHECK(empty.ok());
  CHECK(process.pids() == pids);
  CHECK_EQ(process.restarts(), 0);
}

TEST(spanish_is_made_once_and_french_and_portuguese_of_it) {
  Inbox inbox;
  auto made = translator({"es", "ca", "fr", "pt"}, inbox);
  made->submit(phrase("the house is big", {"es", "ca", "fr", "pt"}));
  for (const char* language : {"es", "ca", "fr", "pt"}) inbox.wait_for(language, 1);
  CHECK(inbox.texts["es"][0].find("casa") != std::string::npos);
  CHECK(inbox.texts["ca"][0].find("casa") != std::string::npos);
  CHECK(inbox.texts["fr"][0].find("maison") != std::string::npos);
  CHECK(inbox.texts["pt"][0].find("casa") != std::string::npos);
}

TEST(only_wanted_languages_are_given) {
  Inbox inbox;
  auto made = translator({"es", "fr"}, inbox);
  made->submit(phrase("the house is big", {"fr"}));
  inbox.wait_for("fr", 1);
  CHECK_EQ(inbox.texts["es"].size(), 0u);
}

TEST(a_killed_stage_is_started_again_and_the_phrase_is_not_lost) {
  Inbox inbox;
  auto made = translator({"es"}, inbox);
  made->submit(phrase("the house is big", {"es"}));
  inbox.wait_for("es", 1);
  const auto before = made->pids("es");
  CHECK(before.size() > 5);
  ::kill(before[3], SIGKILL);
  made->submit(phrase("the dog is small", {"es"}));
  inbox.wait_for("es", 2);
  CHECK(inbox.texts["es"][1].find("perro") != std::string::npos);
  CHECK(made->pids("es") != before);
}

TEST(a_hung_stage_is_given_up_after_its_time) {
  const std::atomic<bool> stopping{false};
  const Folder folder;
  folder.write("hangs.mode", "grep 'no such words'");  // takes -z, and says nothing
  ApertiumProcess process(folder.path, "hangs", stopping);
  CHECK(process.start().ok());
  const auto begun = std::chrono::steady_clock::now();
  auto answer = process.translate("the house", std::chrono::milliseconds(200));
  CHECK(!answer.ok());
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}

TEST(a_missing_language_names_its_package) {
  const Folder folder;
  Inbox inbox;
  auto made = Translator::make(folder.path, {"ca"}, inbox.handler());
  CHECK(!made.ok());
  CHECK_EQ(made.error().code, "missing_model");
  CHECK(made.error().text.find("apertium-eng-cat") != std::string::npos);
}

TEST(a_missing_program_is_an_error_not_a_crash) {
  const std::atomic<bool> stopping{false};
  const Folder folder;
  folder.write("bad.mode", "cat | no-such-program-at-all '/x'");
  ApertiumProcess process(folder.path, "bad", stopping);
  const Status started = process.start();
  CHECK(!started.ok());
  CHECK(started.error().text.find("no-such-program-at-all") != std::string::npos);
}
