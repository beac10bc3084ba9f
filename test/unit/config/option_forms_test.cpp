#include "core/config/option_forms.hpp"

#include <string>

#include "test/support/check.hpp"

using namespace fluentgate::config;

namespace {

void check_form(bool (*form)(std::string_view), std::initializer_list<std::string_view> good, std::initializer_list<std::string_view> bad) {
  for (const std::string_view text : good) if (!form(text)) FAIL("refused: " + std::string(text));
  for (const std::string_view text : bad) if (form(text)) FAIL("taken: " + std::string(text));
}

}  // namespace

TEST(form_of_a_prefix) {
  check_form(is_prefix, {"/ws", "/api/v1/ws", "/a.b_c~d-9"}, {"", "/", "ws", "/ws/", "//ws", "/a//b", "/a/../b", "/.", "/a b", "/a%20b", "/w\xc3\xa9"});
  CHECK(!is_prefix("/" + std::string(200, 'a')));
}

TEST(form_of_a_topic) {
  check_form(is_topic, {"audio.raw", "A_b-9"}, {"", ".", "..", "a b", "a/b", "a\n"});
  CHECK(is_topic(std::string(249, 'a')));
  CHECK(!is_topic(std::string(250, 'a')));
}

TEST(form_of_an_origin) {
  check_form(is_origin, {"https://meet.example.org", "http://localhost:3000", "http://[::1]:8080", "null", "chrome-extension://abc"},
             {"", "*", "https://", "://a", "meet.example.org", "https://a.org/", "https://a.org/path", "https://a b", "https://a@b", "https://*.a.org"});
}

TEST(form_of_a_cookie_name) { check_form(is_cookie_name, {"token", "__Host-fg"}, {"", "a b", "a=b", "a;b", "a\n", "\xc3\xa9"}); }

TEST(form_of_a_network) {
  check_form(is_network, {"127.0.0.1", "10.0.0.0/8", "::1", "fe80::/10", "0.0.0.0/0"},
             {"", "localhost", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8x", std::string_view("::1\0", 4)});
}

TEST(form_of_text_has_no_control_characters) { check_form(is_text, {"", "a b", "h\xc3\xa9"}, {"a\nb", "\t", "\x7f", std::string_view("\0", 1)}); }
