// What Redis answers, and how a command is spelled for it (RESP2). Thread: any.
#pragma once

#include <hiredis/read.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.hpp"

namespace fluentgate::redis {

struct Reply {
  enum class Kind : std::uint8_t { nil, status, integer, string, array };  // an error reply is an Error
  Kind kind = Kind::nil;
  std::string text;           // status, string
  std::int64_t integer = 0;
  std::vector<Reply> items;   // array; an error within one is a status
  bool is_nil() const noexcept { return kind == Kind::nil; }
};

void append_command(std::string& out, const std::vector<std::string>& args);

// Bytes in, replies out: hiredis's reader. One per connection.
class ReplyReader {
 public:
  ReplyReader();
  // Error "protocol": nothing more can be read from this connection.
  Status feed(std::string_view bytes);
  // The next whole reply; an error reply is an Error "redis" with its text; `none` is set where there is none yet. Error "protocol" as above.
  Result<Reply> next(bool& none);

 private:
  struct Free { void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); } };
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace fluentgate::redis
