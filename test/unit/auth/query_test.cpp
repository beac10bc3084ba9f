#include "core/auth/query.hpp"

#include "test/support/check.hpp"

using namespace fluentgate::auth;

TEST(percent_decoding_takes_both_cases) { CHECK_EQ(*percent_decode("a%3Ab%3a%2fc"), "a:b:/c"); }

TEST(percent_decoding_refuses_bad_escapes_and_nul) {
  for (const char* text : {"%", "%4", "a%", "%zz", "%4g", "%00", "%%41"}) {
    if (percent_decode(text)) FAIL(std::string("accepted: ") + text);
  }
  CHECK(!percent_decode(std::string_view("a\0b", 3)));
}

TEST(percent_encoding_survives_decoding) {
  std::string all;
  for (int i = 1; i < 256; ++i) all.push_back(static_cast<char>(i));
  CHECK_EQ(*percent_decode(percent_encode(all)), all);
  CHECK_EQ(*percent_decode(percent_encode(all), true), all);
}

TEST(plus_is_a_blank_in_queries_only) {
  CHECK_EQ(*percent_decode("a+b"), "a+b");
  CHECK_EQ(*Query("lang=es,+fr").find("lang")->value, "es, fr");
  CHECK_EQ(*Query("x=a%2Bb").find("x")->value, "a+b");
}

TEST(query_counts_names_after_decoding) {
  const Query query("token=a&%74oken=b&lang=es&&x&=y");
  CHECK_EQ(query.count("token"), 2u);
  CHECK_EQ(*query.find("token")->value, "a");
  CHECK_EQ(*query.find("x")->value, "");
  CHECK_EQ(query.count("nothing"), 0u);
  CHECK(query.find("nothing") == nullptr);
}

TEST(query_keeps_equals_signs_of_a_value) { CHECK_EQ(*Query("a=b=c==").find("a")->value, "b=c=="); }

TEST(query_marks_a_value_with_a_bad_escape) {
  const Query query("lang=%zz&%zz=1&speak=en");
  CHECK(query.find("lang") != nullptr && !query.find("lang")->value);
  CHECK_EQ(*query.find("speak")->value, "en");
}
