#include "app/remap_changes.h"

#include <charconv>
#include <utility>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kBodyBytesMax = 1'000'000;

std::int64_t WholeNumber(const fhir::Node& object, std::string_view name) {
  const fhir::Node* member = object.Find(name);
  std::int64_t number = 0;
  if (member == nullptr || !member->is_number()) return 0;
  const std::string_view text = member->text;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && rest == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string ToJson(const RemapChange& change) {
  std::string json = "{\"reason\":" + net::JsonString(change.reason) +
                     ",\"mapSet\":" + net::JsonString(change.map_set) + ",\"records\":[";
  for (std::size_t i = 0; i < change.records.size(); ++i) {
    json += (i == 0 ? "" : ",") + ("{\"subject\":" + net::JsonString(change.records[i].subject_key)) +
            ",\"revision\":" + std::to_string(change.records[i].revision) + "}";
  }
  return json + "]}";
}

Result<RemapChange> ParseRemapChange(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  RemapChange change{MemberString(*root, "reason"), MemberString(*root, "mapSet"), {}};
  if (change.reason.empty()) return Fail(Code::kUsage, "a change needs a reason");
  const fhir::Node* records = root->Find("records");
  for (const fhir::Node* record : records ? records->items() : std::span<fhir::Node*>()) {
    change.records.push_back({MemberString(*record, "subject"), WholeNumber(*record, "revision")});
    if (change.records.back().subject_key.empty() || change.records.back().revision < 1) {
      return Fail(Code::kUsage, "a record has subject and revision");
    }
  }
  if (change.records.empty()) return Fail(Code::kUsage, "a change needs records");
  if (change.records.size() > limits::kStoredRecordsPageMax) {
    return Fail(Code::kUsage,
                "at most " + std::to_string(limits::kStoredRecordsPageMax) + " records at once");
  }
  return change;
}

void ApplyRemapChange(const RemapChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::StoredRecords& records, QueueChangeDone done) {
  const outbox::Change why{actor, change.reason, now};
  std::vector<NamedWork> works;
  for (const RemapChange::Record& record : change.records) {
    works.push_back({record.subject_key, [record, why, &records](storage::Transaction& transaction) {
                       return records.Remap(transaction, record.subject_key, record.revision, why);
                     }});
  }
  SubmitEach(std::move(works), store, std::move(done));
}

net::Route RemapControlRoute(storage::Store& store, outbox::StoredRecords& records, Clock& clock,
                             std::function<std::string()> maps_in_force, std::function<void()> changed) {
  net::Route route{"POST", "/control/remap", {Role::kOperator}, false, {}, kBodyBytesMax};
  route.handler = [&store, &records, &clock, maps_in_force = std::move(maps_in_force),
                   changed = std::move(changed)](const net::HttpRequest& request,
                                                 const net::Responder& responder) {
    const auto parsed = ParseRemapChange(request.body);
    if (!parsed) return responder.Send(parsed.error());
    if (parsed->map_set != maps_in_force()) {
      return responder.Send(
          Error{Code::kNotAllowed,
                "the daemon maps with another set than was looked at: wait for `maps-changed` "
                "in its log, or see there why it keeps the old maps (`maps-kept`)",
                {}});
    }
    ApplyRemapChange(*parsed, request.principal, clock.Now(), store, records,
                     [changed, responder](const std::vector<QueueChangeResult>& results) {
                       changed();
                       responder.Send(net::HttpResponse::WithBody(200, "application/json", ToJson(results)));
                     });
  };
  return route;
}

}  // namespace fhir_adapter::app
