// Read, version read, history and search. FHIR R4 http 3.1.0.2, 3.1.0.3, 3.1.0.9, 3.1.0.10 (history, search).
//
// Changes nothing. One thread at a time.
#pragma once

#include <string>

#include "sandbox/behaviour.h"
#include "sandbox/interaction.h"
#include "sandbox/resource_store.h"

namespace fhir_adapter::sandbox {

class ResourceReader {
 public:
  ResourceReader(ResourceStore& store, const Behaviour& behaviour, std::string base_url)
      : store_(store), behaviour_(behaviour), base_url_(std::move(base_url)) {}

  // For interactions with method GET.
  Refusable<InteractionResult> Run(const Interaction& interaction);

 private:
  Refusable<InteractionResult> Read(const Interaction& interaction);
  Refusable<InteractionResult> History(const Interaction& interaction);
  Refusable<InteractionResult> Search(const Interaction& interaction);
  std::string Link(const Interaction& interaction, std::string_view path, std::size_t offset) const;

  ResourceStore& store_;
  const Behaviour& behaviour_;
  std::string base_url_;
};

}  // namespace fhir_adapter::sandbox
