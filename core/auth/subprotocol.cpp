#include "core/auth/subprotocol.hpp"

#include <algorithm>
#include <array>

#include "core/domain/limits.hpp"

namespace fluentgate::auth {
namespace {

struct Row {
  std::string_view name;
  Endpoint endpoint;
  bool framed;
};

constexpr std::array<Row, 4> table{{
    {"fluentgate.audio.v1", Endpoint::audio, true},
    {"fluentgate.audio.pcm", Endpoint::audio, false},
    {"fluentgate.captions.v1", Endpoint::captions, false},
    {"fluentgate.signaling.v1", Endpoint::signaling, false},
}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Subprotocol> choose_subprotocol(Endpoint endpoint, const std::optional<std::string_view>& offer) {
  if (!offer) return Subprotocol{};
  if (offer->size() > limits::subprotocol_offer_bytes_max) {
    return Error{"bad_request", "subprotocol offer longer than " + std::to_string(limits::subprotocol_offer_bytes_max) + " bytes"};
  }
  bool any = false;
  for (std::string_view rest = *offer; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view name = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    any = any || !name.empty();
    for (const Row& row : table) {
      if (row.endpoint == endpoint && row.name == name) return Subprotocol{std::string(name), row.framed};
    }
  }
  if (!any) return Subprotocol{};
  return Error{"bad_request", "no offered subprotocol fits the " + std::string(name_of(endpoint)) + " endpoint"};
}

}  // namespace fluentgate::auth
