// CONTRACT 2, client to gateway, and section 4's audio.raw: what a client sends, and what a worker then reads.
#include "test/plugin/world.hpp"

namespace fluentgate::test {
namespace {

const TokenClaims speaker{.user = "ann", .speaking_language = "en"};

std::string joined(const std::vector<PeerRecord>& records) {
  std::string all;
  for (const PeerRecord& record : records) all += audio_of(record);
  return all;
}

void check_numbers(const std::vector<PeerRecord>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK_EQ(number_of(records[i]), static_cast<std::int64_t>(i));
    CHECK_EQ(records[i].header("fg-seq").value_or(""), std::to_string(i));
  }
}

void check_headers(const PeerRecord& record, std::int64_t sent_ms) {
  const std::int64_t ingest = std::stoll(record.header("fg-ingest-ms").value_or("0"));
  CHECK(ingest >= sent_ms && ingest <= now_ms());
  CHECK(!record.header("fg-instance").value_or("").empty());
  const std::string trace = record.header("traceparent").value_or("");
  CHECK_EQ(trace.size(), std::size_t{55});
  CHECK(trace.starts_with("00-") && trace[35] == '-' && trace[52] == '-');
  CHECK(trace.find_first_not_of("0123456789abcdef-") == std::string::npos);
}

TEST(binary_message_becomes_the_event_of_the_contract) {
  World world;
  Client client = world.audio(speaker);
  const std::int64_t sent = now_ms();
  client.audio(pcm_bytes(640));
  const PeerRecord record = world.worker.read("audio.raw", 1)[0];
  CHECK_EQ(record.key, std::string("r1"));
  CHECK(keys(record.value) == (std::vector<std::string>{"event_id", "event_type", "timestamp", "payload"}));
  CHECK_EQ(text_member(record.value, "event_type"), std::string("audio.chunk"));
  CHECK_EQ(text_member(record.value, "event_id").size(), std::size_t{36});
  CHECK_EQ(text_member(record.value, "event_id")[14], '4');
  const std::string timestamp = text_member(record.value, "timestamp");  // 2026-11-22T10:00:00.123456+00:00
  CHECK_EQ(timestamp.size(), std::size_t{32});
  CHECK(timestamp[10] == 'T' && timestamp[19] == '.' && timestamp.ends_with("+00:00"));
  CHECK(keys(member(record.value, "payload")) ==
        (std::vector<std::string>{"room_id", "user_id", "sequence_number", "audio_data", "sample_rate", "encoding", "source_language"}));
  CHECK_EQ(text_member(record.value, "payload.room_id"), std::string("r1"));
  CHECK_EQ(text_member(record.value, "payload.user_id"), std::string("ann"));
  CHECK_EQ(number_member(record.value, "payload.sample_rate"), 16000);
  CHECK_EQ(text_member(record.value, "payload.encoding"), std::string("linear16"));
  CHECK_EQ(text_member(record.value, "payload.source_language"), std::string("en"));
  CHECK(audio_of(record) == pcm_bytes(640));
  CHECK_EQ(number_of(record), 0);
  CHECK_EQ(record.header("fg-seq").value_or(""), std::string("0"));
  CHECK_EQ(record.header("fg-wanted").value_or("absent"), std::string());  // nobody listens
  check_headers(record, sent);
  CHECK(!record.header("fg-gap-ms"));
}

TEST(binary_format_is_the_audio_alone_with_headers) {
  World world({"kafka.format.audio_raw=binary"});
  Client client = world.audio(speaker, "speak=pt-BR");
  const std::int64_t sent = now_ms();
  client.audio(pcm_bytes(642));
  const PeerRecord record = world.worker.read("audio.raw", 1)[0];
  CHECK_EQ(record.key, std::string("r1"));
  CHECK(record.value == pcm_bytes(642));
  const std::pair<const char*, const char*> expected[] = {{"fg-room", "r1"}, {"fg-user", "ann"}, {"fg-seq", "0"}, {"fg-rate", "16000"},
                                                          {"fg-enc", "linear16"}, {"fg-lang", "pt-BR"}, {"fg-wanted", ""}};
  for (const auto& [name, value] : expected) CHECK_EQ(record.header(name).value_or("absent"), std::string(value));
  check_headers(record, sent);
}

TEST(a_text_message_may_be_base64_of_pcm) {
  World world;
  Client client = world.audio(speaker);
  client.send(base64(pcm_bytes(640, 1)));
  client.send(base64(pcm_bytes(2, 2)));  // with padding
  client.send("\n " + base64(pcm_bytes(6, 3)) + "\r\n");
  const auto records = world.worker.read("audio.raw", 3);
  CHECK(audio_of(records[0]) == pcm_bytes(640, 1));
  CHECK(audio_of(records[1]) == pcm_bytes(2, 2));
  CHECK(audio_of(records[2]) == pcm_bytes(6, 3));
  check_numbers(records);
}

TEST(fragments_and_pings_between_them_make_one_message) {
  World world;
  Client client = world.audio(speaker);
  const std::string pcm = pcm_bytes(70000);
  const std::size_t cuts[] = {0, 1, 1, 2, 127, 400, 66000, 70000, 70000};  // empty fragments and odd ones, too
  for (std::size_t i = 0; i + 1 < std::size(cuts); ++i) {
    const bool last = i + 2 == std::size(cuts);
    client.ws().send_frame(i == 0 ? Frame::binary : Frame::continuation, std::string_view(pcm).substr(cuts[i], cuts[i + 1] - cuts[i]), last);
    if (last) break;
    client.ws().send_frame(Frame::ping, "between " + std::to_string(i));
    Frame pong = client.ws().frame();
    while (pong.opcode == Frame::text) pong = client.ws().frame();  // `listeners`
    CHECK_EQ(static_cast<int>(pong.opcode), static_cast<int>(Frame::pong));
    CHECK_EQ(pong.payload, "between " + std::to_string(i));
  }
  // Control in fragments: the cut is inside a character of two bytes.
  const std::string ping = "{\"type\":\"ping\",\"who\":\"J\xc3\xbcrgen\"}";
  client.ws().send_frame(Frame::text, ping.substr(0, 24), false);
  client.ws().send_frame(Frame::continuation, ping.substr(24), true);
  CHECK_EQ(client.event("pong"), std::string("{\"type\":\"pong\",\"who\":\"J\xc3\xbcrgen\"}"));
  const auto records = world.worker.read("audio.raw", 1);
  CHECK(audio_of(records[0]) == pcm);
}

TEST(bad_audio_is_answered_and_the_socket_lives_on) {
  World world;
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640).substr(1));
  client.refused("odd_bytes");
  client.audio("");
  client.refused("empty_message");
  client.send("");
  client.refused("empty_message");
  client.send("this is not base64!");
  client.refused("bad_base64");
  client.send("[1]");
  client.refused("bad_base64");
  client.send(base64("abc"));
  client.refused("odd_bytes");
  client.send("{\"type\":");
  client.refused("invalid_json");
  client.send(" \t\n{\"type\":\"ping\"");
  client.refused("invalid_json");
  client.send("{\"type\":\"ping\",\"type\":\"ping\"}");
  client.refused("invalid_json");
  client.send("{\"type\":\"ping\",\"a\":" + std::string(64, '[') + std::string(64, ']') + "}");
  client.refused("invalid_json");
  client.send("{}");
  client.refused("missing_type");
  client.send("{\"type\":7}");
  client.refused("missing_type");
  client.send("{\"type\":\"sing\"}");
  client.refused("unknown_type");
  client.audio(pcm_bytes(640));
  CHECK(audio_of(world.worker.read("audio.raw", 1)[0]) == pcm_bytes(640));
  check_numbers(world.worker.read_rest("audio.raw"));
  CHECK_EQ(world.worker.read_rest("audio.raw", 1).size(), std::size_t{1});
  world.wait_metric("fluentgate_client_errors_total{code=\"odd_bytes\"} 2");
  // As deep as it may be.
  client.send("{\"type\":\"ping\",\"a\":" + std::string(63, '[') + std::string(63, ']') + "}");
  client.event("pong");
}

