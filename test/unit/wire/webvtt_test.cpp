// webvtt.hpp: the file's form, times, escapes, lengths of cues.
#include "core/wire/webvtt.hpp"

#include <vector>

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::wire;

namespace {

constexpr UnixMs ten_oclock = 1795341600000;

std::shared_ptr<const Caption> caption(std::string_view speaker, std::string_view language, std::string_view text, UnixMs time) {
  Caption caption{RoomId("r"), CaptionType::original, UserId(speaker), LanguageTag::parse(language).value()};
  caption.text = text;
  caption.event_ms = time;
  return std::make_shared<const Caption>(std::move(caption));
}

std::optional<std::string> nobody(const UserId&) { return std::nullopt; }

std::string cues(const std::vector<std::shared_ptr<const Caption>>& finals, const SpeakerName& name = nobody) {
  const std::string text = webvtt(finals, name);
  const std::string head = "WEBVTT\n\nNOTE 00:00:00.000 is 2026-11-22T10:00:00.000000+00:00\n\n";
  CHECK_EQ(text.substr(0, head.size()), head);
  return text.substr(head.size());
}

}  // namespace

TEST(webvtt_of_nothing_is_an_empty_file) { CHECK_EQ(webvtt({}, nobody), "WEBVTT\n\n"); }

TEST(webvtt_times_count_from_the_first_cue) {
  CHECK_EQ(cues({caption("ann", "en", "Good morning everybody here", ten_oclock), caption("bob", "en", "Hi", ten_oclock + 3723456)},
                [](const UserId& user) { return user.value == "ann" ? std::optional<std::string>("Ann") : std::nullopt; }),
           "00:00:00.000 --> 00:00:01.755\n<v Ann>Good morning everybody here\n\n01:02:03.456 --> 01:02:04.456\n<v bob>Hi\n\n");
}

TEST(webvtt_cues_end_where_the_same_voice_goes_on) {
  const std::string text(200, 'x');
  CHECK_EQ(cues({caption("ann", "en", text, ten_oclock), caption("ann", "es", text, ten_oclock + 100), caption("ann", "en", "y", ten_oclock + 3000)}),
           "00:00:00.000 --> 00:00:03.000\n<v ann>" + text + "\n\n00:00:00.100 --> 00:00:07.100\n<v ann>" + text +
               "\n\n00:00:03.000 --> 00:00:04.000\n<v ann>y\n\n");
}

TEST(webvtt_cues_are_in_order_of_time) {
  CHECK_EQ(cues({caption("ann", "en", "second", ten_oclock + 500), caption("bob", "en", "first", ten_oclock)}),
           "00:00:00.000 --> 00:00:01.000\n<v bob>first\n\n00:00:00.500 --> 00:00:01.500\n<v ann>second\n\n");
}

TEST(webvtt_text_cannot_end_its_cue_or_begin_markup) {
  CHECK_EQ(cues({caption("a>\n\nb&", "en", std::string_view("x --> y\n\n<b>&amp;\r\n00:01 \0 z\xFF\xC3\xA9", 31), ten_oclock)}),
           "00:00:00.000 --> 00:00:01.950\n<v a&gt; b&amp;>x --&gt; y &lt;b&gt;&amp;amp; 00:01 z\xEF\xBF\xBD\xC3\xA9\n\n");
}
