// CONTRACT 1 (languages) and 2: who hears which frame. A frame in "mark" order follows each negative: what was not heard by then never will be.
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

PeerMessage frame(const std::string& language, int seed, const std::string& user = "speaker") {
  return synthesized({.pcm = pcm_bytes(640, seed), .language = language, .user = user});
}
std::string sound(int seed) { return pcm_bytes(640, seed); }

TEST(lookup_finds_shorter_tags_and_then_extensions) {
  World world;
  Client hant = world.audio({.user = "a", .listening_language = "zh-Hant-TW"});
  Client es = world.audio({.user = "b", .listening_language = "es"});
  Client list = world.audio({.user = "c", .listening_language = "de,es-AR"});
  Client cased = world.audio({.user = "d", .listening_language = "es-mx"});
  Client none = world.audio({.user = "e"});
  const auto one = [&](const std::string& language, int seed, const std::string& user) { world.worker.produce(frame(language, seed, user)); };
  one("zh", 1, "s1");            // hant: zh
  one("zh-Hant", 2, "s1");       // hant: better
  one("zh", 3, "s1");            // no more
  one("es-MX", 4, "s2");         // es by extension; cased
  one("es", 5, "s2");            // es and list exactly; cased keeps es-MX
  one("es-MX", 6, "s2");         // cased alone
  one("de-AT", 7, "s3");         // list by extension
  one("es", 8, "s3");            // es; list has de-AT
  one("fr", 9, "s1");            // nobody
  for (const char* mark : {"zh-Hant-TW", "es", "de", "es-mx"}) one(mark, 99, "mark-" + std::string(mark));
  const auto heard = [&](Client& client, const std::vector<int>& seeds) {
    for (const int seed : seeds) {
      if (client.bytes() != sound(seed)) FAIL("did not hear " + std::to_string(seed) + " next");
    }
    CHECK(client.bytes() == sound(99));
  };
  heard(hant, {1, 2});
  heard(es, {4, 5, 8});
  heard(list, {5, 7});
  heard(cased, {4, 6, 8});
  CHECK_EQ(none.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"de\":1,\"es\":1,\"es-mx\":1,\"zh-Hant-TW\":1}}"));
  for (const Frame& frame : none.until_pong()) CHECK_EQ(static_cast<int>(frame.opcode), static_cast<int>(Frame::text));
}

TEST(a_language_is_produced_until_its_timeout) {
  World world({"audio.language_timeout_ms=300", "limits.messages_per_s=100000"});
  Client client = world.audio({.user = "a", .listening_language = "es,fr"});
  world.worker.produce(frame("es", 1));
  CHECK(client.bytes() == sound(1));
  // Once Spanish has been away for long enough, French is the best there is.
  const std::int64_t since = now_ms();
  int sent = 0;
  std::optional<std::string> got;
  while (!got && now_ms() - since < 5000) {
    world.worker.produce(frame("fr", 100 + sent++));
    client.send("{\"type\":\"ping\"}");
    const Frame next = client.next();
    if (next.opcode == Frame::binary) got = next.payload;
  }
  CHECK(got.has_value());
  CHECK(now_ms() - since >= 250);
}

TEST(own_speech_is_heard_only_where_asked_for) {
  {
    World world;
    Client self = world.audio({.user = "speaker", .listening_language = "es"});
    Client other = world.audio({.user = "bob", .listening_language = "es"});
    world.worker.produce({frame("es", 1), frame("es", 2, "bob"), frame("es", 3), frame("es", 4, "bob")});
    CHECK(self.bytes() == sound(2));
    CHECK(self.bytes() == sound(4));
    CHECK(other.bytes() == sound(1));
    CHECK(other.bytes() == sound(3));
  }
  World world({"audio.hear_self=true"});
  Client self = world.audio({.user = "speaker", .listening_language = "es"});
  world.worker.produce(frame("es", 1));
  CHECK(self.bytes() == sound(1));
}

