// Who hears what (CONTRACT 1 and 2).
#include "core/domain/hearing.hpp"

#include <string>

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

LanguageTag tag(std::string_view text) { return LanguageTag::parse(text).value(); }
LanguageList list(std::string_view text) { return parse_language_list(text).value(); }
Hearing listener(std::string_view listening, std::string_view understands = "") { return {list(listening), list(understands)}; }

}  // namespace

TEST(hearing_first_listening_tag_is_understood) {
  CHECK(listener("es,en").understands_speech_in(tag("es")));
  CHECK(listener("es-MX").understands_speech_in(tag("ES")));
  CHECK(listener("es").understands_speech_in(tag("es-AR")));
  CHECK(!listener("es-MX").understands_speech_in(tag("es-AR")));
}

TEST(hearing_second_listening_tag_is_not_understood) { CHECK(!listener("es,en").understands_speech_in(tag("en"))); }

TEST(hearing_every_understood_tag_counts) {
  CHECK(listener("es", "fr,en").understands_speech_in(tag("en")));
  CHECK(listener("", "en-GB").understands_speech_in(tag("en")));
  CHECK(!listener("es", "fr,pt").understands_speech_in(tag("en")));
}

TEST(hearing_unknown_speech_is_understood_by_nobody) { CHECK(!listener("en", "en,es").understands_speech_in(std::nullopt)); }

TEST(hears_the_best_of_several_only) {
  const LanguageList produced = list("fr,es-MX,es");
  CHECK(hears(listener("es,fr"), tag("en"), produced, tag("es")));
  CHECK(!hears(listener("es,fr"), tag("en"), produced, tag("es-MX")));
  CHECK(!hears(listener("es,fr"), tag("en"), produced, tag("fr")));
}

TEST(hears_the_second_choice_where_the_first_is_not_produced) {
  CHECK(hears(listener("es,fr"), tag("en"), list("fr,de"), tag("FR")));
  CHECK(!hears(listener("es,fr"), tag("en"), list("fr,de"), tag("de")));
}

TEST(hears_no_synthesis_of_speech_it_understands) {
  CHECK(!hears(listener("es", "en"), tag("en"), list("es"), tag("es")));
  CHECK(!hears(listener("en"), tag("en"), list("en"), tag("en")));
}

TEST(hears_synthesis_of_an_unknown_speaker) { CHECK(hears(listener("en"), std::nullopt, list("en"), tag("en"))); }

TEST(hears_nothing_without_a_listening_language) { CHECK(!hears(listener(""), tag("en"), list("es"), tag("es"))); }

TEST(produced_languages_last_until_the_timeout) {
  ProducedLanguages produced(10000);
  CHECK_EQ(join(produced.current(0)), "");
  produced.note(tag("es"), 1000);
  CHECK_EQ(join(produced.current(1000)), "es");
  CHECK_EQ(join(produced.current(11000)), "es");
  CHECK_EQ(join(produced.current(11001)), "");
}

TEST(produced_languages_are_kept_by_each_frame) {
  ProducedLanguages produced(10000);
  produced.note(tag("es"), 0);
  produced.note(tag("fr"), 0);
  produced.note(tag("ES"), 9000);
  CHECK_EQ(join(produced.current(15000)), "es");
  CHECK_EQ(join(produced.current(19000)), "es");
  CHECK_EQ(join(produced.current(19001)), "");
}

TEST(produced_languages_come_in_order_of_first_production) {
  ProducedLanguages produced(10000);
  produced.note(tag("es"), 0);
  produced.note(tag("fr"), 1);
  produced.note(tag("de"), 2);
  produced.note(tag("es"), 3);
  CHECK_EQ(join(produced.current(4)), "es,fr,de");
  produced.note(tag("fr"), 9000);
  produced.note(tag("de"), 9000);
  // es was away: it is a new language now, though nobody asked for the list in between.
  produced.note(tag("es"), 10004);
  CHECK_EQ(join(produced.current(10004)), "fr,de,es");
}

TEST(produced_languages_are_bounded_and_the_longest_unseen_goes) {
  ProducedLanguages produced(10000);
  for (std::size_t i = 0; i < limits::produced_languages_max; ++i) produced.note(tag("ll-" + std::to_string(i)), static_cast<SteadyMs>(i));
  produced.note(tag("ll-0"), 500);
  CHECK_EQ(produced.current(500).size(), limits::produced_languages_max);
  produced.note(tag("one-more"), 501);
  const auto tags = produced.current(501);
  CHECK_EQ(tags.size(), limits::produced_languages_max);
  CHECK_EQ(tags.front().spelling(), "ll-0");
  CHECK_EQ(tags[1].spelling(), "ll-2");
  CHECK_EQ(tags.back().spelling(), "one-more");
}
