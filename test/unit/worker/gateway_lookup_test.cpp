// Where the worker takes the broker's address from.
#include "tools/worker/gateway_lookup.hpp"

#include "test/support/check.hpp"

using namespace fluentgate;
using namespace fluentgate::worker;

TEST(gateway_url_is_host_and_port) {
  CHECK_EQ(parse_gateway_url("http://127.0.0.1:7681")->port, "7681");
  CHECK_EQ(parse_gateway_url("http://[::1]:80/")->host, "::1");
  CHECK_EQ(parse_gateway_url("http://gate")->port, "80");
  for (const char* bad : {"gate:1", "https://gate:1", "http://", "http://gate:x", "http://gate:1/path", "http://:1"}) CHECK(!parse_gateway_url(bad).ok());
}

TEST(bootstrap_is_read_from_200_and_from_503) {
  const std::string body = R"({"ready":false,"kafka":{"up":true,"bootstrap":"127.0.0.1:4242"}})";
  CHECK_EQ(*bootstrap_of("HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + body), "127.0.0.1:4242");
  CHECK_EQ(*bootstrap_of("HTTP/1.1 503 Service Unavailable\r\n\r\n" + body), "127.0.0.1:4242");
  CHECK_EQ(*bootstrap_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + body + "\r\n0\r\n\r\n"), "127.0.0.1:4242");
}

TEST(without_an_address_it_is_asked_again_only_while_that_can_help) {
  CHECK(bootstrap_of("HTTP/1.1 503 x\r\n\r\n{}").error().retriable);
  CHECK(bootstrap_of("HTTP/1.1 404 x\r\n\r\nnothing").error().retriable);
  CHECK(bootstrap_of("").error().retriable);
  const auto foreign = bootstrap_of("HTTP/1.1 200 OK\r\n\r\n{\"kafka\":{\"up\":true}}");
  CHECK_EQ(foreign.error().code, "no_bootstrap");
  CHECK(!foreign.error().retriable);
}
