-- A token may end by itself, and may be good only together with one client certificate.
PRAGMA user_version = 7;

ALTER TABLE access_token ADD COLUMN ends_us INTEGER;
ALTER TABLE access_token ADD COLUMN certificate_sha256 TEXT NOT NULL DEFAULT '';
