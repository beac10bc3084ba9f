// See speech_recognizer.hpp.
#include "tools/worker/speech_recognizer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

extern "C" {
#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
}

namespace fluentgate::worker {
namespace {

struct FreeConfig {
  void operator()(cmd_ln_t* config) const noexcept { cmd_ln_free_r(config); }
};
struct FreeDecoder {
  void operator()(ps_decoder_t* decoder) const noexcept { ps_free(decoder); }
};

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

std::string text_of(const char* hypothesis) { return hypothesis == nullptr ? std::string() : std::string(hypothesis); }

}  // namespace

struct Decoder::Impl {
  std::unique_ptr<cmd_ln_t, FreeConfig> config;
  std::unique_ptr<ps_decoder_t, FreeDecoder> decoder;
  std::vector<mfcc_t> initial_mean;
};

Result<std::unique_ptr<Decoder>> Decoder::make(const std::string& model_dir) {
  err_set_logfp(nullptr);  // the library tells its whole configuration otherwise
  const std::string acoustic = model_dir + "/en-us";
  const std::string language = model_dir + "/en-us.lm.bin";
  const std::string dictionary = model_dir + "/cmudict-en-us.dict";
  for (const std::string& path : {acoustic, language, dictionary}) {
    if (!exists(path)) return Error{"missing_model", "no speech model at " + path + " (Debian package pocketsphinx-en-us, or --model-dir)"};
  }
  std::vector<std::string> words{"fluentgate-worker", "-hmm", acoustic, "-lm", language, "-dict", dictionary,
                                 "-fwdflat", "no", "-bestpath", "no", "-maxhmmpf", "3000", "-maxwpf", "10",
                                 // the endpointer has decided already what is speech; a second detector would only delay
                                 "-remove_silence", "no"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  auto impl = std::make_unique<Impl>();
  impl->config.reset(cmd_ln_parse_r(nullptr, ps_args(), static_cast<int32>(arguments.size()), arguments.data(), TRUE));
  if (!impl->config) return Error{"missing_model", "pocketsphinx takes none of its options"};
  impl->decoder.reset(ps_init(impl->config.get()));
  if (!impl->decoder) {
    return Error{"missing_model", "the speech model in " + model_dir + " can't be loaded (Debian package pocketsphinx-en-us)"};
  }
  const feat_t* features = ps_get_feat(impl->decoder.get());
  impl->initial_mean.resize(static_cast<std::size_t>(features->cepsize));
  cmn_live_get(features->cmn_struct, impl->initial_mean.data());
  return std::unique_ptr<Decoder>(new Decoder(std::move(impl)));
}

Decoder::Decoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Decoder::~Decoder() = default;

void Decoder::begin(bool another_speaker) {
  if (another_speaker) cmn_live_set(ps_get_feat(impl_->decoder.get())->cmn_struct, impl_->initial_mean.data());
  ps_start_utt(impl_->decoder.get());
}

void Decoder::feed(std::span<const std::int16_t> samples) {
  if (!samples.empty()) ps_process_raw(impl_->decoder.get(), samples.data(), samples.size(), FALSE, FALSE);
}

std::string Decoder::hypothesis() const {
  int32 score = 0;
  return text_of(ps_get_hyp(impl_->decoder.get(), &score));
}

std::string Decoder::end() {
  ps_end_utt(impl_->decoder.get());
  return hypothesis();
}

Result<std::unique_ptr<DecoderPool>> DecoderPool::make(const std::string& model_dir, std::size_t decoders_max) {
  auto first = Decoder::make(model_dir);
  if (!first) return first.error();
  return std::unique_ptr<DecoderPool>(new DecoderPool(model_dir, decoders_max, std::move(*first)));
}

DecoderPool::DecoderPool(std::string model_dir, std::size_t decoders_max, std::unique_ptr<Decoder> first)
    : model_dir_(std::move(model_dir)), decoders_max_(std::max<std::size_t>(1, decoders_max)) {
  free_.push_back({std::move(first), {}});
  thread_ = std::thread([this] { make_ahead(); });
}

DecoderPool::~DecoderPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DecoderPool::make_ahead() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!free_.empty() || made_ >= decoders_max_) {
      changed_.wait(lock);
      continue;
    }
    making_ = true;
    ++made_;
    lock.unlock();
    auto decoder = Decoder::make(model_dir_);
    lock.lock();
    making_ = false;
    if (decoder) {
      free_.insert(free_.begin(), Free{std::move(*decoder), {}});
    } else {
      // The model was there when the first one was made: out of memory, most likely. What there is goes on being used.
      --made_;
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::seconds(10), [this] { return stopping_; });
      continue;
    }
    changed_.notify_all();
  }
}

std::unique_ptr<Decoder> DecoderPool::take(const std::string& speaker) {
  std::unique_lock lock(mutex_);
  if (free_.empty() && made_ < decoders_max_) changed_.notify_all();
  changed_.wait(lock, [this] { return !free_.empty() || (!making_ && made_ >= decoders_max_) || stopping_; });
  if (free_.empty()) return nullptr;
  auto found = std::find_if(free_.begin(), free_.end(), [&](const Free& f) { return f.speaker == speaker; });
  if (found == free_.end()) found = free_.begin();
  const bool another = found->speaker != speaker;
  std::unique_ptr<Decoder> decoder = std::move(found->decoder);
  free_.erase(found);
  changed_.notify_all();  // for the next
  lock.unlock();
  decoder->begin(another);
  return decoder;
}

void DecoderPool::give_back(std::unique_ptr<Decoder> decoder, const std::string& speaker) {
  const std::lock_guard lock(mutex_);
  free_.push_back({std::move(decoder), speaker});
  changed_.notify_all();
}

}  // namespace fluentgate::worker