TEST(without_base64_text_is_an_object) {
  World world({"audio.accept_base64=false"});
  Client client = world.audio(speaker);
  client.send(base64(pcm_bytes(640)));
  client.refused("not_an_object");
  client.send("{\"type\":\"ping\"}");
  CHECK_EQ(client.event("pong"), std::string("{\"type\":\"pong\"}"));
}

TEST(muted_audio_is_dropped_silently_and_takes_no_number) {
  World world;
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640, 1));
  client.send("{\"type\":\"mute\"}");
  client.audio(pcm_bytes(640, 2));
  client.audio("odd");
  client.send("{\"type\":\"unmute\"}");
  client.audio(pcm_bytes(640, 3));
  client.send("{\"type\":\"mute\"}");
  CHECK(client.texts_until_pong().empty());
  // A new socket starts unmuted.
  Client again = world.audio(speaker);
  again.audio(pcm_bytes(640, 4));
  const auto records = world.worker.read("audio.raw", 3);
  CHECK(joined(records) == pcm_bytes(640, 1) + pcm_bytes(640, 3) + pcm_bytes(640, 4));
  check_numbers(records);
}

TEST(chunk_ms_cuts_exactly_and_flush_mute_and_disconnect_give_the_rest) {
  World world({"audio.chunk_ms=100", "audio.flush_ms=60000"});
  const std::string speech = pcm_bytes(25600);  // 800 ms
  std::size_t at = 0;
  const auto send = [&](Client& client, std::size_t bytes) {
    client.audio(speech.substr(at, bytes));
    at += bytes;
  };
  {
    Client client = world.audio(speaker);
    send(client, 2);
    send(client, 9000);
    send(client, 998);  // 10000 in all: 3 chunks and 400 bytes
    client.send("{\"type\":\"flush\"}");
    send(client, 3200 + 600);
    client.send("{\"type\":\"mute\"}");
    client.send("{\"type\":\"unmute\"}");
    send(client, 800);
    client.send("{\"type\":\"start\",\"encoding\":\"linear16\",\"sample_rate\":16000,\"channels\":1}");
    client.event("started");
    send(client, 1000);
    client.ws().send_close();
    CHECK_EQ(client.ws().close_code(), 1000);
  }
  const auto records = world.worker.read("audio.raw", 8);
  std::vector<std::size_t> sizes;
  for (const auto& record : records) sizes.push_back(audio_of(record).size());
  CHECK(sizes == (std::vector<std::size_t>{3200, 3200, 3200, 400, 3200, 600, 800, 1000}));
  CHECK(joined(records) == speech.substr(0, at));
  check_numbers(records);
}

