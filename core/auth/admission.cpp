#include "core/auth/admission.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/auth/room_right.hpp"
#include "core/auth/subprotocol.hpp"

namespace fluentgate::auth {
namespace {

constexpr std::string_view vtt_suffix = ".vtt";

Refusal refuse(CloseCode code, std::string detail) {
  Refusal refusal;
  refusal.code = code;
  refusal.detail = std::move(detail);
  return refusal;
}

Refusal bad_request(std::string detail) { return refuse(CloseCode::bad_request, std::move(detail)); }

std::optional<Endpoint> endpoint_named(std::string_view name) {
  for (const Endpoint endpoint : {Endpoint::audio, Endpoint::captions, Endpoint::signaling}) {
    if (name_of(endpoint) == name) return endpoint;
  }
  return std::nullopt;
}

// Reads the known query parameters. The first thing wrong stays in `wrong`. An empty value is the same as no parameter, as with `token`: pages
// write `?lang=${lang}&since=${since}` before they have either.
class QueryReader {
 public:
  explicit QueryReader(const Query& query) : query_(query) {}

  std::optional<std::string> text(std::string_view name) {
    const std::size_t count = query_.count(name);
    if (count == 0) return std::nullopt;
    if (count > 1) return bad(name, "given more than once");
    const auto& value = query_.find(name)->value;
    if (!value) return bad(name, "has a bad percent-escape");
    return value->empty() ? std::nullopt : value;
  }

  std::optional<LanguageList> languages(std::string_view name) {
    const auto value = text(name);
    if (!value) return std::nullopt;
    Result<LanguageList> list = parse_language_list(*value);
    if (list) return std::move(*list);
    bad(name, list.error().text);
    return std::nullopt;
  }

  std::optional<std::size_t> history() {
    const auto value = text("history");
    if (!value) return std::nullopt;
    std::size_t number = 0;
    const char* end = value->data() + value->size();
    const auto read = std::from_chars(value->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number <= history_query_max) return number;
    bad("history", "allowed are 0 to " + std::to_string(history_query_max));
    return std::nullopt;
  }

  std::optional<CaptionType> type() {
    const auto value = text("type");
    if (!value) return std::nullopt;
    for (const CaptionType type : {CaptionType::original, CaptionType::translated}) {
      if (name_of(type) == *value) return type;
    }
    bad("type", "allowed are original and translated");
    return std::nullopt;
  }

  std::nullopt_t bad(std::string_view name, std::string_view why) {
    if (!wrong) wrong = bad_request("query value " + std::string(name) + ": " + printable(why));
    return std::nullopt;
  }

  std::optional<Refusal> wrong;

 private:
  // A reason can quote what the client sent: bounded, and nothing in it that could spoil a log line.
  static std::string printable(std::string_view text) {
    std::string out(text.substr(0, 160));
    std::replace_if(out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return out;
  }

  const Query& query_;
};

}  // namespace

struct Admission::Target {
  Endpoint endpoint = Endpoint::audio;
  std::optional<std::string> room;  // decoded; nothing: a bad escape
  bool vtt = false;
};

Admission::Admission(const config::Settings& settings, std::shared_ptr<const TokenVerifier> verifier)
    : prefix_(settings.prefix), auth_(settings.auth), verifier_(std::move(verifier)) {
  while (prefix_.ends_with('/')) prefix_.pop_back();
  // The configuration refuses a cookie without allowed origins; should it ever come here, no cookie is looked at.
  if (auth_.allowed_origins.empty()) auth_.cookie.clear();
}

std::variant<Admitted, Refusal> Admission::decide(const UpgradeRequest& request, const Gate& gate, UnixMs now) const {
  Target target;
  Admitted admitted;
  const Query query(request.query);
  const auto first_refusal = [&]() -> std::optional<Refusal> {
    if (auto refusal = find_target(request, target)) return refusal;
    if (auto refusal = check_request(request, query, target, admitted)) return refusal;
    if (gate.draining() || gate.ready_gate_closed()) {
      Refusal refusal = refuse(CloseCode::not_ready, gate.draining() ? "this instance is draining" : "the pipeline is not ready");
      refusal.retry_after_s = gate.draining() ? draining_retry_after_s : not_ready_retry_after_s;
      return refusal;
    }
    const FoundToken token = find_token(query, request.authorization, request.cookie, auth_.cookie);
    if (auto refusal = check_origin(request, token)) return refusal;
    if (auto refusal = check_token(token, now, admitted)) return refusal;
    if (auto refusal = read_query(query, admitted)) return refusal;
    if (auto refusal = check_right(admitted)) return refusal;
    if (admitted.vtt) return std::nullopt;
    const auto limit = gate.over_limit(admitted.room, admitted.claims.user, admitted.endpoint);
    if (!limit) return std::nullopt;
    Refusal refusal = refuse(CloseCode::rate_limited, limit->detail);
    refusal.instance_limit = limit->of_instance;
    refusal.retry_after_s = limit->retry_after_s;
    return refusal;
  };
  if (auto refusal = first_refusal()) {
    refusal->head = request.method == "HEAD";
    refusal->can_close = request.method == "GET" && request.wants_upgrade;
    return std::move(*refusal);
  }
  return admitted;
}

// Path, method, upgrade.
std::optional<Refusal> Admission::find_target(const UpgradeRequest& request, Target& target) const {
  const auto unknown = [] { return refuse(CloseCode::not_found, "unknown path"); };
  std::string_view rest = request.path;
  if (!rest.starts_with(prefix_)) return unknown();
  rest.remove_prefix(prefix_.size());
  if (!rest.starts_with('/')) return unknown();
  rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || rest.find('/', slash + 1) != std::string_view::npos) return unknown();
  const auto name = percent_decode(rest.substr(0, slash));
  const auto endpoint = name ? endpoint_named(*name) : std::nullopt;
  if (!endpoint) return unknown();
  target.endpoint = *endpoint;
  target.room = percent_decode(rest.substr(slash + 1));

