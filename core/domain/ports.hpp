// What the core needs from outside, as interfaces: implemented by the Kafka and log rooms and by the plugins, faked in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/domain/close_code.hpp"
#include "core/domain/media.hpp"
#include "core/domain/result.hpp"

namespace fluentgate {

enum class LogLevel : std::uint8_t { error, warn, info, debug };

// Thread: any. Never blocks for long, never throws. The category is a word ("kafka", "auth", "latency", "lws").
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  virtual void write(LogLevel level, std::string_view category, std::string_view text) noexcept = 0;
  // Lines may be held back until then, at most until the end of a loop turn or 100 ms.
  virtual void flush() noexcept {}
};

// One socket, as the core writes to it. Implemented by a plugin. Thread: loop. A transport outlives its session's last call to it.
class Transport {
 public:
  enum class Written : std::uint8_t { sent, backlogged, dead };
  virtual ~Transport() = default;
  // False while earlier bytes still wait in the transport: writing then would make it buffer without a bound.
  virtual bool writable() const noexcept = 0;
  // Bytes that are RFC 6455 frames already, whole ones. They are taken whole: backlogged says that some wait in the transport now.
  virtual Written write(const std::uint8_t* data, std::size_t size) noexcept = 0;
  // Asks for one call of Session::on_writable when there is room.
  virtual void want_writable() noexcept = 0;
  // Sends a close frame with the code and its row's reason, after what was written; then the socket ends. The first code given stays.
  virtual void close(CloseCode code) noexcept = 0;
  // Ends the socket without a close frame: the peer is dead.
  virtual void abort() noexcept = 0;
};

// Hands a chunk to Kafka. Thread: loop.
class ChunkPublisher {
 public:
  virtual ~ChunkPublisher() = default;
  // The chunk's sequence_number is set. Error "queue_full" (retriable): try again after the next acknowledgement; the chunk was not taken.
  // `token` comes back in the ChunkSettled message.
  virtual Status publish(const AudioChunk& chunk, std::uint64_t token) = 0;
};

}  // namespace fluentgate
