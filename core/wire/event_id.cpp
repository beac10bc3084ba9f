// xoshiro256** (Blackman and Vigna), one state per thread, seeded by the kernel: a system call per event would cost more than the event.
#include "core/wire/event_id.hpp"

#include <pthread.h>
#include <sys/random.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

namespace fluentgate::wire {
namespace {

// A child of fork() must not go on with its parent's numbers.
std::atomic<std::uint32_t> generation{1};
void forked() noexcept { generation.fetch_add(1, std::memory_order_relaxed); }
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, forked);

class Random {
 public:
  // Never zero.
  std::uint64_t next() noexcept {
    if (seeded_ != generation.load(std::memory_order_relaxed)) seed();
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result != 0 ? result : 1;
  }

 private:
  void seed() noexcept {
    seeded_ = generation.load(std::memory_order_relaxed);
    if (getrandom(state_.data(), sizeof state_, 0) == static_cast<ssize_t>(sizeof state_)) return;
    // Only a kernel without the call gets here: time and address, spread by SplitMix64.
    auto x = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^ reinterpret_cast<std::uintptr_t>(this);
    for (std::uint64_t& word : state_) {
      x += 0x9E3779B97F4A7C15u;
      std::uint64_t z = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      word = z ^ (z >> 31);
    }
  }
  std::array<std::uint64_t, 4> state_{};
  std::uint32_t seeded_ = 0;
};

thread_local Random random;

void append_hex(std::string& out, std::uint64_t value, int digits) {
  char text[16];
  for (int i = digits - 1; i >= 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  out.append(text, static_cast<std::size_t>(digits));
}

}  // namespace

void append_uuid4(std::string& out) {
  const std::uint64_t high = (random.next() & ~std::uint64_t{0xF000}) | 0x4000u;
  const std::uint64_t low = (random.next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  append_hex(out, high >> 32, 8);
  out += '-';
  append_hex(out, high >> 16, 4);
  out += '-';
  append_hex(out, high, 4);
  out += '-';
  append_hex(out, low >> 48, 4);
  out += '-';
  append_hex(out, low, 12);
}

std::string traceparent() {
  std::string text;
  text.reserve(55);
  text += "00-";
  append_hex(text, random.next(), 16);
  append_hex(text, random.next(), 16);
  text += '-';
  append_hex(text, random.next(), 16);
  text += "-01";
  return text;
}

}  // namespace fluentgate::wire