TEST(set_language_is_in_force_at_the_next_frame_and_told_to_every_control_socket) {
  World world;
  Client audio = world.audio({.user = "a", .listening_language = "es", .speaking_language = "en"});
  Client signaling = world.signaling({.user = "a", .listening_language = "es", .speaking_language = "en"});
  world.worker.produce({frame("es", 1), frame("fr", 2)});
  CHECK(audio.bytes() == sound(1));
  signaling.send("{\"type\":\"set_language\",\"listening_language\":[\"fr\",\"de\"],\"speaking_language\":\"it\",\"understands\":\"pt, nl\"}");
  const std::string told =
      "{\"type\":\"language\",\"listening_language\":[\"fr\",\"de\"],\"speaking_language\":\"it\",\"understands\":[\"pt\",\"nl\"]}";
  CHECK_EQ(signaling.event("language"), told);
  CHECK_EQ(audio.event("language"), told);
  world.worker.produce({frame("es", 3), frame("fr", 4)});
  CHECK(audio.bytes() == sound(4));
  audio.send("{\"type\":\"set_language\",\"listening_language\":\"es\"}");
  CHECK_EQ(audio.event("language"),
           std::string("{\"type\":\"language\",\"listening_language\":[\"es\"],\"speaking_language\":\"it\",\"understands\":[\"pt\",\"nl\"]}"));
  world.worker.produce({frame("fr", 5), frame("es", 6)});
  CHECK(audio.bytes() == sound(6));
  // What is refused changes nothing.
  for (const char* bad : {"\"listening_language\":\"not a tag\"", "\"listening_language\":\"\"", "\"listening_language\":[1]",
                          "\"speaking_language\":[\"en\"]",
                          "\"listening_language\":\"a1,b2,c3,d4,e5,f6,g7,h8,i9\"", "\"other\":1"}) {
    audio.send("{\"type\":\"set_language\"," + std::string(bad) + "}");
    audio.refused("bad_language");
  }
  world.worker.produce(frame("es", 7));
  CHECK(audio.bytes() == sound(7));
}

TEST(understood_speech_is_neither_heard_in_synthesis_nor_suppressed) {
  World world;
  Client speaker = world.audio({.user = "speaker", .speaking_language = "en-US"});
  Client first = world.audio({.user = "a", .listening_language = "en"});
  Client understands = world.audio({.user = "b", .listening_language = "es"}, "understands=en");
  Client claim = world.audio({.user = "c", .listening_language = "es", .more = "\"understands\":[\"EN-us\"]"});
  Client other = world.audio({.user = "d", .listening_language = "es"});
  Client second = world.audio({.user = "e", .listening_language = "es,en"});  // only the first tag counts as understood
  world.worker.produce({frame("es", 1), frame("en", 2)});
  for (const char* mark : {"en", "es"}) world.worker.produce(frame(mark, 9, "stranger"));  // of unknown language: different from all
  for (Client* client : {&first, &understands, &claim}) {
    const std::string suppress = client->event("suppress_original");
    CHECK_EQ(text_member(suppress, "speaker_id"), std::string("stranger"));
    CHECK(client->bytes() == sound(9));
  }
  for (Client* client : {&other, &second}) {
    CHECK_EQ(text_member(client->event("suppress_original"), "speaker_id"), std::string("speaker"));
    CHECK(client->bytes() == sound(1));
  }
}

TEST(query_overrides_claims_only_where_allowed) {
  {
    World world;
    Client client = world.audio({.user = "a", .listening_language = "es"}, "lang=fr");
    world.worker.produce({frame("es", 1), frame("fr", 2)});
    CHECK(client.bytes() == sound(2));
  }
  World world({"auth.allow_language_override=false"});
  Client client = world.audio({.user = "a", .listening_language = "es"}, "lang=fr");
  world.worker.produce({frame("fr", 1), frame("es", 2)});
  CHECK(client.bytes() == sound(2));
}

TEST(listeners_are_told_when_demand_changes) {
  World world;
  Client ann = world.audio({.user = "ann", .listening_language = "en", .speaking_language = "en"});
  ann.until_pong();
  Client es = world.audio({.user = "b", .listening_language = "es,en"});
  CHECK_EQ(ann.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"es\":1}}"));
  CHECK_EQ(es.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"en\":1}}"));
  Client es2 = world.audio({.user = "c", .listening_language = "ES"});
  CHECK_EQ(ann.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"es\":2}}"));
  Client captions = world.captions({.user = "x", .listening_language = "fr"});  // no audio socket: counts nowhere
  Client same = world.audio({.user = "d", .listening_language = "en-GB"});
  CHECK_EQ(es.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"en\":1,\"es\":1}}"));  // spelled as first seen
  CHECK_EQ(es.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"en\":1,\"en-GB\":1,\"es\":1}}"));
  same.send("{\"type\":\"set_language\",\"listening_language\":\"fr\"}");
  CHECK_EQ(ann.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"es\":2,\"fr\":1}}"));
  es2.ws().send_close();
  CHECK_EQ(ann.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"es\":1,\"fr\":1}}"));
  // With a signaling socket, it goes there.
  Client signaling = world.signaling({.user = "ann", .listening_language = "en", .speaking_language = "en"});
  CHECK_EQ(signaling.event("listeners"), std::string("{\"type\":\"listeners\",\"languages\":{\"es\":1,\"fr\":1}}"));
}

}  // namespace
}  // namespace fluentgate::test
