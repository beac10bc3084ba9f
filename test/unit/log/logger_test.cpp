// Lines as they are written, when they are written, and that none is lost or forged.
#include "core/log/logger.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::logging;

namespace {

struct FakeClock final : Clock {
  UnixMs unix = 1'795'341'600'123;  // 2026-11-22T10:00:00.123Z
  SteadyUs steady = 0;
  UnixMs unix_ms() const noexcept override { return unix; }
  SteadyUs steady_us() const noexcept override { return steady; }
};

constexpr const char* stamp = "2026-11-22T10:00:00.123Z";

// A folder of its own that goes with the test.
struct Folder {
  std::string path = "/tmp/fluentgate-log-XXXXXX";
  Folder() { if (mkdtemp(path.data()) == nullptr) FAIL("mkdtemp"); }
  ~Folder() {
    for (const char* name : {"log", "old"}) ::unlink(file(name).c_str());
    ::rmdir(path.c_str());
  }
  std::string file(const std::string& name) const { return path + "/" + name; }
};

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::unique_ptr<LineLogger> open(const std::string& file, const Clock& clock, Format format = Format::text) {
  auto logger = LineLogger::open({.file = file, .level = LogLevel::info, .format = format}, clock);
  CHECK(logger.ok());
  return std::move(logger).value();
}

std::string line(Format format, std::string_view category, std::string_view text) {
  std::string out;
  append_line(out, format, 1'795'341'600'123, LogLevel::info, category, text);
  return out;
}

}  // namespace

TEST(a_text_line_has_time_level_category_and_text) {
  CHECK_EQ(line(Format::text, "kafka", "broker is up"), std::string(stamp) + " info kafka: broker is up\n");
}

TEST(a_latency_line_has_no_colon) {
  CHECK_EQ(line(Format::text, "latency", "room=a speaker=b"), std::string(stamp) + " info latency room=a speaker=b\n");
}

TEST(a_json_line_has_stable_keys) {
  CHECK_EQ(line(Format::json, "kafka", "say \"no\" \\ yes"),
           std::string("{\"ts\":\"") + stamp + "\",\"level\":\"info\",\"category\":\"kafka\",\"text\":\"say \\\"no\\\" \\\\ yes\"}\n");
}

TEST(no_text_and_no_category_forges_a_line) {
  CHECK_EQ(line(Format::text, "a\nb", "x\ny\r\t\x1b[2J\x7f"), std::string(stamp) + " info a\\nb: x\\ny\\r\\t\\x1b[2J\\x7f\n");
  CHECK_EQ(line(Format::text, "a", "\xc2\x85\xe2\x80\xa8\xff\xc3\xa9"), std::string(stamp) + " info a: \\xc2\\x85\\xe2\\x80\\xa8\\xff\xc3\xa9\n");
  CHECK_EQ(line(Format::json, "a", std::string_view("\n\x01\0\xff\xc2\x85\xe2\x80\xa9", 9)),
           std::string("{\"ts\":\"") + stamp + "\",\"level\":\"info\",\"category\":\"a\",\"text\":\"\\n\\u0001\\u0000\xef\xbf\xbd\\u0085\\u2029\"}\n");
}

TEST(utf8_that_is_none_is_not_passed_on) {
  for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    const std::string text = line(Format::text, "a", bad);
    for (const char c : text) CHECK(static_cast<unsigned char>(c) < 0x80);
  }
  CHECK(line(Format::text, "a", "\xf0\x9f\x98\x80").find("\xf0\x9f\x98\x80") != std::string::npos);
}

TEST(a_text_too_long_is_cut_and_says_so) {
  const std::string cut = line(Format::text, "a", std::string(limits::log_line_bytes_max - 1, 'x') + "\xc3\xa9yyy");
  CHECK(cut.ends_with("x... (cut)\n"));
  CHECK(cut.size() < limits::log_line_bytes_max + 100);
}

TEST(levels_have_names_both_ways) {
  for (const LogLevel level : {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug}) CHECK(parse_level(name_of(level)) == level);
  CHECK(!parse_level("INFO"));
  CHECK(!parse_level(""));
}

TEST(info_waits_for_a_flush_and_errors_are_written_at_once_in_order) {
  const Folder folder;
  const FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  logger->write(LogLevel::info, "a", "first");
  CHECK_EQ(content(folder.file("log")), "");
  logger->flush();
  CHECK(content(folder.file("log")).ends_with(" info a: first\n"));
  logger->write(LogLevel::info, "a", "second");
  logger->write(LogLevel::error, "a", "third");
  CHECK(content(folder.file("log")).find("info a: second\n" + std::string(stamp) + " error a: third\n") != std::string::npos);
  logger->write(LogLevel::warn, "a", "fourth");
  CHECK(content(folder.file("log")).ends_with(" warn a: fourth\n"));
}

TEST(a_line_100_ms_after_the_last_write_is_written) {
  const Folder folder;
  FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  clock.steady = 99'999;
  logger->write(LogLevel::info, "a", "early");
  CHECK_EQ(content(folder.file("log")), "");
  clock.steady = 100'000;
  logger->write(LogLevel::info, "a", "late");
  CHECK(content(folder.file("log")).ends_with("early\n" + std::string(stamp) + " info a: late\n"));
  logger->write(LogLevel::info, "a", "next");
  CHECK(!content(folder.file("log")).ends_with("next\n"));
}

