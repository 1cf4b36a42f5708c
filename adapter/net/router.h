// The route table: method, path pattern and roles as data. What is not in it does not exist.
//
// A pattern is a path whose segments are literal or `{name}`, which matches one segment; a literal wins over
// a parameter. A route names the roles that may use it, or says that it is public: there is no third state,
// so nothing is open by omission. Immutable after construction; may be read from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/principal.h"
#include "core/result.h"
#include "net/http_message.h"
#include "net/responder.h"

namespace fhir_adapter::net {

// Called on the I/O thread: it must not block. It may hand request and responder to another thread.
using HttpHandler = std::function<void(HttpRequest request, Responder responder)>;

struct Route {
  std::string method;   // "GET" serves HEAD too
  std::string pattern;  // "/records/{site}/{recordId}"
  RoleSet roles;        // any one of these is enough
  bool is_public = false;
  HttpHandler handler;
  std::size_t body_bytes_max = 0;  // 0: the server's default
};

struct RouteMatch {
  const Route* route = nullptr;                 // null: 404, or 405 when `allowed_methods` has any
  std::vector<QueryParameter> path_parameters;  // decoded
  std::vector<std::string> allowed_methods;     // of the routes whose pattern matches the path
};

class Router {
 public:
  // Fails with kConfiguration when a route is unusable: without handler, without roles and not public, or the
  // same method and pattern twice.
  static Result<Router> Create(std::vector<Route> routes);

  // `raw_path` is the path as sent: it is split at `/` before it is decoded, so `%2F` never separates.
  Result<RouteMatch> Find(std::string_view method, std::string_view raw_path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string> segments;
  };
  explicit Router(std::vector<Route> routes, std::vector<Pattern> patterns);

  std::vector<Route> routes_;
  std::vector<Pattern> patterns_;  // parallel to routes_
};

}  // namespace fhir_adapter::net
