// fluentgate-token: prints one access token and a newline, nothing else (CONTRACT 7). For operators, demos and tests; a meeting backend makes its own.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/auth/handles.hpp"
#include "core/auth/key_set.hpp"
#include "core/auth/token_signer.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/language.hpp"
#include "core/domain/limits.hpp"
#include "core/domain/result.hpp"

namespace fluentgate {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_wrong_usage = 2;
constexpr std::int64_t ttl_s_max = 100LL * 366 * 24 * 3600;

struct Arguments {
  std::string secret, secret_file, key_file;
  std::string kid, algorithm;
  std::string user, name, role, speak, listen, understands;
  std::vector<std::string> rooms;
  std::int64_t ttl_s = 3600;
};

Error wrong(std::string text) { return Error{"wrong_usage", std::move(text)}; }

void describe(CLI::App& app, Arguments& arguments) {
  app.add_option("--secret", arguments.secret, "HMAC secret, for HS256, HS384 and HS512");
  app.add_option("--secret-file", arguments.secret_file, "file that holds it; a line end after it does not count");
  app.add_option("--key", arguments.key_file, "PEM file with a private key: RSA, EC or Ed25519");
  app.add_option("--kid", arguments.kid, "id of the key, for the token's header");
  app.add_option("--alg", arguments.algorithm, auth::all_algorithm_names() + " (default: HS256, or what fits the key)");
  app.add_option("--user", arguments.user, "user id, the claim sub")->required();
  app.add_option("--room", arguments.rooms, "room that may be entered; may be repeated; '*' is any")->required();
  app.add_option("--name", arguments.name, "display name");
  app.add_option("--role", arguments.role, "role");
  app.add_option("--speak", arguments.speak, "language spoken, e.g. en");
  app.add_option("--listen", arguments.listen, "languages listened to, the best first, e.g. es,fr");
  app.add_option("--understands", arguments.understands, "languages heard in the original, e.g. en,de");
  app.add_option("--ttl", arguments.ttl_s, "seconds until the token expires")->capture_default_str()->check(CLI::Range(-ttl_s_max, ttl_s_max));
}

Result<auth::SigningKey> read_key(const Arguments& arguments) {
  const int given = int{!arguments.secret.empty()} + int{!arguments.secret_file.empty()} + int{!arguments.key_file.empty()};
  if (given != 1) return wrong("exactly one of --secret, --secret-file and --key is needed");
  auth::SigningKey key;
  key.secret = arguments.secret;
  if (!arguments.secret_file.empty()) {
    Result<std::string> text = auth::read_key_file(arguments.secret_file);
    if (!text) return wrong("--secret-file " + arguments.secret_file + ": " + text.error().text);
    auth::strip_line_end(*text);
    if (text->empty()) return wrong("--secret-file " + arguments.secret_file + ": the file is empty");
    key.secret = std::move(*text);
  }
  if (!arguments.key_file.empty()) {
    Result<std::string> text = auth::read_key_file(arguments.key_file);
    if (!text) return wrong("--key " + arguments.key_file + ": " + text.error().text);
    key.private_pem = std::move(*text);
  }
  return key;
}

Result<auth::Algorithm> choose_algorithm(const Arguments& arguments, const auth::SigningKey& key) {
  if (arguments.algorithm.empty()) return auth::default_algorithm(key);
  const auto algorithm = auth::algorithm_named(arguments.algorithm);
  if (!algorithm) return wrong("--alg " + arguments.algorithm + ": not known; allowed: " + auth::all_algorithm_names());
  return *algorithm;
}

// False where the text is not UTF-8.
bool set_text(json_t* object, const char* name, const std::string& text) {
  return text.empty() || json_object_set_new(object, name, json_stringn(text.data(), text.size())) == 0;
}

// One language as a string, several as an array.
Status set_languages(json_t* object, const char* name, const char* option, const std::string& text) {
  const Result<LanguageList> list = parse_language_list(text);
  if (!list) return wrong(std::string(option) + " " + text + ": " + list.error().text);
  if (list->empty()) return ok();
  if (list->size() == 1) {
    json_object_set_new(object, name, json_string(list->front().spelling().c_str()));
    return ok();
  }
  json_t* array = json_array();
  for (const LanguageTag& tag : *list) json_array_append_new(array, json_string(tag.spelling().c_str()));
  json_object_set_new(object, name, array);
  return ok();
}

Status set_rooms(json_t* object, const std::vector<std::string>& rooms) {
  for (const std::string& room : rooms) {
    if (room != "*" && !valid_room_id(room)) return wrong("--room " + room + ": allowed are '*' and 1 to 128 of A-Z a-z 0-9 . _ ~ : - but not . or ..");
  }
  if (rooms.size() == 1 && rooms.front() != "*") {
    json_object_set_new(object, "room_id", json_string(rooms.front().c_str()));
    return ok();
  }
  json_t* array = json_array();
  for (const std::string& room : rooms) json_array_append_new(array, json_string(room.c_str()));
  json_object_set_new(object, "rooms", array);
  return ok();
}

Result<std::string> make_claims(const Arguments& arguments, std::int64_t now_s) {
  const auth::JsonHandle claims(json_object());
  if (arguments.user.empty() || arguments.user.size() > limits::user_id_bytes_max) {
    return wrong("--user: allowed are 1 to " + std::to_string(limits::user_id_bytes_max) + " bytes");
  }
  if (!set_text(claims.get(), "sub", arguments.user)) return wrong("--user: not UTF-8");
  if (Status rooms = set_rooms(claims.get(), arguments.rooms); !rooms) return rooms.error();
  if (!set_text(claims.get(), "name", arguments.name)) return wrong("--name: not UTF-8");
  if (!set_text(claims.get(), "role", arguments.role)) return wrong("--role: not UTF-8");
  if (!arguments.speak.empty()) {
    const Result<LanguageTag> tag = LanguageTag::parse(arguments.speak);
    if (!tag) return wrong("--speak " + arguments.speak + ": " + tag.error().text);
    json_object_set_new(claims.get(), "speaking_language", json_string(tag->spelling().c_str()));
  }
  if (Status listen = set_languages(claims.get(), "listening_language", "--listen", arguments.listen); !listen) return listen.error();
  if (Status known = set_languages(claims.get(), "understands", "--understands", arguments.understands); !known) return known.error();
  json_object_set_new(claims.get(), "iat", json_integer(now_s));
  json_object_set_new(claims.get(), "exp", json_integer(now_s + arguments.ttl_s));
  struct Free { void operator()(char* text) const noexcept { std::free(text); } };
  const std::unique_ptr<char, Free> text(json_dumps(claims.get(), JSON_COMPACT));
  if (text == nullptr) return Error{"failed", "out of memory"};
  return std::string(text.get());
}

Result<std::string> make_token(const Arguments& arguments) {
  const Result<auth::SigningKey> key = read_key(arguments);
  if (!key) return key.error();
  const Result<auth::Algorithm> algorithm = choose_algorithm(arguments, *key);
  if (!algorithm) return algorithm.error();
  const Result<std::string> claims = make_claims(arguments, static_cast<std::int64_t>(std::time(nullptr)));
  if (!claims) return claims.error();
  return auth::sign_token(*algorithm, *key, *claims, arguments.kid.empty() ? std::nullopt : std::optional<std::string>(arguments.kid));
}

}  // namespace
}  // namespace fluentgate

int main(int argc, char** argv) {
  using namespace fluentgate;
  try {
    Arguments arguments;
    CLI::App app{"Prints an access token for fluentgate."};
    describe(app, arguments);
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      return app.exit(help);
    } catch (const CLI::ParseError& error) {
      std::fprintf(stderr, "fluentgate-token: %s\nfluentgate-token --help tells the options\n", error.what());
      return exit_wrong_usage;
    }
    const Result<std::string> token = make_token(arguments);
    if (!token) {
      std::fprintf(stderr, "fluentgate-token: %s\n", token.error().text.c_str());
      return exit_wrong_usage;
    }
    if (std::printf("%s\n", token->c_str()) < 0 || std::fflush(stdout) != 0) {
      std::perror("fluentgate-token: stdout");
      return exit_failed;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fluentgate-token: %s\n", error.what());
    return exit_failed;
  }
}
