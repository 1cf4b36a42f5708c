#include "sandbox/request_handler.h"

#include <utility>

#include "fhir/json_reader.h"
#include "sandbox/capability_statement.h"

namespace fhir_adapter::sandbox {

namespace {

constexpr std::string_view kFhirJson = "application/fhir+json; charset=utf-8";

net::HttpResponse JsonResponse(int status, std::string body) {
  return net::HttpResponse::WithBody(status, std::string(kFhirJson), std::move(body));
}

// The value of a preference in `Prefer: return=minimal; handling=lenient`.
std::string_view Preference(const net::HttpRequest& request, std::string_view name) {
  for (const net::HttpHeader& field : request.headers.all()) {
    if (!net::EqualIgnoringCase(field.name, "Prefer")) continue;
    const std::string_view text = field.value;
    const std::size_t start = text.find(std::string(name) + "=");
    if (start == std::string_view::npos) continue;
    const std::string_view value = text.substr(start + name.size() + 1);
    return value.substr(0, value.find_first_of(",; "));
  }
  return {};
}

bool IsJsonType(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  for (const std::string_view known : {"application/fhir+json", "application/json", "json", "text/json"}) {
    if (net::EqualIgnoringCase(type, known)) return true;
  }
  return false;
}

bool AcceptsJson(std::string_view accept) {
  if (accept.empty()) return true;
  for (const std::string_view part : {"json", "*/*", "application/*"}) {
    if (accept.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// A problem of the JSON, without what the text held.
Refusal RefusalOfJson(const Error& error) {
  std::string text = "line " + std::to_string(error.where.line) + ", column " +
                     std::to_string(error.where.column) + ": " + error.message;
  return Refuse(400, "structure", std::move(text));
}

}  // namespace

net::HttpResponse ResponseOfRefusal(const Refusal& refusal) {
  return JsonResponse(refusal.status, OutcomeJson(refusal.issues));
}

RequestHandler::RequestHandler(ResourceStore& store, const Behaviour& behaviour, Clock& clock, Random& random,
                               std::string base_url)
    : store_(store),
      behaviour_(behaviour),
      clock_(clock),
      base_url_(base_url),
      reader_(store, behaviour, base_url),
      writer_(store, behaviour, clock, random, std::move(base_url)),
      bundles_(store, behaviour, reader_, writer_) {}

net::HttpResponse RequestHandler::Handle(const net::HttpRequest& request) {
  Refusable<net::HttpResponse> response = Run(request);
  return response ? std::move(*response) : ResponseOfRefusal(response.refusal());
}

MaybeRefusal RequestHandler::CheckFormats(const net::HttpRequest& request) const {
  const auto format = request.Query("_format");
  if (format ? !IsJsonType(*format) : !AcceptsJson(request.headers.Get("Accept"))) {
    return Refuse(406, "not-supported", "this server speaks application/fhir+json only");
  }
  const std::string_view type = request.headers.Get("Content-Type");
  const bool is_form = type.starts_with("application/x-www-form-urlencoded");
  if (!request.body.empty() && !IsJsonType(type) && !is_form) {
    return Refuse(415, "not-supported", "this server takes application/fhir+json only");
  }
  return std::nullopt;
}

Refusable<Interaction> RequestHandler::InteractionOf(const net::HttpRequest& request) const {
  Interaction interaction;
  interaction.method = request.method == "HEAD" ? "GET" : request.method;
  interaction.type = std::string(request.PathParameter("type"));
  interaction.id = std::string(request.PathParameter("id"));
  if (!interaction.type.empty() && !IsResourceType(interaction.type)) {
    return Refuse(404, "not-supported", "the resource type is not one of FHIR R4");
  }
  interaction.is_history = request.path.find("/_history") != std::string::npos;
  if (const std::string_view version = request.PathParameter("version"); !version.empty()) {
    interaction.version = std::string(version);
  }
  interaction.raw_query = request.raw_query;
  interaction.query = request.query;
  if (request.path.ends_with("/_search")) {
    interaction.method = "GET";
    Result<std::vector<net::QueryParameter>> form = net::ParseQuery(request.body);
    if (!form) return Refuse(400, "value", form.error().message);
    interaction.query.insert(interaction.query.end(), form->begin(), form->end());
  }
  interaction.if_match = std::string(request.headers.Get("If-Match"));
  interaction.if_none_match = std::string(request.headers.Get("If-None-Match"));
  if (request.headers.Has("If-None-Exist")) {
    std::string_view criteria = request.headers.Get("If-None-Exist");
    // Some clients send the whole url; the specification wants the query part.
    if (const std::size_t question = criteria.find('?'); question != std::string_view::npos) {
      criteria.remove_prefix(question + 1);
    }
    interaction.if_none_exist = std::string(criteria);
  }
  interaction.lenient = Preference(request, "handling") == "lenient";
  return interaction;
}

Refusable<net::HttpResponse> RequestHandler::Run(const net::HttpRequest& request) {
  if (auto refusal = CheckFormats(request)) return *refusal;
  if (request.path.ends_with("/metadata")) {
    return JsonResponse(200, CapabilityStatementJson(behaviour_, base_url_, clock_.Now().us));
  }
  Refusable<Interaction> interaction = InteractionOf(request);
  if (!interaction) return interaction.refusal();
  Arena arena;
  interaction->arena = &arena;
  const bool has_resource = interaction->method == "POST" || interaction->method == "PUT";
  if (has_resource) {
    Result<fhir::Node*> node = fhir::ReadJson(request.body, arena);
    if (!node) return RefusalOfJson(node.error());
    interaction->resource = *node;
  }
  if (interaction->type.empty() && has_resource) return RunBundle(request, *interaction->resource, arena);
  Refusable<InteractionResult> result = RunAlone(store_, reader_, writer_, *interaction);
  if (!result) return result.refusal();
  return ResponseOf(request, *interaction, *result);
}

Refusable<net::HttpResponse> RequestHandler::RunBundle(const net::HttpRequest& request, fhir::Node& bundle,
                                                       Arena& arena) {
  if (!bundle.is_object()) return Refuse(400, "structure", "the body is no Bundle");
  const bool representation = Preference(request, "return") == "representation";
  Refusable<std::string> body = bundles_.Run(bundle, arena, representation);
  if (!body) return body.refusal();
  return JsonResponse(200, std::move(*body));
}

net::HttpResponse RequestHandler::ResponseOf(const net::HttpRequest& request, const Interaction& interaction,
                                             const InteractionResult& result) const {
  const ResourceVersion& resource = result.resource;
  const bool is_read = interaction.method == "GET";
  net::HttpResponse response;
  response.status = result.status;
  const std::string_view wanted = Preference(request, "return");
  if (is_read) {
    response.body = result.body;
  } else if (!result.notes.empty()) {
    if (result.status != 204) response.body = OutcomeJson(result.notes);
  } else if (wanted == "OperationOutcome") {
    response.body = OutcomeJson({{"informational", "done", "", "information"}});
  } else if (wanted != "minimal") {
    response.body = resource.content;
  }
  if (!response.body.empty()) response.headers.Add("Content-Type", std::string(kFhirJson));
  if (resource.id.empty()) return response;
  const std::string plain = base_url_ + "/" + resource.type + "/" + resource.id;
  const std::string versioned = plain + "/_history/" + std::to_string(resource.version);
  response.headers.Add("ETag", "W/\"" + std::to_string(resource.version) + "\"");
  response.headers.Add("Last-Modified", net::HttpDate(TimeUs{resource.updated_us}));
  if (result.status == 304 || resource.content.empty()) return response;
  // What the body is a copy of (RFC 9110 8.7); HAPI's clients take the version from it.
  response.headers.Add("Content-Location", versioned);
  if (is_read) return response;
  const bool is_post = interaction.method == "POST";
  switch (behaviour_.location) {
    case Behaviour::LocationStyle::kOnCreate:
      if (is_post || result.status == 201) response.headers.Add("Location", versioned);
      break;
    case Behaviour::LocationStyle::kOnPost:
      if (is_post) response.headers.Add("Location", versioned);
      break;
    case Behaviour::LocationStyle::kOnCreateUnversioned:
      if (result.status == 201) response.headers.Add("Location", plain);
      break;
  }
  return response;
}

}  // namespace fhir_adapter::sandbox
