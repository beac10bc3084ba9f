// Tags, lists and RFC 4647 lookup (CONTRACT 1, "Identity and languages").
#include "core/domain/language.hpp"

#include <string>

#include "core/domain/limits.hpp"
#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

LanguageTag tag(std::string_view text) { return LanguageTag::parse(text).value(); }
LanguageList list(std::string_view text) { return parse_language_list(text).value(); }

// What is heard of `produced`, as spelled there; "-" for nothing.
std::string heard(std::string_view priority, std::string_view produced) {
  const LanguageList tags = list(produced);
  const auto index = best_match(list(priority), tags);
  return index ? tags.at(*index).spelling() : "-";
}

std::string error_of(std::string_view text) {
  const auto parsed = parse_language_list(text);
  if (parsed) FAIL("accepted: " + std::string(text));
  CHECK_EQ(parsed.error().code, "bad_language");
  return parsed.error().text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(language_tag_keeps_its_spelling_and_compares_without_case) {
  CHECK_EQ(tag("zh-HANT-tw").spelling(), "zh-HANT-tw");
  CHECK_EQ(tag("zh-HANT-tw").key(), "zh-hant-tw");
  CHECK(tag("EN-us") == tag("en-US"));
  CHECK(tag("en") != tag("en-US"));
  CHECK(tag("En") < tag("es"));
}

TEST(language_tag_syntax) {
  for (const char* good : {"en", "spa", "es-419", "zh-Hant-TW", "sl-rozaj-biske-1994", "de-CH-x-phonebk", "x-klingon", "i-default",
                           "abcdefgh", "en-12345678"}) {
    if (!LanguageTag::parse(good)) FAIL(std::string("refused: ") + good);
  }
  for (const char* bad : {"", "-", "en-", "-en", "en--US", "en_US", "e n", " en", "en ", "en,es", "419", "e1", "abcdefghi", "en-123456789", "*", "en-*",
                          "espa\xc3\xb1ol", "en\n", "e", "a-DE", "x", "i"}) {
    const auto parsed = LanguageTag::parse(bad);
    if (parsed) FAIL(std::string("accepted: ") + bad);
    CHECK_EQ(parsed.error().code, "bad_language");
  }
  CHECK(!LanguageTag::parse(std::string_view("en\0", 3)));
}

TEST(language_tag_length_ends_at_the_bound) {
  const std::string longest = "en-abcdefgh-abcdefgh-abcdefgh-abcde";
  CHECK_EQ(longest.size(), limits::language_tag_bytes_max);
  CHECK(LanguageTag::parse(longest).ok());
  CHECK(!LanguageTag::parse(longest + "f"));
}

TEST(language_error_is_short_ascii_whatever_came) {
  const std::string text = LanguageTag::parse("\x1b[31m\xff\"\\" + std::string(10000, 'a')).error().text;
  CHECK(text.size() < 100);
  for (char c : text) CHECK(c >= 0x20 && c < 0x7f);
  CHECK(text.starts_with("\"?[31m???aaa"));
}

TEST(language_list_keeps_order_and_first_spelling_without_repeats) {
  CHECK_EQ(join(list("es,fr-CA")), "es,fr-CA");
  CHECK_EQ(join(list(" es ,\tfr-CA ")), "es,fr-CA");
  CHECK_EQ(join(list("fr,ES,es,Fr,en")), "fr,ES,en");
}

TEST(language_list_of_nothing_is_empty) {
  CHECK(list("").empty());
  CHECK(list("  \t").empty());
  CHECK_EQ(join({}), "");
}

TEST(language_list_refuses_and_names_the_bad_element) {
  CHECK(contains(error_of("es,,fr"), "\"\""));
  CHECK(contains(error_of("es,"), "\"\""));
  CHECK(contains(error_of(","), "\"\""));
  CHECK(contains(error_of("es, en_US ,fr"), "\"en_US\""));
}

TEST(language_list_takes_8_elements_and_not_9) {
  CHECK_EQ(list("aa,bb,cc,dd,ee,ff,gg,hh").size(), limits::language_list_max);
  CHECK_EQ(limits::language_list_max, 8u);
  CHECK(contains(error_of("aa,bb,cc,dd,ee,ff,gg,hh,ninth"), "\"ninth\""));
  // Elements count, not languages: the bound is for what is sent.
  CHECK(contains(error_of("aa,aa,aa,aa,aa,aa,aa,aa,aa"), "more than 8"));
}

TEST(lookup_takes_the_tag_itself_first) {
  CHECK_EQ(heard("es", "es-MX,es,es-AR"), "es");
  CHECK_EQ(heard("ES-mx", "es,es-MX"), "es-MX");
}

TEST(lookup_truncates_from_the_end) {
  CHECK_EQ(heard("zh-Hant-TW", "zh,zh-Hant"), "zh-Hant");
  CHECK_EQ(heard("zh-Hant-TW", "en,zh"), "zh");
  CHECK_EQ(heard("zh-Hant-TW", "zh-Hans,zh-Hant-HK"), "-");
}

TEST(lookup_drops_a_single_character_with_what_follows_it) {
  // RFC 4647, 3.4: zh-Hant-CN-x-private1-private2, zh-Hant-CN-x-private1, zh-Hant-CN, zh-Hant, zh.
  CHECK_EQ(heard("zh-Hant-CN-x-private1-private2", "zh-Hant-CN-x,zh-Hant-CN"), "zh-Hant-CN");
  CHECK_EQ(heard("zh-Hant-CN-x-private1-private2", "zh,zh-Hant-CN-x-private1"), "zh-Hant-CN-x-private1");
  CHECK_EQ(heard("x-klingon-a", "x-klingon-b"), "-");
}

TEST(lookup_falls_to_a_tag_that_extends_the_wanted_one) {
  CHECK_EQ(heard("es", "en,es-MX,es-AR"), "es-MX");
  CHECK_EQ(heard("es", "est,esx-MX"), "-");
  // Only what was asked for is extended, never what lookup cut it to.
  CHECK_EQ(heard("es-ES", "es-MX"), "-");
  CHECK_EQ(heard("es-ES", "es-MX,es"), "es");
  CHECK_EQ(heard("zh-Hant", "zh-Hant-TW"), "zh-Hant-TW");
}

TEST(lookup_prefers_shorter_over_extended) { CHECK_EQ(heard("zh-Hant", "zh-Hant-TW,zh"), "zh"); }

TEST(lookup_exhausts_each_tag_before_the_next) {
  CHECK_EQ(heard("es-MX,fr", "fr,es"), "es");
  CHECK_EQ(heard("es,fr", "fr,es-AR"), "es-AR");
  CHECK_EQ(heard("pt,fr", "fr,es"), "fr");
  CHECK_EQ(heard("pt,it", "fr,es"), "-");
}

TEST(lookup_in_nothing_or_for_nothing_finds_nothing) {
  CHECK_EQ(heard("", "es"), "-");
  CHECK_EQ(heard("es", ""), "-");
}

TEST(related_tags_lie_on_one_lookup_path) {
  CHECK(related(tag("en"), tag("EN")));
  CHECK(related(tag("en-GB"), tag("en")));
  CHECK(related(tag("en"), tag("en-GB")));
  CHECK(related(tag("zh"), tag("zh-Hant-TW")));
  CHECK(!related(tag("en-GB"), tag("en-US")));
  CHECK(!related(tag("en"), tag("eng")));
  CHECK(related(tag("de"), tag("de-x-phonebk")));
}
