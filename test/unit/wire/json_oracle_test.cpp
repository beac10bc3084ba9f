// json_scan.hpp against jansson on generated and damaged texts: both must agree on what is JSON and on what the members are.
#include <jansson.h>

#include <memory>
#include <random>
#include <string>

#include "core/wire/client_message.hpp"
#include "core/wire/json_scan.hpp"
#include "test/support/check.hpp"

using namespace fluentgate::wire;

namespace {

struct Release { void operator()(json_t* json) const { json_decref(json); } };
using Json = std::unique_ptr<json_t, Release>;

Json oracle(std::string_view text) {
  return Json(json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, nullptr));
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::string object(int depth) {
    std::string out = "{" + blank();
    const unsigned count = below(5);
    for (unsigned i = 0; i < count; ++i) {
      if (i > 0) out += "," + blank();
      out += key() + blank() + ":" + blank() + value(depth - 1) + blank();
    }
    return out + "}";
  }

  // One random edit: a byte changed, dropped, doubled or a piece cut off.
  void damage(std::string& text) {
    if (text.empty()) return;
    const std::size_t at = below(static_cast<unsigned>(text.size()));
    static constexpr std::string_view bytes = "{}[]:,\"\\ 0123456789-+.eEtfnu/\n\t\x01\x7F\xC3\xA9\xED\xFF";
    switch (below(4)) {
      case 0: text[at] = bytes[below(static_cast<unsigned>(bytes.size()))]; break;
      case 1: text.erase(at, 1); break;
      case 2: text.insert(at, 1, bytes[below(static_cast<unsigned>(bytes.size()))]); break;
      default: text.resize(at); break;
    }
  }

 private:
  std::string blank() { return below(4) == 0 ? std::string(1, " \t\r\n"[below(4)]) : ""; }
  std::string key() {
    static const char* const keys[] = {"\"type\"", "\"from_user_id\"", "\"fr\\u006fm_user_id\"", "\"a\"", "\"\"", "\"caf\xC3\xA9\"", "\"x\\\"y\""};
    return keys[below(7)];
  }
  std::string string() {
    static const char* const pieces[] = {"a", "\\n", "\\u00e9", "\\ud83d\\ude00", "\xE2\x82\xAC", "\\\\", "\\\"", "\\/", "}", "]", ",", ":", " "};
    std::string out = "\"";
    for (unsigned i = below(5); i > 0; --i) out += pieces[below(13)];
    return out + "\"";
  }
  std::string value(int depth) {
    static const char* const numbers[] = {"0", "-1", "12.5", "1e3", "-0.5E-2", "123456789012"};
    switch (depth > 0 ? below(7) : below(5)) {
      case 0: return numbers[below(6)];
      case 1: return string();
      case 2: return "true";
      case 3: return "null";
      case 4: return "false";
      case 5: return object(depth);
      default: break;
    }
    std::string out = "[" + blank();
    for (unsigned i = 0, count = below(4); i < count; ++i) out += (i > 0 ? "," + blank() : "") + value(depth - 1) + blank();
    return out + "]";
  }
  std::mt19937 random_;
};

// Where jansson and the grammar differ: \u escapes of half a pair or of NUL in a key, and numbers that no double holds.
bool beyond_jansson(std::string_view text) {
  if (text.find("\\u") != std::string_view::npos) return true;
  for (std::size_t i = 0; i + 3 < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (text[i] != 'e' && text[i] != 'E') continue;
    const std::size_t exponent = text[i + 1] == '+' ? i + 2 : i + 1;
    if (digit(exponent) && digit(exponent + 1) && digit(exponent + 2)) return true;
  }
  return false;
}

void compare_members(std::string_view text, json_t* json) {
  ObjectScanner scanner(text);
  Json rebuilt(json_object());
  while (const auto member = scanner.next()) {
    json_object_setn_new(rebuilt.get(), member->key.data(), member->key.size(), oracle(member->value).release());
  }
  if (!json_equal(rebuilt.get(), json)) FAIL(std::string(text));
}

}  // namespace

TEST(scanner_and_jansson_agree_on_what_is_json) {
  int good = 0;
  int broken = 0;
  for (unsigned seed = 0; seed < 40000; ++seed) {
    Generator generator(seed);
    std::string text = generator.object(4);
    const unsigned edits = generator.below(3);
    for (unsigned i = 0; i < edits; ++i) generator.damage(text);
    if (edits > 0 && beyond_jansson(text)) continue;
    const Json json = oracle(text);
    ObjectScanner scanner(text);
    while (scanner.next()) {
    }
    const auto status = scanner.status();
    const bool is_json = status.ok() || status.error().code == "not_an_object";
    if (is_json != (json != nullptr)) FAIL((json ? "only jansson takes " : "only the scanner takes ") + text);
    if (json) CHECK_EQ(status.ok(), json_is_object(json.get()));
    if (status.ok()) compare_members(text, json.get());
    (is_json ? good : broken) += 1;
  }
  CHECK(good > 10000);
  CHECK(broken > 5000);
}

TEST(relayed_objects_differ_only_in_their_sender) {
  for (unsigned seed = 0; seed < 20000; ++seed) {
    Generator generator(seed);
    const std::string text = generator.object(4);
    const Json before = oracle(text);
    CHECK(before != nullptr);
    const std::string relayed = relay_text(text, "the \"sender\"");
    const Json after = oracle(relayed);
    if (!after) FAIL(relayed);
    json_object_set_new(before.get(), "from_user_id", json_string("the \"sender\""));
    if (!json_equal(before.get(), after.get())) FAIL(text + "\n" + relayed);
  }
}
