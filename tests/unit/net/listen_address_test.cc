#include "net/listen_address.h"

#include <gtest/gtest.h>

namespace fhir_adapter::net {
namespace {

struct Case {
  const char* text;
  const char* host;  // empty: an error
  int port;
  bool loopback;
};

class ListenAddressTable : public testing::TestWithParam<Case> {};

TEST_P(ListenAddressTable, Text_GivesHostAndPort) {
  const Case& example = GetParam();
  const Result<ListenAddress> address = ParseListenAddress(example.text);
  if (*example.host == '\0') {
    ASSERT_FALSE(address) << example.text;
    EXPECT_EQ(address.error().code, Code::kConfiguration);
    EXPECT_NE(address.error().message.find(example.text), std::string::npos);
    return;
  }
  ASSERT_TRUE(address) << example.text;
  EXPECT_EQ(address->host, example.host);
  EXPECT_EQ(address->port, example.port);
  EXPECT_EQ(address->is_loopback(), example.loopback);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, ListenAddressTable,
    testing::Values(Case{"127.0.0.1:8620", "127.0.0.1", 8620, true},
                    Case{"127.9.9.9:0", "127.9.9.9", 0, true}, Case{"localhost:1", "127.0.0.1", 1, true},
                    Case{"[::1]:8620", "::1", 8620, true}, Case{"0.0.0.0:8620", "0.0.0.0", 8620, false},
                    Case{"[::]:8620", "::", 8620, false}, Case{"128.0.0.1:65535", "128.0.0.1", 65535, false},
                    Case{"127.0.0.1:65536", "", 0, false}, Case{"127.0.0.1:-1", "", 0, false},
                    Case{"127.0.0.1:", "", 0, false}, Case{"127.0.0.1:80x", "", 0, false},
                    Case{"127.0.0.1", "", 0, false}, Case{"::1:8620", "", 0, false},
                    Case{"[::1]", "", 0, false}, Case{"[::1", "", 0, false},
                    Case{"[127.0.0.1]:1", "", 0, false}, Case{"adapter.example:80", "", 0, false},
                    Case{"", "", 0, false}, Case{":80", "", 0, false}));

TEST(ListenAddress, ToString_IsWhatIsParsed) {
  for (const char* text : {"127.0.0.1:8620", "[::1]:1"}) {
    EXPECT_EQ(ToString(*ParseListenAddress(text)), text);
  }
}

}  // namespace
}  // namespace fhir_adapter::net