TEST(what_a_replaced_socket_left_is_published_before_what_the_newer_one_says) {
  World world({"audio.chunk_ms=100", "audio.flush_ms=60000"});
  Client older = world.audio(speaker);
  older.audio(pcm_bytes(640, 1));
  older.until_pong();
  Client newer = world.audio(speaker);  // the older one neither reads nor answers its close frame
  newer.audio(pcm_bytes(3200, 2));
  const auto records = world.worker.read("audio.raw", 2);
  CHECK(audio_of(records[0]) == pcm_bytes(640, 1));
  CHECK(audio_of(records[1]) == pcm_bytes(3200, 2));
  check_numbers(records);
  CHECK_EQ(older.ws().close_code(), 4009);
}

TEST(flush_ms_without_audio_gives_the_rest) {
  World world({"audio.chunk_ms=1000", "audio.flush_ms=50"});
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(640));
  const auto records = world.worker.read("audio.raw", 1);
  CHECK(audio_of(records[0]) == pcm_bytes(640));
}

TEST(long_messages_are_published_in_pieces) {
  World world({"audio.max_chunk_ms=100"});
  Client client = world.audio(speaker);
  client.audio(pcm_bytes(8000));  // 250 ms
  const auto records = world.worker.read("audio.raw", 3);
  CHECK_EQ(audio_of(records[0]).size(), std::size_t{3200});
  CHECK_EQ(audio_of(records[1]).size(), std::size_t{3200});
  CHECK(joined(records) == pcm_bytes(8000));
  check_numbers(records);
}

