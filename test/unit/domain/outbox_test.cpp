// What waits for one socket: its order, its bound, what is skipped, and a long random run against a plain deque.
#include "core/domain/outbox.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "test/support/check.hpp"

using namespace fluentgate;

namespace {

constexpr std::size_t unbounded = 1u << 30;

SharedBytes buffer_of(std::size_t size) { return std::make_shared<const Bytes>(size); }

OutboxItem slice(const SharedBytes& buffer, std::uint32_t begin, std::uint32_t end, std::uint32_t name, bool audio) {
  OutboxItem item;
  item.buffer = buffer;
  item.begin = begin;
  item.end = end;
  item.audio_ms = audio ? 20 : -1;
  item.speaker = name;
  return item;
}
OutboxItem audio(std::uint32_t size, std::uint32_t name) { return slice(buffer_of(size), 0, size, name, true); }
OutboxItem text(std::uint32_t size, std::uint32_t name) { return slice(buffer_of(size), 0, size, name, false); }

using Names = std::vector<std::uint32_t>;

// Everything in it, run by run, in order.
Names drained(Outbox& outbox) {
  Names out;
  while (!outbox.empty()) {
    const auto run = outbox.front_run();
    CHECK(!run.empty());
    for (const OutboxItem& item : run) out.push_back(item.speaker);
    outbox.pop(run.size());
  }
  return out;
}

struct Skipped {
  Names names;
  std::function<void(const OutboxItem&)> take() {
    return [this](const OutboxItem& item) {
      CHECK(item.buffer != nullptr);
      names.push_back(item.speaker);
    };
  }
};

}  // namespace

TEST(outbox_gives_back_in_order_and_counts) {
  Outbox outbox;
  CHECK(outbox.empty());
  CHECK(outbox.front_run().empty());
  CHECK(outbox.push(audio(10, 1), unbounded, {}));
  CHECK(outbox.push(text(5, 2), unbounded, {}));
  CHECK_EQ(outbox.size(), 2u);
  CHECK_EQ(outbox.bytes(), 15u);
  CHECK_EQ(outbox.front().speaker, 1u);
  CHECK(drained(outbox) == (Names{1, 2}));
  CHECK_EQ(outbox.bytes(), 0u);
}

TEST(outbox_joins_what_lies_side_by_side_in_one_buffer) {
  Outbox outbox;
  const SharedBytes one = buffer_of(100);
  const SharedBytes other = buffer_of(100);
  (void)outbox.push(slice(one, 0, 10, 1, true), unbounded, {});
  (void)outbox.push(slice(one, 10, 30, 2, true), unbounded, {});
  (void)outbox.push(slice(one, 40, 50, 3, true), unbounded, {});    // a hole: own speech left out
  (void)outbox.push(slice(other, 50, 60, 4, true), unbounded, {});  // another buffer at the same place
  CHECK_EQ(outbox.front_run().size(), 2u);
  outbox.pop(1);  // a part of a run may go
  CHECK_EQ(outbox.front_run().size(), 1u);
  CHECK_EQ(outbox.front().speaker, 2u);
  outbox.pop(1);
  CHECK_EQ(outbox.front_run().size(), 1u);
  outbox.pop(1);
  CHECK_EQ(outbox.front_run().size(), 1u);
  CHECK_EQ(outbox.front().speaker, 4u);
}

TEST(outbox_skips_the_oldest_audio_over_the_bound) {
  Outbox outbox;
  Skipped skipped;
  for (std::uint32_t i = 1; i <= 4; ++i) CHECK(outbox.push(audio(10, i), 40, skipped.take()));  // the bound exactly
  CHECK(skipped.names.empty());
  CHECK(outbox.push(audio(11, 5), 40, skipped.take()));
  CHECK(skipped.names == (Names{1, 2}));
  CHECK_EQ(outbox.bytes(), 31u);
  CHECK(drained(outbox) == (Names{3, 4, 5}));
}

TEST(outbox_never_skips_text) {
  Outbox outbox;
  Skipped skipped;
  (void)outbox.push(text(10, 1), 40, skipped.take());
  (void)outbox.push(audio(10, 2), 40, skipped.take());
  (void)outbox.push(text(10, 3), 40, skipped.take());
  (void)outbox.push(audio(10, 4), 40, skipped.take());
  CHECK(outbox.push(text(20, 5), 40, skipped.take()));
  CHECK(skipped.names == (Names{2, 4}));
  CHECK(drained(outbox) == (Names{1, 3, 5}));
}

TEST(outbox_says_when_only_text_is_over_the_bound) {
  Outbox outbox;
  Skipped skipped;
  CHECK(outbox.push(text(30, 1), 40, skipped.take()));
  CHECK(outbox.push(text(10, 2), 40, skipped.take()));
  CHECK(!outbox.push(text(1, 3), 40, skipped.take()));
  CHECK(skipped.names.empty());
  CHECK(drained(outbox) == (Names{1, 2, 3}));
}

TEST(outbox_takes_a_single_message_larger_than_the_bound) {
  Outbox outbox;
  Skipped skipped;
  (void)outbox.push(audio(10, 1), 40, skipped.take());
  CHECK(!outbox.push(audio(1000, 2), 40, skipped.take()));
  CHECK(skipped.names == (Names{1}));  // never the one just added
  CHECK(drained(outbox) == (Names{2}));
}

