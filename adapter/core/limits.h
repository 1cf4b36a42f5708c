// Every limit of the program, with its unit in the name. Each has a test at the limit and one above it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fhir_adapter::limits {

// Records (adapter/record, adapter/fhir/json_reader).
inline constexpr std::uint64_t kConstraintStepsMax = 20'000'000;  // FHIRPath steps of a record's constraints
inline constexpr std::size_t kRecordBytesMax = 10'000'000;
inline constexpr std::size_t kRecordDepthMax = 64;          // the root has depth 1
inline constexpr std::size_t kRecordElementsMax = 100'000;  // objects, arrays and values together
inline constexpr int kRecordExponentMax = 100;              // of a decimal, either sign
inline constexpr std::size_t kRecordNumberCharactersMax = 64;
inline constexpr std::uint64_t kRuleStepsMax = 20'000'000;  // FHIRPath steps of a record's plausibility rules

// Tables of records, CSV (adapter/record/table_*).
inline constexpr std::size_t kTableBytesMax =
    16'000'000;  // held while it is read: rows of a record may be apart
inline constexpr std::size_t kTableColumnsMax = 1'000;
inline constexpr std::size_t kTableRecordRowsMax = 1'000;  // rows that belong to one record
inline constexpr std::size_t kTableRowsMax = 100'000;

// FHIRPath (adapter/fhirpath).
inline constexpr std::size_t kFhirPathExpressionBytesMax = 65'536;
inline constexpr std::size_t kFhirPathDepthMax = 400;           // height of the tree; also its nesting
inline constexpr std::uint64_t kFhirPathStepsMax = 10'000'000;  // an evaluation on its own
inline constexpr std::uint32_t kFhirPathCollectionItemsMax = 1'000'000;
inline constexpr std::size_t kFhirPathTextBytesMax = 10'000'000;  // a string made by an expression
inline constexpr std::size_t kFhirPathPatternBytesMax = 4'096;    // a regular expression
inline constexpr std::size_t kUcumUnitBytesMax = 256;

// FHIR Mapping Language (adapter/fml). A record's budget, and the size of a set.
inline constexpr std::uint64_t kMapElementsMax = 1'000'000;  // made in the target
inline constexpr std::size_t kMapFileBytesMax = 16'000'000;
inline constexpr std::size_t kMapIssuesMax = 1'000;  // of a record
inline constexpr std::size_t kMapNestingMax = 100;   // rules inside rules in a text
inline constexpr std::uint64_t kMapOutputBytesMax = 64'000'000;
inline constexpr std::uint32_t kMapRecursionMax = 200;    // groups inside groups while running
inline constexpr std::uint64_t kMapStepsMax = 1'000'000;  // rules run

// Delivery (adapter/sync).
inline constexpr std::size_t kAnswerHeaderBytesMax = 65'536;  // of a server's answer
inline constexpr int kConflictRereadsMax = 3;                 // of one attempt
inline constexpr int kDuplicateAttemptsMax = 8;               // 409 without If-Match, then a person
inline constexpr std::size_t kLookupTokensMax = 20;           // identifiers in one search
inline constexpr int kPacedAttemptsMax = 4;  // of a request of a command, when the server asks to wait
inline constexpr std::int64_t kPacedRequestsPerSecondMax = 20;
inline constexpr std::int64_t kPacedWaitSecondsMax = 60;
inline constexpr std::size_t kPatientCacheEntriesMax = 1'000;
inline constexpr std::size_t kReconcileEntriesPerPage = 100;  // asked of the server
inline constexpr int kReconcilePagesMax = 100'000;            // of one search
inline constexpr std::size_t kReconcilePathsMax = 100;        // named of one resource
inline constexpr std::size_t kReconcileSubjectsPerPage = 20;  // records compared at a time
inline constexpr std::size_t kRematchPatientsMax = 1'000;     // held patients looked at in one round
inline constexpr std::int64_t kRetryAfterSecondsMax = 86'400;
inline constexpr std::size_t kRevisionPagesMax = 200;  // of Provenances about one record
inline constexpr std::size_t kSecretBytesMax = 16'384;
inline constexpr std::size_t kTokenAnswerBytesMax = 262'144;  // of a token server
inline constexpr std::int64_t kTokenAssertionSeconds = 240;   // SMART allows five minutes
inline constexpr std::int64_t kTokenRetryMs = 5'000;          // between two tries after one that failed
inline constexpr std::int64_t kTokenTimeoutMs = 10'000;       // of a whole request

