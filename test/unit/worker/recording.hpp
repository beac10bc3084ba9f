// The LibriVox recordings of Debian's pocketsphinx-testdata: real speech, 16 kHz mono, with its words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/audio/pcm.hpp"
#include "test/support/check.hpp"

namespace fluentgate::test {

struct Recording {
  std::string name;
  std::vector<std::int16_t> samples;
  std::set<std::string> words;
};

inline std::set<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The share of the recording's different words that `text` has.
inline double word_overlap(const Recording& recording, const std::string& text) {
  const auto heard = words_of(text);
  std::size_t common = 0;
  for (const std::string& word : recording.words) common += heard.count(word);
  return static_cast<double>(common) / static_cast<double>(recording.words.size());
}

inline std::vector<Recording> recordings() {
  const std::string folder = "/usr/share/pocketsphinx/test/data/librivox/";
  std::ifstream list(folder + "transcription");
  if (!list) FAIL("no recordings: Debian package pocketsphinx-testdata");
  std::vector<Recording> all;
  for (std::string line; std::getline(list, line);) {
    const std::size_t open = line.rfind('(');
    const std::size_t close = line.rfind(')');
    const std::size_t begin = line.find("<s>");
    const std::size_t end = line.find("</s>");
    if (open == std::string::npos || begin == std::string::npos || end == std::string::npos) continue;
    Recording recording;
    recording.name = line.substr(open + 1, close - open - 1);
    recording.words = words_of(line.substr(begin + 3, end - begin - 3));
    std::ifstream wav(folder + recording.name + ".wav", std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(wav), {}};
    if (bytes.size() < 44) FAIL("no recording " + recording.name);
    audio::append_samples(std::span(bytes).subspan(44), recording.samples);
    all.push_back(std::move(recording));
  }
  return all;
}

}  // namespace fluentgate::test
