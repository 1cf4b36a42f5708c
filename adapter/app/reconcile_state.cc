#include "app/reconcile_state.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <utility>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using net::JsonString;
using sync::DifferenceKind;
using sync::ReconcileProgress;

std::int64_t NumberOf(const Node& object, std::string_view name) {
  const Node* member = object.Find(name);
  std::int64_t number = 0;
  if (member != nullptr)
    std::from_chars(member->text.data(), member->text.data() + member->text.size(), number);
  return number;
}

std::span<Node*> ItemsOf(const Node& object, std::string_view name) {
  const Node* list = object.Find(name);
  return list == nullptr ? std::span<Node*>() : list->items();
}

std::string PathsJson(const std::vector<std::string>& paths) {
  std::string json = "[";
  for (const std::string& path : paths) json += (json.size() == 1 ? "" : ",") + JsonString(path);
  return json + "]";
}

std::string KeptJson(const sync::Difference& difference) {
  return "{\"kind\":" + std::to_string(static_cast<int>(difference.kind)) +
         ",\"type\":" + JsonString(difference.key.type) + ",\"system\":" + JsonString(difference.key.system) +
         ",\"value\":" + JsonString(difference.key.value) + ",\"url\":" + JsonString(difference.url) +
         ",\"subject\":" + JsonString(difference.subject_key) + ",\"paths\":" + PathsJson(difference.paths) +
         "}";
}

}  // namespace

std::string ToJson(const sync::Difference& difference) {
  return "{\"kind\":" + JsonString(Name(difference.kind)) +
         ",\"identifier\":" + JsonString(difference.key.system + "|" + difference.key.value) +
         ",\"url\":" + JsonString(difference.url) + ",\"paths\":" + PathsJson(difference.paths) + "}";
}

std::string ToJson(const ReconcileState& state) {
  const ReconcileProgress& progress = state.progress;
  std::string json = "{\"scope\":" + JsonString(state.scope) +
                     ",\"phase\":" + std::to_string(static_cast<int>(progress.phase)) +
                     ",\"after\":" + JsonString(progress.after) +
                     ",\"type\":" + std::to_string(progress.type) + ",\"next\":" + JsonString(progress.next) +
                     ",\"pages\":" + std::to_string(progress.pages) +
                     ",\"resources\":" + std::to_string(progress.resources) + ",\"differences\":[";
  for (std::size_t i = 0; i < state.differences.size(); ++i) {
    json += (i == 0 ? "" : ",") + KeptJson(state.differences[i]);
  }
  return json + "]}\n";
}

Result<ReconcileState> ParseReconcileState(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const Node* root, fhir::ReadJson(json, arena));
  const std::int64_t phase = NumberOf(*root, "phase");
  if (!root->is_object() || phase < 0 || phase > static_cast<int>(ReconcileProgress::Phase::kDone)) {
    return Fail(Code::kInputOutput, "not the state of a reconcile");
  }
  ReconcileState state;
  state.scope = MemberString(*root, "scope");
  state.progress.phase = static_cast<ReconcileProgress::Phase>(phase);
  state.progress.after = MemberString(*root, "after");
  state.progress.type = static_cast<std::size_t>(NumberOf(*root, "type"));
  state.progress.next = MemberString(*root, "next");
  state.progress.pages = static_cast<int>(NumberOf(*root, "pages"));
  state.progress.resources = NumberOf(*root, "resources");
  for (const Node* one : ItemsOf(*root, "differences")) {
    sync::Difference difference;
    difference.kind = static_cast<DifferenceKind>(NumberOf(*one, "kind") & 3);
    difference.key = {MemberString(*one, "type"), MemberString(*one, "system"), MemberString(*one, "value")};
    difference.url = MemberString(*one, "url");
    difference.subject_key = MemberString(*one, "subject");
    for (const Node* path : ItemsOf(*one, "paths")) difference.paths.emplace_back(path->text);
    state.differences.push_back(std::move(difference));
  }
  return state;
}

Result<void> SaveReconcileState(const std::string& file, const ReconcileState& state) {
  const std::string partial = file + ".partial";
  {
    std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
    const bool is_private = ::chmod(partial.c_str(), S_IRUSR | S_IWUSR) == 0;
    stream << ToJson(state);
    stream.flush();
    if (!stream || !is_private) return Fail(Code::kInputOutput, "the progress cannot be written: " + partial);
  }
  std::error_code error;
  std::filesystem::rename(partial, file, error);
  if (error) return Fail(Code::kInputOutput, "the progress cannot be written: " + file);
  return {};
}

ReconcileState LoadReconcileState(const std::string& file, const std::string& scope) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  ReconcileState fresh;
  fresh.scope = scope;
  if (text.empty()) return fresh;
  auto kept = ParseReconcileState(text);
  return kept && kept->scope == scope ? std::move(*kept) : fresh;
}

}  // namespace fhir_adapter::app