TEST(outbox_splits_a_run_where_audio_was_skipped) {
  Outbox outbox;
  Skipped skipped;
  const SharedBytes one = buffer_of(100);
  (void)outbox.push(slice(one, 0, 10, 1, false), 35, skipped.take());
  (void)outbox.push(slice(one, 10, 20, 2, true), 35, skipped.take());
  (void)outbox.push(slice(one, 20, 30, 3, true), 35, skipped.take());
  (void)outbox.push(slice(one, 30, 40, 4, true), 35, skipped.take());
  CHECK(skipped.names == (Names{2}));
  CHECK_EQ(outbox.front_run().size(), 1u);
  outbox.pop(1);
  CHECK_EQ(outbox.front_run().size(), 2u);
}

TEST(outbox_works_without_anyone_to_tell) {
  Outbox outbox;
  (void)outbox.push(audio(30, 1), 40, {});
  CHECK(outbox.push(audio(30, 2), 40, {}));
  CHECK(drained(outbox) == (Names{2}));
}

TEST(outbox_lets_go_of_buffers_at_once) {
  Outbox outbox;
  std::weak_ptr<const Bytes> popped;
  std::weak_ptr<const Bytes> passed_over;
  {
    OutboxItem first = audio(10, 1);
    OutboxItem second = audio(10, 2);
    popped = first.buffer;
    passed_over = second.buffer;
    (void)outbox.push(std::move(first), unbounded, {});
    (void)outbox.push(std::move(second), unbounded, {});
  }
  (void)outbox.push(text(10, 3), unbounded, {});
  CHECK(!popped.expired());
  outbox.pop(1);
  CHECK(popped.expired());
  CHECK(!passed_over.expired());
  CHECK(outbox.push(text(10, 4), 20, {}));
  CHECK(passed_over.expired());
}

TEST(outbox_random_run_matches_a_deque) {
  struct Reference {
    std::deque<OutboxItem> items;
    std::size_t bytes = 0;
    Names skipped;
    bool push(OutboxItem item, std::size_t bytes_max) {
      bytes += item.size();
      items.push_back(std::move(item));
      for (std::size_t i = 0; i + 1 < items.size() && bytes > bytes_max;) {
        if (items[i].audio_ms < 0) {
          ++i;
          continue;
        }
        bytes -= items[i].size();
        skipped.push_back(items[i].speaker);
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      }
      return bytes <= bytes_max;
    }
    std::size_t run() const {
      std::size_t n = items.empty() ? 0 : 1;
      while (n > 0 && n < items.size() && items[n].buffer == items[n - 1].buffer && items[n].begin == items[n - 1].end) ++n;
      return n;
    }
  };

  std::mt19937 random(20261122);
  Outbox outbox;
  Reference reference;
  Skipped skipped;
  SharedBytes shared = buffer_of(4096);
  std::uint32_t place = 0;
  std::size_t skips = 0;
  std::size_t emptied = 0;
  std::size_t longest = 0;
  for (std::uint32_t step = 0; step < 200000; ++step) {
    const unsigned weight = step / 5000 % 3 == 0 ? 70 : step / 5000 % 3 == 1 ? 50 : 30;  // filling, level, draining
    if (random() % 100 < weight) {
      const auto size = static_cast<std::uint32_t>(random() % 200);
      if (random() % 20 == 0 || place + size > 4096) {
        shared = buffer_of(4096);
        place = 0;
      }
      if (random() % 10 == 0) ++place;
      if (place + size > 4096) continue;
      const OutboxItem item = slice(shared, place, place + size, step, random() % 4 != 0);
      place += size;
      const std::size_t bytes_max = random() % 50 == 0 ? random() % 3000 : 20000;
      CHECK_EQ(outbox.push(item, bytes_max, skipped.take()), reference.push(item, bytes_max));
      CHECK(skipped.names == reference.skipped);
      skips += skipped.names.size();
      skipped.names.clear();
      reference.skipped.clear();
    } else {
      const std::size_t run = outbox.front_run().size();
      CHECK_EQ(run, reference.run());
      const std::size_t count = random() % 20 == 0 ? run : std::min<std::size_t>(run, random() % 3);
      emptied += count > 0 && count == outbox.size() ? 1 : 0;
      outbox.pop(count);
      for (std::size_t i = 0; i < count; ++i) {
        reference.bytes -= reference.items.front().size();
        reference.items.pop_front();
      }
    }
    longest = std::max(longest, outbox.size());
    CHECK_EQ(outbox.size(), reference.items.size());
    CHECK_EQ(outbox.bytes(), reference.bytes);
    if (!outbox.empty()) CHECK_EQ(outbox.front().speaker, reference.items.front().speaker);
  }
  // The run went everywhere: over the bound, long, and empty again.
  CHECK(skips > 1000);
  CHECK(longest > 100);
  CHECK(emptied > 100);
  Names left;
  for (const OutboxItem& item : reference.items) left.push_back(item.speaker);
  CHECK(drained(outbox) == left);
}
