#include "net/router.h"

#include <algorithm>
#include <utility>

namespace fhir_adapter::net {

namespace {

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (true) {
    const std::size_t end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// How literal a pattern is, from the left: a literal segment sorts before a parameter.
bool MoreLiteral(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (IsParameter(a[i]) != IsParameter(b[i])) return IsParameter(b[i]);
  }
  return false;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  }
  return true;
}

}  // namespace

Router::Router(std::vector<Route> routes, std::vector<Pattern> patterns)
    : routes_(std::move(routes)), patterns_(std::move(patterns)) {}

Result<Router> Router::Create(std::vector<Route> routes) {
  std::vector<Pattern> patterns;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Route& route = routes[i];
    const std::string name = route.method + " " + route.pattern;
    if (route.method.empty() || route.pattern.empty() || route.pattern.front() != '/') {
      return Fail(Code::kConfiguration,
                  "route " + name + ": needs a method and a pattern that begins with /");
    }
    if (!route.handler) return Fail(Code::kConfiguration, "route " + name + ": has no handler");
    if (route.roles.empty() != route.is_public) {
      return Fail(Code::kConfiguration, "route " + name + ": names either roles or is public");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (routes[j].method == route.method && routes[j].pattern == route.pattern) {
        return Fail(Code::kConfiguration, "route " + name + ": stands twice in the table");
      }
    }
    patterns.push_back({SplitPath(route.pattern)});
  }
  return Router(std::move(routes), std::move(patterns));
}

Result<RouteMatch> Router::Find(std::string_view method, std::string_view raw_path) const {
  std::vector<std::string> segments = SplitPath(raw_path);
  for (std::string& segment : segments) {
    ADAPTER_TRY(segment, PercentDecode(segment, false));
  }
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  RouteMatch match;
  std::size_t best = routes_.size();
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!Matches(patterns_[i].segments, segments)) continue;
    if (best == routes_.size() || MoreLiteral(patterns_[i].segments, patterns_[best].segments)) best = i;
  }
  if (best == routes_.size()) return match;
  // The most literal pattern is the resource; only its own methods count, so that `PUT /fhir/metadata` is not
  // taken for a PUT of some other pattern that also fits.
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (patterns_[i].segments != patterns_[best].segments) continue;
    match.allowed_methods.push_back(routes_[i].method);
    if (routes_[i].method == "GET") match.allowed_methods.emplace_back("HEAD");
    if (routes_[i].method == wanted) match.route = &routes_[i];
  }
  std::sort(match.allowed_methods.begin(), match.allowed_methods.end());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& name = patterns_[best].segments[i];
    if (IsParameter(name)) match.path_parameters.push_back({name.substr(1, name.size() - 2), segments[i]});
  }
  return match;
}

}  // namespace fhir_adapter::net
