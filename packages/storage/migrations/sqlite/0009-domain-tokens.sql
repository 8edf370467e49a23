-- Tokens for a domain.
ALTER TABLE tokens ADD COLUMN domain_id TEXT;

-- Users are found by their names whatever the case of ASCII letters.
CREATE INDEX users_folded_name ON users (domain_id, name COLLATE NOCASE);
