// RFC 6455 frames of a client, as bytes: the server's are not masked and, as the gateway writes them, never fragmented. Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fluentgate::soak {

// Takes the server's bytes apart. Thread: any.
class FrameReader {
 public:
  struct Message {
    int opcode = 0;
    std::string_view payload;  // until the next call
  };
  void add(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame. Nothing: more bytes are needed, or broken().
  bool next(Message& message);
  bool broken() const noexcept { return broken_; }

 private:
  std::string buffer_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

std::string client_frame(int opcode, std::string_view payload);

}  // namespace fluentgate::soak
