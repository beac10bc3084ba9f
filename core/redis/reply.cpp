#include "core/redis/reply.hpp"

#include <hiredis/hiredis.h>

namespace fluentgate::redis {
namespace {

struct FreeReply { void operator()(void* reply) const noexcept { freeReplyObject(reply); } };

Reply taken(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_STRING: reply.kind = Reply::Kind::string; reply.text.assign(from.str, from.len); break;
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR: reply.kind = Reply::Kind::status; reply.text.assign(from.str, from.len); break;
    case REDIS_REPLY_INTEGER: reply.kind = Reply::Kind::integer; reply.integer = from.integer; break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::array;
      reply.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) reply.items.push_back(taken(*from.element[i]));
      break;
    default: break;
  }
  return reply;
}

}  // namespace

void append_command(std::string& out, const std::vector<std::string>& args) {
  out += '*';
  out += std::to_string(args.size());
  out += "\r\n";
  for (const std::string& arg : args) {
    out += '$';
    out += std::to_string(arg.size());
    out += "\r\n";
    out += arg;
    out += "\r\n";
  }
}

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {}

Status ReplyReader::feed(std::string_view bytes) {
  if (!reader_ || redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) return Error{"protocol", "out of memory for its answer", true};
  return ok();
}

Result<Reply> ReplyReader::next(bool& none) {
  void* got = nullptr;
  none = false;
  if (!reader_ || redisReaderGetReply(reader_.get(), &got) != REDIS_OK) {
    return Error{"protocol", std::string("what it answers is not Redis's protocol: ") + (reader_ ? reader_->errstr : "out of memory"), true};
  }
  if (got == nullptr) {
    none = true;
    return Reply{};
  }
  const std::unique_ptr<void, FreeReply> owned(got);
  const auto& reply = *static_cast<const redisReply*>(got);
  if (reply.type == REDIS_REPLY_ERROR) return Error{"redis", std::string(reply.str, reply.len)};
  return taken(reply);
}

}  // namespace fluentgate::redis
