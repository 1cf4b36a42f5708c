-- What every connection says when it opens, and the frame of every transaction.

-- name: writer_open
PRAGMA journal_mode = WAL;

-- A copied store says that it has a write-ahead log; as a backup it is one file.
-- name: single_file
PRAGMA journal_mode = DELETE;

-- name: foreign_keys_on
PRAGMA foreign_keys = ON;

-- So that replacing a row fires the triggers that forbid deleting it.
-- name: recursive_triggers_on
PRAGMA recursive_triggers = ON;

-- name: synchronous_full
PRAGMA synchronous = FULL;

-- name: synchronous_normal
PRAGMA synchronous = NORMAL;

-- Erased bytes are overwritten, not only unlinked.
-- name: secure_delete_on
PRAGMA secure_delete = ON;

-- The writer decides when the log is copied back; a reader must never do it (a race of SQLite before 3.51.3
-- between a checkpoint and another connection can damage the file).
-- name: no_automatic_checkpoint
PRAGMA wal_autocheckpoint = 0;

-- No temporary files: sorting and savepoints stay in memory, so that no clinical byte is left behind.
-- name: temporary_in_memory
PRAGMA temp_store = MEMORY;

-- But for the copy that VACUUM makes, which may be as large as the store: a file without a name, in the folder of the
-- store (Writer::RewriteFile).
-- name: temporary_in_file
PRAGMA temp_store = FILE;

-- name: journal_size_limit
PRAGMA journal_size_limit = 67108864;

-- name: query_only
PRAGMA query_only = ON;

-- name: begin_immediate
BEGIN IMMEDIATE;

-- name: begin
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: savepoint
SAVEPOINT work;

-- name: release
RELEASE work;

-- name: rollback_to
ROLLBACK TO work;

-- name: application_id
PRAGMA application_id;

-- name: user_version
PRAGMA user_version;

-- name: table_count
SELECT count(*) FROM sqlite_schema;

-- name: quick_check
PRAGMA quick_check(1);

-- name: integrity_check
PRAGMA integrity_check(10);

-- name: foreign_key_check
PRAGMA foreign_key_check;

-- name: rewrite
VACUUM;

-- name: freelist_count
PRAGMA freelist_count;

-- name: page_size
PRAGMA page_size;
