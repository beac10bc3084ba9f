// One JSON text at a time.
#include "core/wire/event_members.hpp"

#include <algorithm>
#include <bit>

#include "core/domain/limits.hpp"
#include "core/wire/json_mend.hpp"

namespace fluentgate::wire {

// Grows by powers of two, so that records of slowly rising size don't each allocate. simdjson refuses at its depth, we beyond ours;
// an empty container it doesn't count.
bool EventDocument::reserve(std::size_t bytes) {
  if (parser_.capacity() >= bytes && parser_.capacity() > 0) return true;
  return parser_.allocate(std::max<std::size_t>(4096, std::bit_ceil(bytes)), limits::json_depth_max + 1) == simdjson::SUCCESS;
}

Result<simdjson::dom::object> EventDocument::object(std::string_view json) {
  element root;
  if (!reserve(json.size())) return Error{"not_json", "too large"};
  auto error = parser_.parse(json.data(), json.size()).get(root);
  if (error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR) {
    // Maybe valid all the same: simdjson knows no number beyond 64 bits and no half of a surrogate pair.
    const std::string mended = mended_json(json);
    if (mended != json && reserve(mended.size())) error = parser_.parse(mended.data(), mended.size()).get(root);
  }
  if (error != simdjson::SUCCESS) return Error{error == simdjson::DEPTH_ERROR ? "too_deep" : "not_json", simdjson::error_message(error)};
  simdjson::dom::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS) return Error{"not_an_object", "the value is JSON, but not an object"};
  return object;
}

}  // namespace fluentgate::wire
