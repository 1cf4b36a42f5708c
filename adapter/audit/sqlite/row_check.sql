-- What the rows of the store say against what the log says of them. Each finds the first row that differs:
-- the number of its entry, and which row. Foreign keys prove that the entry is there.

-- name: entry_is_json
SELECT seq, 'the log' FROM audit_entry WHERE NOT json_valid(CAST(bytes AS TEXT)) LIMIT 1;

-- name: entry_and_its_trace
SELECT seq, 'trace ' || trace_id FROM audit_entry
 WHERE json_extract(CAST(bytes AS TEXT), '$.seq') IS NOT seq
    OR json_extract(CAST(bytes AS TEXT), '$.trace_id') IS NOT trace_id
    OR json_extract(CAST(bytes AS TEXT), '$.trace_seq') IS NOT trace_seq
 LIMIT 1;

-- name: trace_without_gaps
SELECT max(seq), 'trace ' || trace_id FROM audit_entry
 GROUP BY trace_id HAVING count(*) <> max(trace_seq) OR min(trace_seq) <> 1
 LIMIT 1;

-- name: inbox
SELECT i.audit_seq, 'inbox ' || i.receipt
  FROM inbox AS i JOIN audit_entry AS e ON e.seq = i.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event')
         IS NOT CASE i.disposition WHEN 'accepted' THEN 'received' ELSE 'rejected' END
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.record') IS NOT nullif(i.record_id, '')
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.system') IS NOT nullif(i.site, '')
    OR coalesce(json_extract(CAST(e.bytes AS TEXT), '$.local.revision'), 0) IS NOT coalesce(i.revision, 0)
 LIMIT 1;

-- name: record_revision
SELECT r.audit_seq, 'revision ' || r.revision || ' of ' || s.record_id
  FROM record_revision AS r
  JOIN record_subject AS s USING (subject_key)
  JOIN audit_entry AS e ON e.seq = r.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.local.record') IS NOT s.record_id
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.system') IS NOT s.site
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.revision') IS NOT r.revision
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.commit') IS NOT r.raw_commitment
 LIMIT 1;

-- name: work_item
SELECT w.audit_seq, 'work ' || w.work_id
  FROM work_item AS w
  JOIN record_subject AS s USING (subject_key)
  JOIN audit_entry AS e ON e.seq = w.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.local.record') IS NOT s.record_id
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.system') IS NOT s.site
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.revision') IS NOT w.revision
    OR (w.state IN ('delivered', 'quarantined', 'held', 'superseded'))
         IS NOT (json_extract(CAST(e.bytes AS TEXT), '$.event') IN ('delivered', 'quarantined', 'held', 'superseded'))
    OR (w.state IN ('delivered', 'quarantined', 'held', 'superseded')
        AND json_extract(CAST(e.bytes AS TEXT), '$.event') IS NOT w.state)
 LIMIT 1;

-- name: mapping
SELECT m.audit_seq, 'mapping ' || m.position
  FROM mapping AS m JOIN audit_entry AS e ON e.seq = m.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.mapping.sha256') IS NOT m.map_set_sha256
    OR coalesce(json_extract(CAST(e.bytes AS TEXT), '$.mapping.id'), '') IS NOT m.map_id
    OR coalesce(json_extract(CAST(e.bytes AS TEXT), '$.mapping.version'), '') IS NOT m.map_version
 LIMIT 1;

-- name: resource_ledger
SELECT l.audit_seq, 'ledger ' || l.type || '/' || l.server_id
  FROM resource_ledger AS l JOIN audit_entry AS e ON e.seq = l.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.fhir.type') IS NOT l.type
    OR json_extract(CAST(e.bytes AS TEXT), '$.fhir.id') IS NOT l.server_id
    OR coalesce(json_extract(CAST(e.bytes AS TEXT), '$.fhir.version'), '') IS NOT l.version_id
 LIMIT 1;

-- name: repeated_arrival
SELECT a.audit_seq, 'what came again of revision ' || a.revision || ' of ' || s.record_id
  FROM repeated_arrival AS a
  JOIN record_subject AS s USING (subject_key)
  JOIN audit_entry AS e ON e.seq = a.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event') NOT IN ('duplicate', 'revision-conflict')
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.record') IS NOT s.record_id
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.system') IS NOT s.site
    OR json_extract(CAST(e.bytes AS TEXT), '$.local.revision') IS NOT a.revision
 LIMIT 1;

-- name: repeated_message
SELECT a.audit_seq, 'what came again of message ' || a.message_id
  FROM repeated_message AS a JOIN audit_entry AS e ON e.seq = a.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event') IS NOT 'duplicate'
 LIMIT 1;

-- name: repeated_erased
SELECT a.audit_seq, 'what came again of ' || a.subject_key || ', which was erased,'
  FROM repeated_erased AS a JOIN audit_entry AS e ON e.seq = a.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event') IS NOT 'rejected'
    OR json_extract(CAST(e.bytes AS TEXT), '$.outcome') IS NOT 'erased'
 LIMIT 1;

-- name: stored_bytes
SELECT r.audit_seq, 'revision ' || r.revision || ' of ' || s.record_id, k.key, b.bytes, r.raw_commitment
  FROM record_revision AS r
  JOIN record_subject AS s USING (subject_key)
  JOIN record_key AS k USING (subject_key)
  JOIN inbox_raw AS b USING (inbox_id);

-- name: erasure
SELECT x.audit_seq, 'erasure of ' || x.subject_key
  FROM erasure AS x JOIN audit_entry AS e ON e.seq = x.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event') IS NOT 'erased'
 LIMIT 1;

-- name: bytes_without_erasure
SELECT r.audit_seq, 'revision ' || r.revision || ' of ' || s.record_id || ', whose bytes are gone,'
  FROM record_revision AS r
  JOIN record_subject AS s USING (subject_key)
 WHERE NOT EXISTS (SELECT 1 FROM inbox_raw AS b WHERE b.inbox_id = r.inbox_id)
   AND NOT EXISTS (SELECT 1 FROM erasure AS x WHERE x.subject_key = r.subject_key)
   AND NOT EXISTS (SELECT 1 FROM expiry AS x WHERE x.subject_key = r.subject_key AND x.audit_seq > r.audit_seq)
 LIMIT 1;

-- name: expiry
SELECT x.audit_seq, 'expiry of ' || x.subject_key
  FROM expiry AS x JOIN audit_entry AS e ON e.seq = x.audit_seq
 WHERE json_extract(CAST(e.bytes AS TEXT), '$.event') IS NOT 'expired'
 LIMIT 1;
