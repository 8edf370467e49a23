-- What was made or set: a JSON object of texts.
ALTER TABLE audit_entries ADD COLUMN details TEXT;

-- Entries are listed by time: those that were counted are added after others
-- that are newer.
DROP INDEX audit_entries_of_domain;
CREATE INDEX audit_entries_of_domain ON audit_entries (domain_id, at, seq);
CREATE INDEX audit_entries_by_time ON audit_entries (at, seq);
