#include "core/auth/claims.hpp"

#include <algorithm>
#include <cmath>

#include "core/auth/json.hpp"
#include "core/domain/limits.hpp"

namespace fluentgate::auth {
namespace {

constexpr double time_s_max = 253402300799.0;  // the year 9999; milliseconds given for seconds land beyond

struct Times {
  std::optional<double> exp, nbf, iat;
};

Error refused(const char* code, std::string text) { return Error{code, std::move(text)}; }

Result<std::optional<double>> time_claim(const json_t* payload, const char* name) {
  const json_t* value = json_object_get(payload, name);
  if (value == nullptr) return std::optional<double>();
  if (!json_is_number(value)) return refused("bad_claim", std::string("claim ") + name + " is not a number");
  const double seconds = json_number_value(value);
  if (!std::isfinite(seconds) || seconds < 0 || seconds > time_s_max) {
    return refused("bad_claim", std::string("claim ") + name + " is not a time in seconds since 1970");
  }
  return std::optional<double>(seconds);
}

Status read_times(const json_t* payload, const config::Auth& auth, UnixMs now, Claims& claims) {
  const auto exp = time_claim(payload, "exp");
  if (!exp) return exp.error();
  const auto nbf = time_claim(payload, "nbf");
  if (!nbf) return nbf.error();
  const auto iat = time_claim(payload, "iat");
  if (!iat) return iat.error();
  if (*exp) claims.exp_s = static_cast<std::int64_t>(std::floor(**exp));
  if (*nbf) claims.nbf_s = static_cast<std::int64_t>(std::ceil(**nbf));
  if (*iat) claims.iat_s = static_cast<std::int64_t>(std::floor(**iat));
  if (!claims.exp_s && auth.require_exp) return refused("missing_claim", "missing claim exp");
  if (const auto end = claims.ends_ms(auth.leeway_s); end && now >= *end) return refused("expired", "token expired");
  if (claims.nbf_s && now < (*claims.nbf_s - auth.leeway_s) * 1000) return refused("not_yet_valid", "token not yet valid");
  return ok();
}

bool names_audience(const json_t* aud, const std::string& audience) {
  const auto is_it = [&](const json_t* value) {
    return json_is_string(value) && audience == std::string_view(json_string_value(value), json_string_length(value));
  };
  if (!json_is_array(aud)) return is_it(aud);
  for (std::size_t i = 0; i < json_array_size(aud); ++i) {
    if (is_it(json_array_get(aud, i))) return true;
  }
  return false;
}

Status check_meant_for_us(const json_t* payload, const config::Auth& auth) {
  if (!auth.issuer.empty() && string_member(payload, "iss") != auth.issuer) return refused("wrong_issuer", "wrong issuer");
  if (!auth.audience.empty() && !names_audience(json_object_get(payload, "aud"), auth.audience)) return refused("wrong_audience", "wrong audience");
  if (json_object_get(payload, "type") == nullptr) return ok();
  const std::string_view type = string_member(payload, "type");
  if (type != "access" && type != "guest") return refused("wrong_type", "wrong token type");
  return ok();
}

Status read_user(const json_t* payload, const std::string& name, Claims& claims) {
  const json_t* value = json_object_get(payload, name.c_str());
  if (value == nullptr) return refused("missing_claim", "missing claim " + name);
  const std::string_view user = string_member(payload, name.c_str());
  if (user.empty()) return refused("bad_claim", "claim " + name + " is not a non-empty string");
  if (user.size() > limits::user_id_bytes_max) {
    return refused("bad_claim", "claim " + name + " is longer than " + std::to_string(limits::user_id_bytes_max) + " bytes");
  }
  if (user.find('\0') != std::string_view::npos) return refused("bad_claim", "claim " + name + " contains a NUL");
  claims.user = UserId(user);
  return ok();
}

void read_rooms(const json_t* payload, const config::Claims& names, Claims& claims) {
  const json_t* one = json_object_get(payload, names.room.c_str());
  const json_t* several = json_object_get(payload, names.rooms.c_str());
  claims.names_rooms = (one != nullptr && !json_is_null(one)) || (several != nullptr && !json_is_null(several));
  if (json_is_string(one)) claims.room = RoomId(string_member(payload, names.room.c_str()));
  if (!json_is_array(several)) return;
  for (std::size_t i = 0; i < json_array_size(several); ++i) {
    const json_t* element = json_array_get(several, i);
    if (!json_is_string(element)) continue;
    const std::string_view room(json_string_value(element), json_string_length(element));
    if (room == "*") claims.any_room = true;
    else claims.rooms.emplace_back(room);
  }
}

std::optional<std::string> optional_text(const json_t* payload, const std::string& name) {
  const std::string_view text = string_member(payload, name.c_str());
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

// A string with commas, or an array of strings with one tag each; anything that isn't a list of languages is unknown.
LanguageList language_list(const json_t* payload, const std::string& name) {
  const json_t* value = json_object_get(payload, name.c_str());
  std::string joined;
  if (json_is_string(value)) {
    joined.assign(json_string_value(value), json_string_length(value));
  } else if (json_is_array(value)) {
    for (std::size_t i = 0; i < json_array_size(value); ++i) {
      const json_t* element = json_array_get(value, i);
      if (!json_is_string(element)) return {};
      if (i > 0) joined += ',';
      joined.append(json_string_value(element), json_string_length(element));
    }
  }
  Result<LanguageList> list = parse_language_list(joined);
  return list ? std::move(*list) : LanguageList{};
}

}  // namespace

bool Claims::may_enter(const RoomId& wanted) const noexcept {
  return any_room || (room && *room == wanted) || std::find(rooms.begin(), rooms.end(), wanted) != rooms.end();
}

std::optional<UnixMs> Claims::ends_ms(std::int64_t leeway_s) const noexcept {
  if (!exp_s) return std::nullopt;
  return (*exp_s + leeway_s) * 1000;
}

Result<Claims> read_claims(const json_t* payload, const config::Auth& auth, UnixMs now) {
  Claims claims;
  if (Status times = read_times(payload, auth, now, claims); !times) return times.error();
  if (Status meant = check_meant_for_us(payload, auth); !meant) return meant.error();
  if (Status user = read_user(payload, auth.claims.user, claims); !user) return user.error();
  read_rooms(payload, auth.claims, claims);
  claims.name = optional_text(payload, auth.claims.name);
  claims.role = optional_text(payload, auth.claims.role);
  if (const auto spoken = optional_text(payload, auth.claims.speaking_language)) {
    if (const Result<LanguageTag> tag = LanguageTag::parse(*spoken)) claims.speaking_language = tag->spelling();
  }
  claims.listening = language_list(payload, auth.claims.listening_language);
  claims.understands = language_list(payload, auth.claims.understands);
  return claims;
}

void apply_member_state(std::string_view json, Claims& claims) {
  const JsonHandle state = parse_object(json);
  if (!state) return;
  if (LanguageList listening = language_list(state.get(), "language"); !listening.empty()) claims.listening = std::move(listening);
  if (const auto spoken = optional_text(state.get(), "speaking_language")) {
    if (const Result<LanguageTag> tag = LanguageTag::parse(*spoken)) claims.speaking_language = tag->spelling();
  }
  if (auto name = optional_text(state.get(), "display_name")) claims.name = std::move(name);
  if (auto role = optional_text(state.get(), "role")) claims.role = std::move(role);
}

}  // namespace fluentgate::auth