// FHIR resources read from a peer (adapter/fhir/json_reader).
inline constexpr std::size_t kResourceBytesMax = 64'000'000;
inline constexpr std::size_t kResourceDepthMax = 64;
inline constexpr std::size_t kResourceElementsMax = 2'000'000;

// Values (adapter/fhir/decimal, adapter/fhir/temporal).
inline constexpr int kDecimalDigitsMax = 1'024;  // significant digits, and digits after the point
inline constexpr int kFractionDigitsMax = 9;     // of a second
inline constexpr std::size_t kFhirStringBytesMax = 1'048'576;  // FHIR R4, string

// Output check (adapter/fhir/checker).
inline constexpr std::size_t kCheckIssuesMax = 200;  // of one resource or Bundle

// HTTP server (adapter/net).
inline constexpr std::size_t kHttpBodiesBytesMax = 512'000'000;  // of all requests being read together
inline constexpr std::size_t kHttpBodyBytesMax = 64'000'000;     // default; a route may set its own
inline constexpr std::size_t kHttpBodyBytesPerSecondMin = 1'000;
inline constexpr std::size_t kHttpConnectionsMax = 512;
inline constexpr std::size_t kHttpConnectionsPerAddressMax = 64;
inline constexpr std::size_t kHttpHeaderBytesMax = 32'768;  // request line included
inline constexpr std::size_t kHttpHeaderFieldsMax = 100;
inline constexpr std::int64_t kHttpHeaderTimeoutMs = 10'000;
inline constexpr std::int64_t kHttpIdleTimeoutMs = 60'000;
inline constexpr std::size_t kHttpRateClientsMax = 10'000;   // whose rate is remembered
inline constexpr std::int64_t kHttpRequestBurstSeconds = 2;  // worth of requests at once, of a quiet client
inline constexpr std::int64_t kHttpRequestsPerSecondMax = 1'000;  // of one client, on average
inline constexpr std::size_t kHttpTargetBytesMax = 8'192;

// HL7 v2 messages and MLLP (adapter/intake, adapter/pipeline).
inline constexpr std::size_t kHl7BatchMessagesMax = 1'000;    // of a batch, in one frame
inline constexpr std::size_t kHl7ErrorsMax = 20;              // ERR segments of an acknowledgement
inline constexpr std::size_t kHl7HeaderFieldBytesMax = 250;   // of a field of MSH that is given back
inline constexpr std::size_t kHl7ObservationsMax = 200;       // of a message
inline constexpr std::size_t kMllpBytesPerSecondMin = 1'000;  // of a frame, on average
inline constexpr std::size_t kMllpConnectionsMax = 256;
inline constexpr std::size_t kMllpConnectionsPerAddressMax = 64;
inline constexpr std::int64_t kMllpIdleTimeoutMs = 60'000;  // between frames
inline constexpr std::size_t kMllpMessageBytesMax = 10'000'000;

// TLS listeners (adapter/net).
inline constexpr std::size_t kTlsFileBytesMax = 1'000'000;  // of a certificate, key or CA file
inline constexpr std::int64_t kTlsHandshakeTimeoutMs = 10'000;

// Credentials of clients (adapter/app, adapter/outbox).
inline constexpr std::size_t kJwtAudiencesMax = 20;
inline constexpr std::size_t kJwtBytesMax = 8'192;
inline constexpr std::size_t kJwtKeyIdBytesMax = 256;
inline constexpr std::size_t kJwtKeySetBytesMax = 262'144;
inline constexpr std::size_t kJwtKeysMax = 100;                // of a set
inline constexpr std::int64_t kJwtKeysMaxAgeSeconds = 86'400;  // of a set that is not read again
inline constexpr std::int64_t kJwtKeysRefreshSeconds = 900;    // between two readings
inline constexpr std::int64_t kJwtKeysRetrySeconds = 10;       // when a key is missing, or after a failure
inline constexpr std::int64_t kJwtSkewSeconds = 60;            // of the issuer's clock
inline constexpr std::size_t kJwtSubjectBytesMax = 200;
inline constexpr std::int64_t kTokenDaysMax = 3'650;  // a token of ours that ends
inline constexpr std::size_t kTokenNameBytesMax = 64;

