// What names the record in a text that was cut out of an input, without reading the rest of it.
#pragma once

#include <optional>

#include "record/record_cutter.h"
#include "record/record_envelope.h"

namespace fhir_adapter::pipeline {

// Nothing when the text is no JSON or a part of the key is absent.
std::optional<record::RecordKey> KeyOfText(const record::RecordText& text);

}  // namespace fhir_adapter::pipeline