TEST(a_message_of_the_largest_size_goes_through_and_one_byte_more_closes) {
  World world;
  Client client = world.audio(speaker);
  const std::string largest = pcm_bytes(1 << 20);
  client.audio(largest);
  const auto records = world.worker.read("audio.raw", 4);  // 32.8 s in chunks of 10 s
  CHECK(joined(records) == largest);
  check_numbers(records);
  client.audio(largest + "x");
  CHECK_EQ(client.ws().close_code(), 1009);
  Client fragments = world.audio(speaker);
  fragments.ws().send_frame(Frame::binary, largest, false);
  fragments.ws().send_frame(Frame::continuation, "xy", false);
  CHECK_EQ(fragments.ws().close_code(), 1009);
}

TEST(text_that_is_not_utf8_closes_1007) {
  World world;
  Client client = world.audio(speaker);
  client.send("{\"type\":\"ping\",\"a\":\"\xc3\x28\"}");
  CHECK_EQ(client.ws().close_code(), 1007);
}

TEST(audio_over_the_rate_limit_closes_4029) {
  World world({"limits.messages_per_s=5"});
  Client client = world.audio(speaker);
  for (int i = 0; i < 9; ++i) client.audio(pcm_bytes(2, i + 1));
  client.until_pong();  // the tenth of two seconds' worth: still served
  for (int i = 0; i < 40; ++i) client.audio(pcm_bytes(2));
  CHECK_EQ(client.ws().close_code(), 4029);
  CHECK(world.worker.read("audio.raw", 9).size() < 40);
  // Control counts, too.
  Client talker = world.audio({.user = "bob"});
  for (int i = 0; i < 50; ++i) talker.send("{\"type\":\"ping\"}");
  CHECK_EQ(talker.ws().close_code(), 4029);
}

TEST(wanted_names_the_languages_that_others_want_from_this_speaker) {
  World world;
  Client client = world.audio({.user = "ann", .listening_language = "en", .speaking_language = "en"});
  Client es = world.audio({.user = "bob", .listening_language = "es-MX,de"});
  Client es2 = world.audio({.user = "eve", .listening_language = "ES-mx"});
  Client fr = world.audio({.user = "joe", .listening_language = "fr"});
  Client en = world.audio({.user = "kim", .listening_language = "en-GB"});              // hears her in the original
  Client de = world.audio({.user = "leo", .listening_language = "de"}, "understands=en");  // so does he
  Client none = world.audio({.user = "max"});
  none.until_pong();
  client.audio(pcm_bytes(640));
  CHECK_EQ(world.worker.read("audio.raw", 1)[0].header("fg-wanted").value_or("absent"), std::string("es-MX,fr"));
  fr.ws().send_close();
  CHECK_EQ(fr.ws().close_code(), 1000);
  de.send("{\"type\":\"set_language\",\"understands\":[]}");
  de.event("language");
  client.audio(pcm_bytes(640));
  const std::string wanted = world.worker.read("audio.raw", 2)[1].header("fg-wanted").value_or("absent");
  CHECK(wanted == "de,es-MX" || wanted == "de,es-MX,fr");  // fr's end may still be on its way
}

}  // namespace
}  // namespace fluentgate::test