  if (request.method != "GET") return refuse(CloseCode::method_not_allowed, "only GET is allowed");
  target.vtt = *endpoint == Endpoint::captions && !request.wants_upgrade && target.room && target.room->ends_with(vtt_suffix);
  if (target.vtt) target.room->resize(target.room->size() - vtt_suffix.size());
  if (!request.wants_upgrade && !target.vtt) return refuse(CloseCode::upgrade_required, "this is a WebSocket endpoint");
  return std::nullopt;
}

// Room id, `token` twice, subprotocol.
std::optional<Refusal> Admission::check_request(const UpgradeRequest& request, const Query& query, const Target& target, Admitted& admitted) const {
  if (!target.room) return bad_request("bad percent-escape in the room id");
  if (target.room->empty()) return bad_request("empty room id");
  if (!valid_room_id(*target.room)) return bad_request("bad room id: allowed are 1 to 128 of A-Z a-z 0-9 . _ ~ : - but not . or ..");
  admitted.endpoint = target.endpoint;
  admitted.room = RoomId(*target.room);
  admitted.vtt = target.vtt;

  if (query.count("token") > 1) return bad_request("token given more than once");
  if (const auto* token = query.find("token"); token != nullptr && !token->value) return bad_request("token has a bad percent-escape");

  if (target.vtt) return std::nullopt;  // no WebSocket, no subprotocol
  Result<Subprotocol> subprotocol = choose_subprotocol(target.endpoint, request.subprotocols);
  if (!subprotocol) return bad_request(subprotocol.error().text);
  admitted.subprotocol = std::move(subprotocol->name);
  admitted.framed = subprotocol->framed;
  return std::nullopt;
}

// A browser sends cookies along from any page: only the Origin header tells whose page it is, so a cookie doesn't count without one.
std::optional<Refusal> Admission::check_origin(const UpgradeRequest& request, const FoundToken& token) const {
  if (!request.origin) {
    if (token.place == TokenPlace::cookie) return refuse(CloseCode::forbidden, "a token from the cookie needs an Origin header");
    return std::nullopt;
  }
  const auto& allowed = auth_.allowed_origins;
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), *request.origin) != allowed.end()) return std::nullopt;
  return refuse(CloseCode::forbidden, "origin not allowed");
}

std::optional<Refusal> Admission::check_token(const FoundToken& token, UnixMs now, Admitted& admitted) const {
  if (token.place == TokenPlace::none) return refuse(CloseCode::unauthorized, "no token");
  Result<Claims> claims = verifier_->verify(token.token, now);
  if (!claims) return refuse(CloseCode::unauthorized, claims.error().text);
  admitted.claims = std::move(*claims);
  admitted.hearing = {admitted.claims.listening, admitted.claims.understands};
  admitted.speaking_language = admitted.claims.speaking_language;
  return std::nullopt;
}

// Every known parameter is checked on every endpoint; those of captions have an effect there only.
std::optional<Refusal> Admission::read_query(const Query& query, Admitted& admitted) const {
  QueryReader reader(query);
  auto lang = reader.languages("lang");
  const auto speak = reader.languages("speak");
  auto understands = reader.languages("understands");
  CaptionQuery& caption = admitted.caption;
  caption.history = reader.history();
  caption.since = reader.text("since");
  caption.epoch = reader.text("epoch");
  if (caption.since && !caption.epoch) reader.bad("since", "needs epoch");
  if (!caption.since) caption.epoch.reset();
  caption.type = reader.type();
  if (reader.wrong) return reader.wrong;

  const bool captions = admitted.endpoint == Endpoint::captions;
  if (auth_.allow_language_override) {
    // On captions ?lang= narrows what is shown there; it says nothing of what the participant hears.
    admitted.listening_given = lang && !captions;
    if (admitted.listening_given) admitted.hearing.listening = *lang;
    admitted.speaking_given = speak && !speak->empty();
    if (admitted.speaking_given) admitted.speaking_language = speak->front().spelling();
    admitted.understands_given = understands.has_value();
    if (understands) admitted.hearing.understands = std::move(*understands);
  }
  if (!captions) {
    caption = CaptionQuery{};
  } else if (lang) {
    caption.lang = std::move(*lang);
    caption.lang_given = true;
  }
  return std::nullopt;
}

// What a member's state says counts as the claims do: the query still wins over it.
std::optional<Refusal> Admission::check_right(Admitted& admitted) const {
  if (auto refusal = check_room_right(auth_, members_, admitted.room, admitted.claims)) return refusal;
  if (!admitted.listening_given) admitted.hearing.listening = admitted.claims.listening;
  if (!admitted.speaking_given) admitted.speaking_language = admitted.claims.speaking_language;
  return std::nullopt;
}

}  // namespace fluentgate::auth
