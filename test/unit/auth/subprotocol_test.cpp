#include "core/auth/subprotocol.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::auth;

TEST(no_offer_is_no_subprotocol) {
  const auto chosen = choose_subprotocol(Endpoint::audio, std::nullopt);
  CHECK(chosen.ok());
  CHECK_EQ(chosen->name, "");
  CHECK(!chosen->framed);
}

TEST(each_endpoint_echoes_its_own_name) {
  CHECK_EQ(choose_subprotocol(Endpoint::captions, "fluentgate.captions.v1")->name, "fluentgate.captions.v1");
  CHECK_EQ(choose_subprotocol(Endpoint::signaling, "fluentgate.signaling.v1")->name, "fluentgate.signaling.v1");
  CHECK_EQ(choose_subprotocol(Endpoint::audio, "fluentgate.audio.v1")->name, "fluentgate.audio.v1");
  CHECK(choose_subprotocol(Endpoint::audio, "fluentgate.audio.v1")->framed);
  CHECK_EQ(choose_subprotocol(Endpoint::audio, "fluentgate.audio.pcm")->name, "fluentgate.audio.pcm");
  CHECK(!choose_subprotocol(Endpoint::audio, "fluentgate.audio.pcm")->framed);
}

TEST(a_name_of_another_endpoint_does_not_fit) {
  CHECK(!choose_subprotocol(Endpoint::captions, "fluentgate.audio.v1").ok());
  CHECK(!choose_subprotocol(Endpoint::audio, "fluentgate.signaling.v1").ok());
  CHECK(!choose_subprotocol(Endpoint::signaling, "chat, superchat").ok());
  CHECK(!choose_subprotocol(Endpoint::audio, "Fluentgate.Audio.V1").ok());
}

TEST(other_names_beside_one_that_fits_are_ignored) {
  CHECK_EQ(choose_subprotocol(Endpoint::audio, "chat ,fluentgate.captions.v1,\tfluentgate.audio.pcm")->name, "fluentgate.audio.pcm");
}

TEST(of_two_that_fit_the_first_offered_counts) {
  CHECK(!choose_subprotocol(Endpoint::audio, "fluentgate.audio.pcm, fluentgate.audio.v1")->framed);
  CHECK(choose_subprotocol(Endpoint::audio, "fluentgate.audio.v1, fluentgate.audio.pcm")->framed);
}

TEST(an_offer_of_126_bytes_is_read_and_one_of_127_is_not) {
  const std::string name = "fluentgate.audio.v1,";
  const std::string fits = name + std::string(126 - name.size(), 'x');
  CHECK(choose_subprotocol(Endpoint::audio, fits).ok());
  CHECK(!choose_subprotocol(Endpoint::audio, fits + "x").ok());
}

TEST(an_empty_offer_offers_nothing) {
  CHECK(choose_subprotocol(Endpoint::audio, "").ok());
  CHECK(choose_subprotocol(Endpoint::audio, " , ").ok());
}
