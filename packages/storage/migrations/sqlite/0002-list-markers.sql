-- Lists are gone on with behind what was deleted since: a topic is found by its
-- name then, too, and the rows of subscription users stay.

CREATE INDEX topics_deleted ON topics (project_id, name, seq)
  WHERE deleted_at IS NOT NULL;

-- The row of a deleted subscription user stays, without what is personal.
ALTER TABLE subscription_users ADD COLUMN deleted_at INTEGER;
