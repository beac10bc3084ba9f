// Random joins, moves, leaves, kills and outages on three instances: what each page was told, event by event, must always make sense, and in the end be true.
#include <random>

#include "test/unit/gateway/cluster_world.hpp"

using namespace fluentgate;
using namespace fluentgate::test;

namespace {

const std::vector<std::string> names{"ann", "bob", "cid", "dee"};

// A page: it believes what it is told.
struct Page {
  std::string user;
  std::size_t instance;
  Client client;
  std::optional<std::set<std::string>> sees;  // nothing before existing_users

  void read(std::uint64_t seed) {
    for (const auto& text : client.texts()) {
      const auto about = [&] {
        const auto at = text.find("\"user_id\":\"") + 11;
        return text.substr(at, text.find('"', at) - at);
      };
      const std::string where = " (seed " + std::to_string(seed) + ", " + user + " on " + std::to_string(instance) + "): " + text;
      if (has(text, "\"existing_users\"")) {
        sees.emplace();
        for (const auto& name : names) {
          if (has(text, "\"" + name + "\"")) sees->insert(name);
        }
        if (sees->contains(user)) FAIL("sees itself" + where);
      } else if (has(text, "\"user_joined\"")) {
        if (!sees) FAIL("joined before existing_users" + where);
        if (!sees->insert(about()).second) FAIL("shown twice" + where);
      } else if (has(text, "\"user_left\"")) {
        if (!sees) FAIL("left before existing_users" + where);
        if (sees->erase(about()) == 0) FAIL("left without having been there" + where);
      }
    }
  }
};

class Rehearsal {
 public:
  explicit Rehearsal(std::uint64_t seed) : seed_(seed), random_(seed) {
    for (int i = 0; i < 3; ++i) add_instance();
  }

  void run() {
    for (int step = 0; step < 60; ++step) {
      one_step();
      read_all();
    }
    come_to_rest();
    std::set<std::string> present;
    for (const auto& page : pages_) present.insert(page->user);
    for (auto& page : pages_) {
      std::set<std::string> expected = present;
      expected.erase(page->user);
      if (!page->sees || *page->sees != expected) {
        std::string seen;
        if (page->sees) for (const auto& name : *page->sees) seen += name + " ";
        FAIL("seed " + std::to_string(seed_) + ": " + page->user + " on " + std::to_string(page->instance) + " sees " + seen);
      }
    }
    std::set<std::string> once;
    for (const auto& page : pages_) {
      if (!once.insert(page->user).second) FAIL("seed " + std::to_string(seed_) + ": two sockets of " + page->user + " are open");
    }
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void add_instance() {
    live_.push_back(redis_.instances.size());
    redis_.add("i" + std::to_string(redis_.instances.size()));
  }
  void open(const std::string& user) {
    const std::size_t at = live_[below(live_.size())];
    pages_.push_back(std::make_unique<Page>(Page{user, at, redis_.instances[at]->world.signaling(user), std::nullopt}));
  }
  void one_step() {
    for (auto& one : redis_.instances) one->world.clock.advance(1);
    const std::size_t dice = below(100);
    if (dice < 35) return open(names[below(names.size())]);
    if (dice < 55 && !pages_.empty()) return leave(below(pages_.size()));
    if (dice < 80) return redis_.deliver();
    if (dice < 84) return kill();
    if (dice < 88 && redis_.up) return redis_.go_away();
    if (dice < 94 && !redis_.up) return redis_.come_back();
    if (dice < 97 && redis_.up) return redis_.complete_views();
    for (const std::size_t at : live_) redis_.instances[at]->world.tick(600);
  }
  void leave(std::size_t at) {
    pages_[at]->client.gone();
    pages_.erase(pages_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // Its pages are gone with it; that it is dead is found later.
  void kill() {
    const std::size_t at = below(live_.size());
    Instance& victim = *redis_.instances[live_[at]];
    victim.bus.dead = true;
    std::erase_if(pages_, [&](const auto& page) { return page->instance == live_[at]; });
    dead_.push_back(live_[at]);
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(at));
    add_instance();
  }
  void read_all() {
    for (std::size_t i = 0; i < pages_.size();) {
      pages_[i]->read(seed_);
      if (pages_[i]->client.transport->closed && below(2) == 0) {  // the page answers its close, sooner or later
        leave(i);
      } else {
        ++i;
      }
    }
  }
  void come_to_rest() {
    if (!redis_.up) redis_.come_back();
    redis_.deliver();
    for (const std::size_t at : dead_) redis_.lease_over(*redis_.instances[at]);
    redis_.deliver();
    redis_.complete_views();
    redis_.deliver();
    for (int i = 0; i < 20; ++i) {
      read_all();
      redis_.deliver();
    }
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
  FakeRedis redis_;
  std::vector<std::size_t> live_, dead_;
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace

TEST(cluster_presence_makes_sense_whatever_happens) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) Rehearsal(seed).run();
}
