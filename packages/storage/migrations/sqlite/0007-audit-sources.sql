-- Whose entries give way to newer ones: those of each user in each domain, and
-- those of refused log-ins, have a share of their own.
ALTER TABLE audit_entries ADD COLUMN source TEXT
  GENERATED ALWAYS AS (iif(action = 'login_refused', NULL, user_id)) VIRTUAL;

CREATE INDEX audit_entries_of_source
  ON audit_entries (domain_id, source, seq);
