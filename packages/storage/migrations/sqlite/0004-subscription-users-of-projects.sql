-- Subscription users belong to the project that made them; those of before to
-- the first one of their domain.
ALTER TABLE subscription_users ADD COLUMN project_id TEXT NOT NULL DEFAULT '';

UPDATE subscription_users
SET project_id = coalesce(
  (
    SELECT id
    FROM projects
    WHERE projects.domain_id = subscription_users.domain_id
    ORDER BY seq
    LIMIT 1
  ),
  ''
);

CREATE INDEX subscription_users_of_project
  ON subscription_users (project_id, seq);
