-- Bearer tokens.

-- name: token
SELECT name, roles, sha256, created_us, revoked_us, ends_us, certificate_sha256 FROM access_token WHERE name = ?;

-- name: tokens
SELECT name, roles, sha256, created_us, revoked_us, ends_us, certificate_sha256 FROM access_token ORDER BY name;

-- name: insert_token
INSERT INTO access_token (name, roles, sha256, created_us, ends_us, certificate_sha256, audit_seq)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: revoke_token
UPDATE access_token SET revoked_us = ?, audit_seq = ? WHERE name = ?;
