// The forms that text options must have. Thread: any.
#pragma once

#include <string_view>

namespace fluentgate::config {

bool is_prefix(std::string_view text);       // "/ws": one or more segments of unreserved characters (RFC 3986, 2.3), no slash at the end
bool is_topic(std::string_view text);        // Kafka's rule: 1 to 249 of A-Z a-z 0-9 . _ -, not . nor ..
bool is_origin(std::string_view text);       // RFC 6454, 6.2: scheme://host[:port], or null
bool is_cookie_name(std::string_view text);  // RFC 6265, 4.1.1: a token
bool is_network(std::string_view text);      // an IPv4 or IPv6 address, with or without /bits
bool is_text(std::string_view text);         // no control characters

}  // namespace fluentgate::config
