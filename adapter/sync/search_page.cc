#include "sync/search_page.h"

#include <span>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {

using fhir::Node;

Result<std::string> NextPage(const Node& bundle, const std::string& base_url) {
  const Node* links = bundle.Find("link");
  for (const Node* link : links == nullptr ? std::span<Node*>() : links->items()) {
    if (MemberText(*link, "relation") != "next") continue;
    const std::string_view url = MemberText(*link, "url");
    const bool is_below = url.starts_with(base_url) && url.size() > base_url.size() &&
                          (url[base_url.size()] == '/' || url[base_url.size()] == '?');
    if (!is_below) {
      return Fail(
          Code::kServerAnswer,
          "the server's link to the next page does not lead below [endpoint] base_url; it is not followed");
    }
    const std::string_view path = url.substr(base_url.size());
    return std::string(path.starts_with('/') ? path.substr(1) : path);
  }
  return std::string();
}

}  // namespace fhir_adapter::sync