// Pipeline (adapter/pipeline).
inline constexpr std::size_t kAcceptRecordsMax = 32;    // of a submission, stored by one piece of work
inline constexpr std::size_t kMappingBatchMax = 1'000;  // given to the pool at once
inline constexpr std::size_t kMappingInFlightMax = 64;  // records mapped and not yet durable

// Observations that the EHR pushes (adapter/pipeline, adapter/intake).
inline constexpr std::size_t kPushBodyBytesMax = 10'000'000;
inline constexpr std::size_t kPushBundleEntriesMax = 100;  // of a transaction or batch
inline constexpr std::size_t kPushIdentifiersMax = 20;     // of one Observation
inline constexpr std::size_t kPushReferencesMax = 20;      // focus and partOf of one Observation

// Queue (adapter/outbox).
inline constexpr std::size_t kClaimPatientsMax = 1'000;     // looked at by one claim
inline constexpr std::size_t kQueuePageEntriesMax = 1'000;  // of a listing

// Audit (adapter/audit, adapter/app/trace_command).
inline constexpr std::int64_t kCheckpointEntriesMax =
    1'000;  // without a checkpoint; also put into the tree at once
inline constexpr std::int64_t kCheckpointIntervalMs =
    10'000;  // without a checkpoint, when there is a new entry
inline constexpr std::size_t kCheckpointNoteBytesMax = 65'536;
inline constexpr std::size_t kNotedReadsMax = 10'000;     // of an hour, by readers and records; then counted
inline constexpr std::size_t kNotedRefusalsMax = 100;     // of an hour, by addresses and kinds; then counted
inline constexpr std::size_t kNotedTokenUsesMax = 1'000;  // of a day, by tokens and addresses; then counted
inline constexpr std::int64_t kRepeatWindowSeconds = 3'600;  // in which a resent record has one entry
inline constexpr std::size_t kTraceRecordsMax = 1'000;       // shown by one trace
inline constexpr std::size_t kEraseRecordsMax = 100;         // erased by one request
inline constexpr std::size_t kLineageInputsMax = 100;  // elements of the source that one made element names

// Store (adapter/storage).
inline constexpr int kStoreProbeBytes = 262'144;       // written to see whether a full disk has room
inline constexpr std::size_t kStoreQueueMax = 10'000;  // works waiting for the writer
inline constexpr std::size_t kStoreReadersMax = 32;    // reads at the same time

// Samples (adapter/app).
inline constexpr std::size_t kSampleBytesMax = 10'000'000;
inline constexpr std::size_t kSampleDepthMax = 12;
inline constexpr std::size_t kSampleElementsMax = 1'000;

// Stored records (adapter/outbox, adapter/app).
inline constexpr std::size_t kStoredRecordsPageMax = 100;  // looked at, and queued, together

// Databases that are read (adapter/database, adapter/intake/sql_source).
inline constexpr std::size_t kSqlBytesMax = 16'000'000;  // of the rows that are held at once
inline constexpr int kSqlConnectSeconds = 10;
inline constexpr int kSqlLockMs = 5'000;                // waiting for whoever writes
inline constexpr std::size_t kSqlNewRowsMax = 5'000;    // beyond the mark, taken at once
inline constexpr std::int64_t kSqlRetryMsMax = 60'000;  // between two tries
inline constexpr std::int64_t kSqlRetryMsMin = 1'000;
inline constexpr std::size_t kSqlRowsMax = 50'000;  // held at once, with overlap and whole records
inline constexpr int kSqlStatementSeconds = 120;    // of one query

// Sandbox (adapter/sandbox).
inline constexpr std::size_t kSandboxBundleEntriesMax = 10'000;
inline constexpr std::int64_t kSandboxDelayMsMax = 3'600'000;
inline constexpr std::size_t kSandboxPageSizeDefault = 50;
inline constexpr std::size_t kSandboxPageSizeMax = 1'000;
inline constexpr std::size_t kSandboxRequestsWaitingMax = 1'024;

}  // namespace fhir_adapter::limits
