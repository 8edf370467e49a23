-- Tokens that were got with a token end with the one that a password got.
ALTER TABLE tokens ADD COLUMN first_hash TEXT;

CREATE INDEX tokens_lineage ON tokens (first_hash, issued_at)
  WHERE first_hash IS NOT NULL;
