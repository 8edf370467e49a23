-- Projects that are gone: nothing is made in them any more, and their ids, which
-- stand in URNs and the ledger, are not given to others.
CREATE TABLE deleted_projects (
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO deleted_projects (id)
SELECT substr(name, length('identity.deleted_project.') + 1)
FROM settings
WHERE name LIKE 'identity.deleted\_project.%' ESCAPE '\';

DELETE FROM settings
WHERE name LIKE 'identity.deleted\_project.%' ESCAPE '\';
