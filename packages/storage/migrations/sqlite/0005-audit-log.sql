-- Who logged in, and who changed what others depend on.

CREATE TABLE audit_entries (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  action     TEXT    NOT NULL,
  -- How many alike it stands for.
  count      INTEGER NOT NULL,
  user_id    TEXT,
  user_name  TEXT,
  domain_id  TEXT,
  target     TEXT,
  address    TEXT,
  request_id TEXT
) STRICT;

CREATE INDEX audit_entries_of_domain ON audit_entries (domain_id, seq);
