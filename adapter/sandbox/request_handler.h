// From an HTTP request to an HTTP response: the FHIR REST surface of the sandbox, without its threads.
//
// One thread at a time. Everything is caught here: what comes out is always a response.
#pragma once

#include <string>

#include "core/clock.h"
#include "net/http_message.h"
#include "sandbox/behaviour.h"
#include "sandbox/bundle_interaction.h"
#include "sandbox/interaction.h"
#include "sandbox/read_interaction.h"
#include "sandbox/resource_store.h"
#include "sandbox/write_interaction.h"

namespace fhir_adapter::sandbox {

class RequestHandler {
 public:
  RequestHandler(ResourceStore& store, const Behaviour& behaviour, Clock& clock, Random& random,
                 std::string base_url);

  net::HttpResponse Handle(const net::HttpRequest& request);

 private:
  MaybeRefusal CheckFormats(const net::HttpRequest& request) const;
  Refusable<net::HttpResponse> Run(const net::HttpRequest& request);
  Refusable<net::HttpResponse> RunBundle(const net::HttpRequest& request, fhir::Node& bundle, Arena& arena);
  Refusable<Interaction> InteractionOf(const net::HttpRequest& request) const;
  net::HttpResponse ResponseOf(const net::HttpRequest& request, const Interaction& interaction,
                               const InteractionResult& result) const;

  ResourceStore& store_;
  const Behaviour& behaviour_;
  Clock& clock_;
  std::string base_url_;
  ResourceReader reader_;
  ResourceWriter writer_;
  BundleRunner bundles_;
};

net::HttpResponse ResponseOfRefusal(const Refusal& refusal);

}  // namespace fhir_adapter::sandbox
