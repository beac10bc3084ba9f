// The one answer before the upgrade (CONTRACT 1): who asks for what, with which right. Knows no lws: a plugin hands over the request's parts and sends
// what comes back. Thread: loop.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/auth/claims.hpp"
#include "core/auth/credentials.hpp"
#include "core/auth/query.hpp"
#include "core/auth/refusal.hpp"
#include "core/auth/token_verifier.hpp"
#include "core/config/settings.hpp"
#include "core/domain/clock.hpp"
#include "core/domain/endpoint.hpp"
#include "core/domain/hearing.hpp"
#include "core/domain/ids.hpp"
#include "core/domain/media.hpp"
#include "core/domain/membership.hpp"

namespace fluentgate::auth {

// Views into the transport's memory, needed during decide() only. Header values as they came; nothing where the header is absent.
struct UpgradeRequest {
  std::string_view method;      // "GET"; an extended CONNECT (RFC 8441) counts as GET
  std::string_view path;        // percent-encoded, from the root, without the query
  std::string_view query;       // percent-encoded, without '?'
  bool wants_upgrade = false;   // asks for WebSocket
  std::optional<std::string_view> authorization, cookie, origin, subprotocols;
};

// What a captions client narrowed its stream to.
struct CaptionQuery {
  LanguageList lang;                     // the priority list of ?lang=
  bool lang_given = false;               // without it nothing is narrowed
  std::optional<std::size_t> history;
  std::optional<CaptionType> type;
  std::optional<std::string> since, epoch;  // both or none
};

struct Admitted {
  Endpoint endpoint = Endpoint::audio;
  RoomId room;
  Claims claims;                                 // as the token has them
  Hearing hearing;                               // claims, overridden by ?lang= (audio, signaling) and ?understands= where that is allowed
  std::optional<std::string> speaking_language;  // claim, overridden by ?speak=; its spelling kept
  bool listening_given = false, understands_given = false, speaking_given = false;  // by the query, and allowed
  std::string subprotocol;                       // to be echoed; empty: none
  bool framed = false;                           // audio: fluentgate.audio.v1
  CaptionQuery caption;
  bool vtt = false;                              // GET of {room}.vtt: no socket, the finals as WebVTT
};

// A bound that the request would exceed.
struct LimitReached {
  std::string detail;       // "the room is full"
  bool of_instance = false;
  int retry_after_s = 5;
};

// What the gateway answers about its own state. Implemented there.
class Gate {
 public:
  virtual ~Gate() = default;
  virtual bool draining() const = 0;
  virtual bool ready_gate_closed() const = 0;  // `ready_gate` is on and the pipeline isn't ready
  // Not asked for WebVTT, which opens no session. A socket that replaces an older one of the same user is no additional one.
  virtual std::optional<LimitReached> over_limit(const RoomId& room, const UserId& user, Endpoint endpoint) const = 0;
};

inline constexpr std::size_t history_query_max = 1'000'000;

class Admission {
 public:
  // What is needed of the settings is copied; the verifier is shared with whoever reloads it.
  Admission(const config::Settings& settings, std::shared_ptr<const TokenVerifier> verifier);
  // Whom auth.membership asks; outlives this. Without it nobody is let in where the token alone doesn't decide.
  void ask(MemberLookup& members) noexcept { members_ = &members; }

  // The checks come in the contract's order; the first that fails answers.
  std::variant<Admitted, Refusal> decide(const UpgradeRequest& request, const Gate& gate, UnixMs now) const;

  const TokenVerifier& verifier() const noexcept { return *verifier_; }

 private:
  struct Target;
  std::optional<Refusal> find_target(const UpgradeRequest& request, Target& target) const;
  std::optional<Refusal> check_request(const UpgradeRequest& request, const Query& query, const Target& target, Admitted& admitted) const;
  std::optional<Refusal> check_origin(const UpgradeRequest& request, const FoundToken& token) const;
  std::optional<Refusal> check_token(const FoundToken& token, UnixMs now, Admitted& admitted) const;
  std::optional<Refusal> read_query(const Query& query, Admitted& admitted) const;
  std::optional<Refusal> check_right(Admitted& admitted) const;

  std::string prefix_;  // without a slash at its end
  config::Auth auth_;
  std::shared_ptr<const TokenVerifier> verifier_;
  MemberLookup* members_ = nullptr;
};

}  // namespace fluentgate::auth
