#include "plugin/lws/served.hpp"

#include <map>
#include <mutex>

#include "plugin/lws/instance.hpp"

namespace fluentgate::lws_plugin {
namespace {

struct Entry {
  lws_context* context = nullptr;
  std::weak_ptr<Instance> instance;  // empty while it is started and stopped: outside of the lock, since both take their time
};

struct All {
  std::mutex mutex;
  std::map<std::string, Entry> entries;  // guarded by mutex
};

// Never destroyed: a host may destroy its context in an exit handler.
All& all() {
  static All& made = *new All;
  return made;
}

}  // namespace

Claim::~Claim() {
  if (!key_) return;
  const std::lock_guard lock(all().mutex);
  all().entries.erase(*key_);
}

void Claim::announce(const std::shared_ptr<Instance>& instance) const {
  const std::lock_guard lock(all().mutex);
  all().entries.at(*key_).instance = instance;
}

Result<Served> Served::find_or_claim(std::string key, lws_context* context) {
  const std::lock_guard lock(all().mutex);
  const auto [entry, free] = all().entries.try_emplace(key, Entry{context, {}});
  Served served;
  if (free) {
    served.claim.emplace(Claim(std::move(key)));
    return served;
  }
  if (entry->second.context == context) served.running = entry->second.instance.lock();
  if (served.running != nullptr) return served;
  return Error{"bad_host", "this configuration is already served on another lws context of the process; a gateway has one loop: give its vhosts to one "
                           "context, or each context a configuration of its own"};
}

}  // namespace fluentgate::lws_plugin
