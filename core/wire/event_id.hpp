// Random identifiers for what we publish: fast, unguessable enough to be unique, not secret. Thread: any.
#pragma once

#include <string>

namespace fluentgate::wire {

// Appends a UUID version 4 (RFC 9562, 5.4), 36 characters in lower case.
void append_uuid4(std::string& out);
// W3C Trace Context, version 00, with a new trace-id and parent-id, sampled.
std::string traceparent();

}  // namespace fluentgate::wire