TEST(gathered_64_kib_are_written_without_a_flush) {
  const Folder folder;
  const FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  for (int i = 0; i < 63; ++i) logger->write(LogLevel::info, "a", std::string(980, 'x'));
  CHECK_EQ(content(folder.file("log")), "");
  for (int i = 0; i < 4; ++i) logger->write(LogLevel::info, "a", std::string(980, 'x'));
  CHECK(content(folder.file("log")).size() >= LineLogger::buffered_bytes);
}

TEST(the_end_of_the_logger_loses_nothing_and_a_file_is_appended_to) {
  const Folder folder;
  const FakeClock clock;
  open(folder.file("log"), clock)->write(LogLevel::info, "a", "one");
  open(folder.file("log"), clock)->write(LogLevel::info, "a", "two");
  CHECK(content(folder.file("log")).find("one\n") != std::string::npos);
  CHECK(content(folder.file("log")).ends_with("two\n"));
}

TEST(the_level_changes_while_running) {
  const Folder folder;
  const FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  CHECK(!logger->enabled(LogLevel::debug));
  logger->write(LogLevel::debug, "a", "unheard");
  logger->set_level(LogLevel::debug);
  CHECK(logger->enabled(LogLevel::debug));
  logger->write(LogLevel::debug, "a", "heard");
  logger->set_level(LogLevel::error);
  logger->write(LogLevel::warn, "a", "silenced");
  logger->flush();
  CHECK_EQ(content(folder.file("log")), std::string(stamp) + " debug a: heard\n");
}

TEST(reload_opens_the_file_again) {
  const Folder folder;
  const FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  logger->write(LogLevel::info, "a", "before");
  CHECK_EQ(std::rename(folder.file("log").c_str(), folder.file("old").c_str()), 0);
  CHECK(logger->reload().ok());
  logger->write(LogLevel::error, "a", "after");
  CHECK(content(folder.file("old")).ends_with("before\n"));
  CHECK_EQ(content(folder.file("log")), std::string(stamp) + " error a: after\n");
}

TEST(a_reload_that_fails_keeps_the_old_file) {
  const Folder folder;
  const FakeClock clock;
  const auto logger = open(folder.file("log"), clock);
  CHECK_EQ(std::rename(folder.file("log").c_str(), folder.file("old").c_str()), 0);
  CHECK_EQ(::mkdir(folder.file("log").c_str(), 0700), 0);
  const Status status = logger->reload();
  CHECK_EQ(::rmdir(folder.file("log").c_str()), 0);
  CHECK(!status.ok());
  logger->write(LogLevel::error, "a", "still here");
  CHECK(content(folder.file("old")).ends_with("still here\n"));
}

TEST(a_file_that_cannot_be_opened_is_an_error_that_names_it) {
  const Folder folder;
  const FakeClock clock;
  CHECK_EQ(::mkfifo(folder.file("old").c_str(), 0600), 0);  // without a reader: an error, not a hang
  for (const std::string& file : {folder.path, folder.file("none/log"), folder.file("old")}) {
    const auto logger = LineLogger::open({.file = file}, clock);
    CHECK(!logger.ok());
    CHECK_EQ(logger.error().code, "log_file");
    CHECK(logger.error().text.find(file) != std::string::npos);
  }
}

TEST(lines_wait_for_a_full_pipe_and_those_that_cannot_are_counted_and_told) {
  int ends[2];
  CHECK_EQ(::pipe2(ends, O_NONBLOCK), 0);
  const FakeClock clock;
  std::string heard;
  const auto drain = [&] {
    char bytes[65536];
    for (ssize_t got; (got = ::read(ends[0], bytes, sizeof bytes)) > 0;) heard.append(bytes, static_cast<std::size_t>(got));
  };
  std::uint64_t lost = 0;
  {
    const auto logger = LineLogger::to_descriptor(ends[1], LogLevel::info, Format::text, clock);
    const std::string text(8000, 'x');
    int written = 0;
    for (; logger->lines_lost() < 3 && written < 1000; ++written) logger->write(LogLevel::warn, "a", std::to_string(written) + text);
    CHECK(written < 1000);
    lost = logger->lines_lost();
    for (int i = 0; i < 100; ++i) {
      drain();
      logger->flush();
    }
    drain();
    for (int i = 0; i < written - 3; ++i) CHECK(heard.find(" warn a: " + std::to_string(i) + "x") != std::string::npos);
  }
  CHECK_EQ(lost, 3u);
  CHECK(heard.ends_with(" warn log: 3 lines were lost: the log could not be written\n"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(lines_of_several_threads_stay_whole) {
  const Folder folder;
  const FakeClock clock;
  {
    const auto logger = open(folder.file("log"), clock);
    const auto work = [&](char c) {
      for (int i = 0; i < 2000; ++i) logger->write(i % 100 == 0 ? LogLevel::warn : LogLevel::info, "a", std::string(50, c));
    };
    std::thread first(work, 'x'), second(work, 'y');
    first.join();
    second.join();
  }
  std::ifstream in(folder.file("log"));
  int lines = 0;
  for (std::string text; std::getline(in, text); ++lines) CHECK(text.ends_with(std::string(50, 'x')) || text.ends_with(std::string(50, 'y')));
  CHECK_EQ(lines, 4000);
}
