#include "net/http_head.h"

#include <gtest/gtest.h>

namespace fhir_adapter::net {
namespace {

HttpHead MakeHead(std::vector<HttpHeader> fields, int version = 11) {
  HttpHead head;
  head.method = "POST";
  head.target = "/records";
  head.version = version;
  for (HttpHeader& field : fields) head.headers.Add(field.name, field.value);
  return head;
}

HttpHeadPolicy MakePolicy() {
  HttpHeadPolicy policy;
  policy.allowed_hosts = {"localhost", "127.0.0.1", "::1"};
  return policy;
}

struct Case {
  const char* name;
  std::vector<HttpHeader> fields;
  int version;
  int status;  // 0: good
};

class HeadTable : public testing::TestWithParam<Case> {};

TEST_P(HeadTable, Fields_GiveTheStatus) {
  const auto problem = CheckHead(MakeHead(GetParam().fields, GetParam().version), MakePolicy());
  EXPECT_EQ(problem ? problem->status : 0, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc9112, HeadTable,
    testing::Values(
        Case{"plain", {{"Host", "localhost"}}, 11, 0}, Case{"with_port", {{"Host", "localhost:80"}}, 11, 0},
        Case{"ipv6", {{"Host", "[::1]:80"}}, 11, 0}, Case{"upper", {{"HOST", "LOCALHOST"}}, 11, 0},
        Case{"no_host", {}, 11, 400}, Case{"no_host_10", {}, 10, 0},
        Case{"two_hosts", {{"Host", "localhost"}, {"Host", "localhost"}}, 11, 400},
        Case{"rebinding", {{"Host", "evil.example"}}, 11, 421},
        Case{"rebinding_prefix", {{"Host", "localhost.evil.example"}}, 11, 421},
        Case{"length", {{"Host", "localhost"}, {"Content-Length", "3"}}, 11, 0},
        Case{"length_plus", {{"Host", "localhost"}, {"Content-Length", "+3"}}, 11, 400},
        Case{"length_list", {{"Host", "localhost"}, {"Content-Length", "3, 3"}}, 11, 400},
        Case{"length_twice",
             {{"Host", "localhost"}, {"Content-Length", "3"}, {"content-length", "3"}},
             11,
             400},
        Case{"chunked", {{"Host", "localhost"}, {"Transfer-Encoding", "Chunked"}}, 11, 0},
        Case{"both",
             {{"Host", "localhost"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
             11,
             400},
        Case{"chunked_twice",
             {{"Host", "localhost"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
             11,
             400},
        Case{"gzip_chunked", {{"Host", "localhost"}, {"Transfer-Encoding", "gzip, chunked"}}, 11, 501},
        Case{"chunked_10", {{"Host", "localhost"}, {"Transfer-Encoding", "chunked"}}, 10, 400},
        Case{"gzip", {{"Host", "localhost"}, {"Content-Encoding", "gzip"}}, 11, 415},
        Case{"identity", {{"Host", "localhost"}, {"Content-Encoding", "identity"}}, 11, 0},
        Case{"expect", {{"Host", "localhost"}, {"Expect", "100-Continue"}}, 11, 0},
        Case{"expect_other", {{"Host", "localhost"}, {"Expect", "200-ok"}}, 11, 417},
        Case{"version_9", {{"Host", "localhost"}}, 9, 505},
        Case{"version_12", {{"Host", "localhost"}}, 12, 505}),
    [](const testing::TestParamInfo<Case>& example) { return example.param.name; });

TEST(HttpHead, FieldCount_IsLimited) {
  HttpHeadPolicy policy = MakePolicy();
  policy.limits.header_fields_max = 5;
  HttpHead head = MakeHead({{"Host", "localhost"}});
  while (head.headers.all().size() < 5) head.headers.Add("X", "y");
  EXPECT_FALSE(CheckHead(head, policy));
  head.headers.Add("X", "y");
  EXPECT_EQ(CheckHead(head, policy)->status, 431);
}

TEST(HttpHead, TargetLength_IsLimited) {
  HttpHeadPolicy policy = MakePolicy();
  policy.limits.target_bytes_max = 10;
  HttpHead head = MakeHead({{"Host", "localhost"}});
  head.target = "/123456789";
  EXPECT_FALSE(CheckHead(head, policy));
  head.target += "0";
  EXPECT_EQ(CheckHead(head, policy)->status, 414);
}

TEST(HttpHead, Target_IsTakenApart) {
  HttpHead head = MakeHead({{"Host", "localhost"}});
  head.target = "http://localhost:80/fhir/Patient?identifier=a%7Cb#part";
  const auto request = RequestOf(head);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/fhir/Patient");
  EXPECT_EQ(request->raw_query, "identifier=a%7Cb");
  EXPECT_EQ(request->Query("identifier"), "a|b");
  EXPECT_FALSE(request->Query("_id"));
}

TEST(HttpHead, TargetThatIsNoPath_IsRefused) {
  for (const char* target : {"*", "records", "127.0.0.1:80"}) {
    HttpHead head = MakeHead({{"Host", "localhost"}});
    head.target = target;
    EXPECT_EQ(CheckHead(head, MakePolicy())->status, 400) << target;
  }
}

TEST(HttpHead, RequestId_IsTakenOverOrMade) {
  EXPECT_EQ(RequestOf(MakeHead({{"X-Request-Id", "abc-1._Z"}}))->request_id, "abc-1._Z");
  const std::string made = RequestOf(MakeHead({{"X-Request-Id", "a b"}}))->request_id;
  EXPECT_EQ(made.size(), 32u);
  EXPECT_NE(made, RequestOf(MakeHead({}))->request_id);
  EXPECT_TRUE(IsRequestId(std::string(128, 'a')));
  EXPECT_FALSE(IsRequestId(std::string(129, 'a')));
  EXPECT_FALSE(IsRequestId("a\r\nX: y"));
}

// The example and the invalid forms of W3C Trace Context, section 3.2.2.
TEST(HttpHead, Traceparent_IsTakenOverOrMade) {
  const std::string given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(RequestOf(MakeHead({{"traceparent", given}}))->traceparent, given);
  for (const char* bad : {"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf9-00f0-01"}) {
    EXPECT_FALSE(IsTraceparent(bad)) << bad;
    EXPECT_TRUE(IsTraceparent(RequestOf(MakeHead({{"traceparent", bad}}))->traceparent));
  }
}

}  // namespace
}  // namespace fhir_adapter::net
