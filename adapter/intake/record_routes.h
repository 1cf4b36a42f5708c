// The HTTP routes of local records: POST /records, GET /records/{site}/{recordId}.
//
// Handlers read and check on the I/O thread (bounded by the body limit) and hand the rest to the Receiver;
// the answer is sent after the commit. What they refer to must outlive the server.
#pragma once

#include <string>
#include <vector>

#include "net/router.h"
#include "outbox/queue_reader.h"
#include "pipeline/receive.h"
#include "record/record_model.h"
#include "record/table_layout.h"
#include "storage/transaction.h"

namespace fhir_adapter::intake {

struct RecordRoutesContext {
  const record::RecordModel& model;
  pipeline::Receiver& receiver;
  storage::Store& store;
  outbox::QueueReader& queue;
  const record::TableLayout* table;  // of text/csv; null: none is taken
  std::string map;                   // that posted records are for
  std::string endpoint;              // base URL of the FHIR server, put in front of what was delivered
};

std::vector<net::Route> RecordRoutes(RecordRoutesContext context);

// The body of an answer to POST /records:
// {"accepted":[{"recordId","revision","receipt","known","notes"}],"rejected":[{"recordId","revision","reasons"}]}
std::string ReceiveAnswerJson(const pipeline::ReceiveAnswer& answer);

}  // namespace fhir_adapter::intake
