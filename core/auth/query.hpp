// Percent-encoding and query strings of a request, strict (RFC 3986, 2.1; application/x-www-form-urlencoded for '+'). Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fluentgate::auth {

// Nothing for a '%' that two hexadecimal digits don't follow, and for %00.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);
// Everything but the unreserved characters of RFC 3986 becomes %XX: for a transport that only has the decoded text.
std::string percent_encode(std::string_view text);

// The parameters in the order given. Those whose name can't be decoded are left out: they have none of our names.
class Query {
 public:
  struct Parameter {
    std::string name;
    std::optional<std::string> value;  // nothing: a bad escape in it
  };
  explicit Query(std::string_view raw);

  std::size_t count(std::string_view name) const noexcept;
  const Parameter* find(std::string_view name) const noexcept;  // the first; null where there is none

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace fluentgate::auth
