-- 0001 schema
--
-- Instants are milliseconds since the epoch. What the integers of states,
-- audiences, events and error classes mean stands in
-- src/sqlite/schema/codes.ts; subscription statuses are SMN's own numbers and
-- one more, see src/sqlite/schema/subscription-status.ts. A protocol stands as
-- its name: which there are is the channels' business.

CREATE TABLE migrations (
  version    INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

------------------------------------------------------------------ topics

CREATE TABLE topics (
  seq                   INTEGER PRIMARY KEY AUTOINCREMENT,
  id                    TEXT    NOT NULL,
  project_id            TEXT    NOT NULL,
  name                  TEXT    NOT NULL,
  display_name          TEXT    NOT NULL,
  enterprise_project_id TEXT    NOT NULL,
  push_policy           INTEGER NOT NULL,
  introduction          TEXT    NOT NULL,
  created_at            INTEGER NOT NULL,
  updated_at            INTEGER NOT NULL,
  -- The row of a deleted topic stays, so that its subscriptions keep a name.
  deleted_at            INTEGER,
  -- Subscriptions that are not deleted.
  subscription_count    INTEGER NOT NULL DEFAULT 0,
  -- The last message that was published to it (messages.seq), alone or with others.
  latest_message        INTEGER,
  -- Last, because it may be long and the columns before it are read without it.
  access_policy         TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX topics_id ON topics (id);
CREATE UNIQUE INDEX topics_name ON topics (project_id, name)
  WHERE deleted_at IS NULL;
CREATE INDEX topics_of_project ON topics (project_id, seq)
  WHERE deleted_at IS NULL;
-- Says at once whether anybody is subscribed to events.
CREATE INDEX topics_of_events ON topics (subscription_count)
  WHERE name = 'carillon-events' AND deleted_at IS NULL;
-- Lists are gone on with behind what was deleted since: a topic is found by its
-- name then, too.
CREATE INDEX topics_deleted ON topics (project_id, name, seq)
  WHERE deleted_at IS NOT NULL;

-- Totals of the lists of a project.
CREATE TABLE project_counts (
  project_id    TEXT    PRIMARY KEY,
  topics        INTEGER NOT NULL DEFAULT 0,
  subscriptions INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE topic_tags (
  -- The order in which keys were added.
  seq       INTEGER PRIMARY KEY,
  topic_seq INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  value     TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX topic_tags_key ON topic_tags (topic_seq, key);

--------------------------------------------------------------- templates

CREATE TABLE templates (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT    NOT NULL,
  project_id TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  protocol   TEXT    NOT NULL,
  -- JSON.
  tag_names  TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- The row of a deleted template stays, without its content, so that a list
  -- can be gone on with behind it.
  deleted_at INTEGER,
  -- Last, because it may be long and the columns before it are read without it.
  content    TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX templates_id ON templates (id);
CREATE UNIQUE INDEX templates_name ON templates (project_id, name, protocol)
  WHERE deleted_at IS NULL;

-------------------------------------------- templates of stored messages

CREATE TABLE stored_templates (
  seq               INTEGER PRIMARY KEY,
  project_id        TEXT    NOT NULL,
  -- sms or email.
  channel           TEXT    NOT NULL,
  slug              TEXT    NOT NULL,
  is_active         INTEGER NOT NULL,
  is_locked         INTEGER NOT NULL,
  allows_duplicates INTEGER NOT NULL,
  is_strict         INTEGER NOT NULL,
  -- Of mails, as the columns behind it; NULL where there is none.
  subject           TEXT,
  is_html           INTEGER,
  sender            TEXT,
  sender_name       TEXT,
  created_at        INTEGER NOT NULL,
  changed_at        INTEGER NOT NULL,
  -- Last, because it may be long and the columns before it are read without it.
  body              TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX stored_templates_slug
  ON stored_templates (project_id, channel, slug);

CREATE TABLE stored_template_attachments (
  template_seq INTEGER NOT NULL,
  -- From 0.
  position     INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  content_type TEXT    NOT NULL,
  -- Of an inline image; NULL of other files.
  content_id   TEXT,
  content      BLOB    NOT NULL,
  PRIMARY KEY (template_seq, position)
) STRICT;

-- What templates may not be sent about.
CREATE TABLE disallowed_objects (
  project_id TEXT    NOT NULL,
  channel    TEXT    NOT NULL,
  -- Empty: all templates of the channel.
  slug       TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, channel, slug, type, id)
) STRICT, WITHOUT ROWID;

----------------------------------------------------------- subscriptions

CREATE TABLE subscriptions (
  -- The target of deliveries, and the order in which a topic is fanned out.
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT    NOT NULL,
  topic_seq  INTEGER NOT NULL,
  project_id TEXT    NOT NULL,
  status     INTEGER NOT NULL,
  protocol   TEXT    NOT NULL,
  endpoint   TEXT    NOT NULL,
  -- JSON; NULL when there is none.
  extension  TEXT,
  -- JSON; NULL when it gets every message.
  filter_policies TEXT,
  -- JSON; NULL when it was always signed as SMN does.
  signature  TEXT,
  remark     TEXT    NOT NULL,
  -- How often its subscriber left; links that were sent before mean nothing.
  generation INTEGER NOT NULL DEFAULT 0,
  -- Of the verification code that was sent last; NULL when none was.
  code_expires_at INTEGER,
  created_at INTEGER NOT NULL,
  -- The row of a deleted subscription (status 4, 5) stays for the ledger.
  deleted_at INTEGER,
  -- Of a pull protocol its mailbox (mailboxes.seq).
  mailbox    INTEGER
) STRICT;

-- Those that were deleted, too: what came through them may still be leased.
CREATE INDEX subscriptions_of_mailbox ON subscriptions (mailbox)
  WHERE mailbox IS NOT NULL;
CREATE UNIQUE INDEX subscriptions_id ON subscriptions (id);
-- The endpoint first, so that it is found without knowing the topic.
CREATE UNIQUE INDEX subscriptions_endpoint
  ON subscriptions (endpoint, topic_seq, protocol) WHERE status < 4;
-- Fan-out walks this one; the row number (seq) is its hidden last column. Of a
-- deleted topic it keeps those who still have something to be cancelled.
CREATE INDEX subscriptions_active
  ON subscriptions (topic_seq) WHERE status IN (1, 2, 5);
-- Lists are counted and skipped over in these without touching the rows.
CREATE INDEX subscriptions_of_topic
  ON subscriptions (topic_seq, seq, status, protocol) WHERE status < 4;
CREATE INDEX subscriptions_of_project
  ON subscriptions (project_id, seq, status, protocol) WHERE status < 4;

-- How many undeleted subscriptions have a number in block seq >> 12, for a
-- whole project (topic_seq 0) and for each topic. Finds the start of a page at
-- any offset without walking there.
CREATE TABLE subscription_blocks (
  project_id TEXT    NOT NULL,
  topic_seq  INTEGER NOT NULL,
  block      INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (project_id, topic_seq, block)
) STRICT, WITHOUT ROWID;

-- What waits for pull endpoints, and the credentials by which it is fetched.
CREATE TABLE mailboxes (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  id             TEXT    NOT NULL,
  project_id     TEXT    NOT NULL,
  -- The endpoint of its subscriptions.
  name           TEXT    NOT NULL,
  -- NULL: it has no credentials of its own.
  secret_hash    TEXT,
  quota          INTEGER NOT NULL,
  legacy_confirm INTEGER NOT NULL,
  disabled       INTEGER NOT NULL DEFAULT 0,
  -- 1: its subscriber confirms by id.
  confirms_by_id INTEGER NOT NULL DEFAULT 0,
  -- When the last GET of the Notipy protocol came that found something leased, or
  -- leased it.
  last_get_at    INTEGER,
  -- Streams that were opened.
  streams        INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL
) STRICT;

-- How full mailboxes are. In rows of their own, a tenth as long: a fan-out writes one
-- for each delivery.
CREATE TABLE mailbox_depths (
  mailbox  INTEGER PRIMARY KEY,
  -- Deliveries in queue states 1 to 3.
  depth    INTEGER NOT NULL DEFAULT 0,
  -- The quota; 0: it is disabled.
  capacity INTEGER NOT NULL
) STRICT;

CREATE TRIGGER mailboxes_added AFTER INSERT ON mailboxes
BEGIN
  INSERT INTO mailbox_depths (mailbox, capacity)
    VALUES (NEW.seq, iif(NEW.disabled = 0, NEW.quota, 0));
END;
CREATE TRIGGER mailboxes_changed AFTER UPDATE OF quota, disabled ON mailboxes
BEGIN
  UPDATE mailbox_depths SET capacity = iif(NEW.disabled = 0, NEW.quota, 0)
    WHERE mailbox = NEW.seq;
END;
CREATE TRIGGER mailboxes_removed AFTER DELETE ON mailboxes
BEGIN
  DELETE FROM mailbox_depths WHERE mailbox = OLD.seq;
END;

CREATE UNIQUE INDEX mailboxes_id ON mailboxes (id);
CREATE UNIQUE INDEX mailboxes_name ON mailboxes (project_id, name);
CREATE INDEX mailboxes_of_project ON mailboxes (project_id, seq);

-- What is still to be cancelled of what was in mailboxes when they, or subscriptions
-- to them, were deleted.
CREATE TABLE withdrawals (
  seq            INTEGER PRIMARY KEY,
  mailbox        INTEGER NOT NULL,
  -- The subscription (subscriptions.seq) whose waiting deliveries these are. NULL:
  -- the mailbox was deleted, and these are all that were waiting or leased.
  target         INTEGER,
  -- How far it was looked at: the place of a delivery, from the greatest one down.
  queue_state    INTEGER NOT NULL DEFAULT 4,
  before_message INTEGER NOT NULL DEFAULT 0,
  before_target  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE publishers (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT    NOT NULL,
  project_id  TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  secret_hash TEXT    NOT NULL,
  topic_name  TEXT    NOT NULL,
  disabled    INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX publishers_id ON publishers (id);
CREATE UNIQUE INDEX publishers_name ON publishers (project_id, name);
CREATE INDEX publishers_of_project ON publishers (project_id, seq);
CREATE INDEX publishers_topic ON publishers (project_id, topic_name);

-- Topics of a publisher's project.
CREATE TABLE categories (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  publisher_id TEXT    NOT NULL,
  project_id   TEXT    NOT NULL,
  reference    TEXT    NOT NULL,
  topic_name   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX categories_reference
  ON categories (publisher_id, reference);
CREATE INDEX categories_topic ON categories (project_id, topic_name);

-- Those who can be subscribed by an id: a project's address book.
CREATE TABLE subscription_users (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT    NOT NULL,
  project_id TEXT    NOT NULL,
  domain_id  TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  protocol   TEXT    NOT NULL,
  endpoint   TEXT    NOT NULL,
  remark     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  -- The row of a deleted one stays, without what is personal, so that a list
  -- can be gone on with behind it.
  deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX subscription_users_id ON subscription_users (id);
CREATE INDEX subscription_users_of_domain ON subscription_users (domain_id, seq);
CREATE INDEX subscription_users_of_project
  ON subscription_users (project_id, seq);

-- How many confirmations a project had sent to an endpoint of late.
CREATE TABLE confirmation_counts (
  project_id TEXT    NOT NULL,
  endpoint   TEXT    NOT NULL,
  protocol   TEXT    NOT NULL,
  -- JSON: for each limit the count, and when its window ends.
  windows    TEXT    NOT NULL,
  -- When all of them have ended.
  stale_at   INTEGER NOT NULL,
  PRIMARY KEY (project_id, endpoint, protocol)
) STRICT, WITHOUT ROWID;

CREATE INDEX confirmation_counts_stale ON confirmation_counts (stale_at);

---------------------------------------------------------------- messages

CREATE TABLE messages (
  seq                INTEGER PRIMARY KEY AUTOINCREMENT,
  id                 TEXT    NOT NULL,
  project_id         TEXT    NOT NULL,
  audience           INTEGER NOT NULL,
  created_at         INTEGER NOT NULL,
  -- NULL: from its acceptance on.
  not_before         INTEGER,
  expires_at         INTEGER NOT NULL,
  -- A copy of the topic, so that the message outlives it; NULL when direct, and
  -- of a message to several topics.
  topic_seq          INTEGER,
  topic_urn          TEXT,
  topic_name         TEXT,
  topic_display_name TEXT,
  topic_introduction TEXT,
  subject            TEXT,
  -- JSON; NULL when there are none.
  attributes         TEXT,
  -- The key that content is sealed with; NULL when it is not.
  sealed_by          TEXT,
  -- Seconds, as given for all protocols; NULL: by protocol in details, or the
  -- default life of each.
  time_to_live       INTEGER,
  class              INTEGER,
  tag                TEXT,
  -- Of the stored-message template it was made from, which may be deleted.
  template_slug      TEXT,
  -- JSON of what is neither searched nor decides when it goes; NULL when there
  -- is none of it.
  details            TEXT,
  -- Where what becomes of its deliveries is told; NULL: nowhere.
  status_url         TEXT,
  -- Until then more may come of its deliveries, if that is later than
  -- expires_at: an operator resent or settled them.
  status_until       INTEGER,
  -- When an operator cancelled the whole message; NULL: nobody did.
  cancelled_at       INTEGER,
  -- The job (jobs.seq) that did it, which has who and why.
  cancelled_by       INTEGER,
  -- When its related objects were changed last; NULL: not since it was made.
  relations_changed_at INTEGER,
  -- The latest created_at of all messages up to this one, of whatever project: all
  -- before one where it is earlier than an instant were created before that, also
  -- where messages were imported, or the clock was set back.
  newest_at          INTEGER NOT NULL,
  content_kind       INTEGER NOT NULL,
  -- The text, or as JSON the variants, or what a notice's link is made from. Last,
  -- because it may be long and the columns before it are read without it.
  content            TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE INDEX messages_of_project ON messages (project_id, seq);
-- Messages without a tag cost nothing here.
CREATE INDEX messages_of_tag ON messages (project_id, tag, seq)
  WHERE tag IS NOT NULL;
CREATE INDEX messages_of_template ON messages (project_id, template_slug, seq)
  WHERE template_slug IS NOT NULL;
-- Direct ones (2): stored messages are listed without walking all that topics
-- were sent.
CREATE INDEX messages_direct ON messages (project_id, seq) WHERE audience = 2;
-- Says at once whether what becomes of any is still to be told.
CREATE INDEX messages_status_url
  ON messages (coalesce(status_until, expires_at))
  WHERE status_url IS NOT NULL;

-- What messages are about in the publishers' own systems. Ids are texts: an
-- integer stands as its decimal digits.
CREATE TABLE related_objects (
  message_seq      INTEGER NOT NULL,
  -- In the order in which they were given, from 0.
  n                INTEGER NOT NULL,
  project_id       TEXT    NOT NULL,
  type             TEXT    NOT NULL,
  id               TEXT    NOT NULL,
  -- Copies, so that whether a template was sent about an object is known without
  -- the message and its recipients, also when these are gone. NULL: it was made
  -- from none.
  template_slug    TEXT,
  -- The protocol of the recipients.
  template_channel TEXT,
  created_at       INTEGER NOT NULL,
  changed_at       INTEGER NOT NULL,
  PRIMARY KEY (message_seq, n)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX related_objects_of_project
  ON related_objects (project_id, type, id, message_seq);
CREATE INDEX related_objects_of_template
  ON related_objects (project_id, template_slug, template_channel, type, id,
    message_seq)
  WHERE template_slug IS NOT NULL;

-- Requests that must not be carried out twice, each with the message that it
-- led to; written in the transaction that keeps the message.
CREATE TABLE idempotency_keys (
  project_id  TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  request_id  TEXT    NOT NULL,
  message_id  TEXT    NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (project_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);

-- The topics of a message to several, and copies of them, so that the message
-- outlives them. Their columns in messages are NULL.
CREATE TABLE message_topics (
  message_seq  INTEGER NOT NULL,
  -- In the order in which they were given, from 0.
  position     INTEGER NOT NULL,
  topic_seq    INTEGER NOT NULL,
  urn          TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  display_name TEXT    NOT NULL,
  introduction TEXT    NOT NULL,
  PRIMARY KEY (message_seq, position)
) STRICT, WITHOUT ROWID;

-- Who gets a direct message.
CREATE TABLE recipients (
  message_seq INTEGER NOT NULL,
  target      INTEGER NOT NULL,
  protocol    TEXT    NOT NULL,
  endpoint    TEXT    NOT NULL,
  -- Of the message: who gets messages of several projects is looked up in one.
  project_id  TEXT    NOT NULL,
  PRIMARY KEY (message_seq, target)
) STRICT, WITHOUT ROWID;

-- The key (message_seq, target) ends it.
CREATE INDEX recipients_of_project
  ON recipients (project_id, endpoint, protocol);

-- The last direct message with a status URL to each phone: a reply is told there.
CREATE TABLE reply_messages (
  project_id  TEXT    NOT NULL,
  phone       TEXT    NOT NULL,
  message_seq INTEGER NOT NULL,
  PRIMARY KEY (project_id, phone)
) STRICT, WITHOUT ROWID;

-- How many deliveries of a message are in each state; kept in the transaction
-- that changes them. A message without deliveries has no row.
CREATE TABLE message_counts (
  message_seq INTEGER PRIMARY KEY,
  waiting     INTEGER NOT NULL,
  sending     INTEGER NOT NULL,
  retrying    INTEGER NOT NULL,
  unknown     INTEGER NOT NULL,
  sent        INTEGER NOT NULL,
  delivered   INTEGER NOT NULL,
  failed      INTEGER NOT NULL,
  rejected    INTEGER NOT NULL,
  debug       INTEGER NOT NULL,
  filtered    INTEGER NOT NULL,
  suppressed  INTEGER NOT NULL,
  expired     INTEGER NOT NULL,
  cancelled   INTEGER NOT NULL,
  -- Of those that failed, how many no mailbox took.
  unqueued    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Fan-out work that is not done: a message without a row here is fanned out.
CREATE TABLE ranges (
  message_seq  INTEGER NOT NULL,
  -- The topic whose subscriptions it is a range of.
  topic_seq    INTEGER NOT NULL,
  -- Of a message to several topics: message_topics.position. The next topic gets
  -- its range when the last one of this is gone.
  topic_position INTEGER,
  after_target INTEGER NOT NULL,
  -- NULL: to the end of the audience.
  upto_target  INTEGER,
  -- When it may be claimed. That of a rest is when it was cut off: the message
  -- that was served least recently comes first. NULL: once an earlier message of
  -- its ordering key is fanned out.
  due_at       INTEGER,
  -- Grows with each claim, and when a lease is found to have ended.
  fence        INTEGER NOT NULL,
  -- NULL: nobody holds it.
  owner        TEXT,
  -- On the clock that runs since the store was opened.
  lease_until  INTEGER,
  -- Of a message that has one: its project and its ordering key.
  ordering_key TEXT,
  PRIMARY KEY (message_seq, topic_seq, after_target)
) STRICT, WITHOUT ROWID;

-- What is claimed as it is accepted never comes into it.
CREATE INDEX ranges_free ON ranges (due_at, message_seq) WHERE owner IS NULL;
CREATE INDEX ranges_held ON ranges (owner) WHERE owner IS NOT NULL;
-- What was not due when it was accepted holds up nothing until it is.
CREATE INDEX ranges_ordered ON ranges (ordering_key, due_at, message_seq)
  WHERE ordering_key IS NOT NULL;

--------------------------------------------------------- stored messages

-- Files that mails carry. Beside these, what stored messages have of their own
-- stands in related_objects.
CREATE TABLE attachments (
  message_seq  INTEGER NOT NULL,
  -- In the order in which they were given, from 0.
  n            INTEGER NOT NULL,
  name         TEXT    NOT NULL,
  content_type TEXT    NOT NULL,
  -- Of an inline image; NULL: it is none.
  content_id   TEXT,
  size         INTEGER NOT NULL,
  -- Last, because it may be long and the columns before it are read without it.
  content      BLOB    NOT NULL,
  PRIMARY KEY (message_seq, n)
) STRICT;

----------------------------------------------------------------- imports

-- How far messages of another program are imported; written in the transaction
-- that keeps them.
CREATE TABLE imports (
  project_id TEXT    NOT NULL,
  -- The source, and what of it is imported.
  name       TEXT    NOT NULL,
  -- Of the source's own.
  position   TEXT    NOT NULL,
  imported   INTEGER NOT NULL,
  skipped    INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

-------------------------------------------------------------- deliveries

CREATE TABLE deliveries (
  message_seq      INTEGER NOT NULL,
  -- subscriptions.seq, or recipients.target when the message is direct.
  target           INTEGER NOT NULL,
  state            INTEGER NOT NULL,
  attempts         INTEGER NOT NULL,
  -- NULL while somebody holds it, and when nothing is left to do.
  next_attempt_at  INTEGER,
  -- As in ranges.
  fence            INTEGER NOT NULL DEFAULT 0,
  owner            TEXT,
  lease_until      INTEGER,
  -- 1: an attempt costs money; a lost one is unknown, never repeated.
  billable         INTEGER NOT NULL DEFAULT 0,
  -- In an escalation, counted from 1; NULL when it is in none.
  round            INTEGER,
  -- The mailbox (mailboxes.seq) that its subscriber fetches it from; NULL where
  -- engines deliver, and once it is settled and not dead.
  mailbox          INTEGER,
  -- 1: may be leased. 2: leased, or delayed, until lease_until, which is an instant
  -- here. 3: an earlier one of its ordering key comes first. 4: dead, which it stays
  -- until somebody redrives it. NULL: it is in no mailbox.
  queue_state      INTEGER,
  ordering_key     TEXT,
  -- Of a leased one that went to a stream; grows within a mailbox.
  event_id         INTEGER,
  -- The end of its life: what is fetched has one of its own, and so has what was
  -- resent with one; NULL: its message's.
  expires_at       INTEGER,
  -- Attempts before the last resend: they count neither for the schedule nor
  -- for the choice of a provider.
  resent_after     INTEGER NOT NULL DEFAULT 0,
  last_at          INTEGER,
  last_duration_ms INTEGER,
  last_status_code INTEGER,
  last_error_class INTEGER,
  last_error       TEXT,
  last_provider    TEXT,
  last_outcome     INTEGER,
  last_queued_ms   INTEGER,
  last_dns_ms      INTEGER,
  last_connect_ms  INTEGER,
  last_tls_ms      INTEGER,
  last_first_byte_ms INTEGER,
  -- Of the attempt under way, else of the last one.
  provider         TEXT,
  -- When the attempt under way began, if it costs money. NULL: none was begun
  -- since the claim.
  attempt_at       INTEGER,
  -- Its id at the carrier, where we choose it.
  attempt_external_id TEXT,
  segments         INTEGER,
  -- JSON: what providers told besides; NULL: nothing.
  sender_data      TEXT,
  -- 1: the carrier will report on what is sent.
  receipt_expected INTEGER NOT NULL DEFAULT 0,
  -- When to ask it; NULL: not to be asked, or not any more.
  poll_at          INTEGER,
  -- 1: a failed receipt of the last attempt is followed by the next attempt.
  fails_over       INTEGER NOT NULL DEFAULT 0,
  -- Why it waits, if nothing failed; counts only beside next_attempt_at.
  wait_reason      INTEGER,
  -- From 1, the most urgent, to 3, bulk: each has its share of what is claimed.
  -- What waits for the same reason goes on by it, then by age.
  urgency          INTEGER NOT NULL DEFAULT 2,
  -- Of a direct message its project: stored messages are listed by their states.
  -- NULL: it is for a subscription.
  project_id       TEXT,
  -- Since when the idle timeout of what waits for a report counts; NULL: it has
  -- none, or it is over.
  idle_from        INTEGER,
  PRIMARY KEY (message_seq, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (urgency, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;
-- Not by the end of the lease, so that renewing one leaves the index alone.
CREATE INDEX deliveries_held ON deliveries (owner) WHERE owner IS NOT NULL;
-- By provider, so that one that cannot be asked is passed over as a whole.
CREATE INDEX deliveries_poll ON deliveries (provider, poll_at)
  WHERE poll_at IS NOT NULL;
-- Texts and mails wait for different times. What is not sent any more goes when it
-- is found.
CREATE INDEX deliveries_idle ON deliveries (billable, idle_from)
  WHERE idle_from IS NOT NULL;
-- Of what subscribers fetch; the key (message_seq, target) ends each of these.
CREATE INDEX deliveries_queued ON deliveries (mailbox, queue_state)
  WHERE mailbox IS NOT NULL;
-- With the mailbox, so that one finds its own among those that ended.
CREATE INDEX deliveries_leased ON deliveries (lease_until, mailbox)
  WHERE queue_state = 2;
-- By when they died.
CREATE INDEX deliveries_dead ON deliveries (last_at) WHERE queue_state = 4;
CREATE INDEX deliveries_ordered
  ON deliveries (mailbox, ordering_key, queue_state)
  WHERE ordering_key IS NOT NULL AND queue_state < 4;
-- With the mailbox, so that a full one finds its own.
CREATE INDEX deliveries_expiring ON deliveries (expires_at, mailbox)
  WHERE queue_state < 4;
CREATE INDEX deliveries_wait ON deliveries (wait_reason, urgency)
  WHERE wait_reason IS NOT NULL AND next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_round ON deliveries (message_seq, round)
  WHERE round IS NOT NULL;
-- Of direct messages, as the next one of all.
CREATE INDEX deliveries_of_project
  ON deliveries (project_id, state, message_seq, target)
  WHERE project_id IS NOT NULL AND state NOT IN (4, 5);
-- All but sent (4) and delivered (5), so that what went wrong among a million
-- is found at once and what went well costs nothing.
CREATE INDEX deliveries_exceptional ON deliveries (message_seq, state, target)
  WHERE state NOT IN (4, 5);

-- Whatever takes a delivery out of a mailbox, or puts a dead one back: the depth
-- follows, and the next one of its ordering key may be leased. What is new is
-- counted where it is written, for only as much is written as the quota lets in.
CREATE TRIGGER deliveries_leave AFTER UPDATE OF queue_state ON deliveries
  WHEN OLD.queue_state < 4 AND (NEW.queue_state IS NULL OR NEW.queue_state = 4)
BEGIN
  UPDATE mailbox_depths SET depth = depth - 1 WHERE mailbox = OLD.mailbox;
END;
CREATE TRIGGER deliveries_next AFTER UPDATE OF queue_state ON deliveries
  WHEN OLD.ordering_key IS NOT NULL
    AND OLD.queue_state < 4 AND (NEW.queue_state IS NULL OR NEW.queue_state = 4)
BEGIN
  UPDATE deliveries SET queue_state = 1
    WHERE (message_seq, target) IN (
      SELECT message_seq, target FROM deliveries INDEXED BY deliveries_ordered
      WHERE mailbox = OLD.mailbox AND ordering_key = OLD.ordering_key
        AND queue_state = 3 AND queue_state < 4
      ORDER BY message_seq, target LIMIT 1)
    -- One that was put back before a leased one waits for that one's end.
    AND NOT EXISTS (
      SELECT 1 FROM deliveries INDEXED BY deliveries_ordered
      WHERE mailbox = OLD.mailbox AND ordering_key = OLD.ordering_key
        AND queue_state IN (1, 2) AND queue_state < 4);
END;
CREATE TRIGGER deliveries_return AFTER UPDATE OF queue_state ON deliveries
  WHEN NEW.queue_state < 4 AND (OLD.queue_state IS NULL OR OLD.queue_state = 4)
BEGIN
  UPDATE mailbox_depths SET depth = depth + 1 WHERE mailbox = NEW.mailbox;
END;

-- Attempts before the last one, which stands in the delivery's own row.
CREATE TABLE attempts (
  message_seq INTEGER NOT NULL,
  target      INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  status_code INTEGER,
  error_class INTEGER,
  error       TEXT,
  provider    TEXT,
  outcome     INTEGER,
  -- Whole milliseconds; NULL where a step was not made or not measured.
  queued_ms   INTEGER,
  dns_ms      INTEGER,
  connect_ms  INTEGER,
  tls_ms      INTEGER,
  first_byte_ms INTEGER,
  PRIMARY KEY (message_seq, target, n)
) STRICT, WITHOUT ROWID;

-- What carriers gave ids: a text of several segments may have several.
CREATE TABLE parts (
  message_seq INTEGER NOT NULL,
  target      INTEGER NOT NULL,
  -- The number of the attempt, from 1.
  attempt     INTEGER NOT NULL,
  -- From 0.
  part        INTEGER NOT NULL,
  -- The provider, by its name in the configuration.
  entry       TEXT    NOT NULL,
  external_id TEXT    NOT NULL,
  state       INTEGER NOT NULL,
  PRIMARY KEY (message_seq, target, attempt, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX parts_external_id ON parts (external_id, entry);

-- Receipts, those that changed nothing too, up to a bound for each part. Without
-- message_seq: no part has that id yet.
CREATE TABLE receipts (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  entry       TEXT    NOT NULL,
  external_id TEXT    NOT NULL,
  event       INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  code        TEXT,
  text        TEXT,
  message_seq INTEGER,
  target      INTEGER
) STRICT;

CREATE INDEX receipts_early ON receipts (external_id, entry)
  WHERE message_seq IS NULL;
CREATE INDEX receipts_of_delivery ON receipts (message_seq, target)
  WHERE message_seq IS NOT NULL;

-- What operators did to deliveries, oldest first.
CREATE TABLE delivery_actions (
  message_seq INTEGER NOT NULL,
  target      INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  action      INTEGER NOT NULL,
  from_state  INTEGER NOT NULL,
  to_state    INTEGER NOT NULL,
  -- The job that did it, which has who and why; NULL: it was for this one alone.
  job_seq     INTEGER,
  user_id     TEXT,
  user_name   TEXT,
  reason      TEXT,
  PRIMARY KEY (message_seq, target, n)
) STRICT, WITHOUT ROWID;

-- Actions of operators on all deliveries that match a filter.
CREATE TABLE jobs (
  seq                  INTEGER PRIMARY KEY AUTOINCREMENT,
  id                   TEXT    NOT NULL,
  project_id           TEXT    NOT NULL,
  action               INTEGER NOT NULL,
  -- JSON.
  filter               TEXT    NOT NULL,
  -- The message that was cancelled as a whole when the job was made; NULL: none.
  cancelled_message    INTEGER,
  -- JSON: the filter as it was given.
  shown_filter         TEXT    NOT NULL,
  time_to_live_seconds INTEGER,
  reason               TEXT    NOT NULL,
  user_id              TEXT    NOT NULL,
  user_name            TEXT    NOT NULL,
  -- How many matched when it was made; at least so many if it is not exact.
  total                INTEGER NOT NULL,
  is_total_exact       INTEGER NOT NULL,
  created_at           INTEGER NOT NULL,
  state                INTEGER NOT NULL,
  done                 INTEGER NOT NULL,
  changed              INTEGER NOT NULL,
  -- Cancelled while not fully fanned out.
  messages             INTEGER NOT NULL,
  -- JSON: counts by reason.
  skipped              TEXT    NOT NULL,
  started_at           INTEGER,
  finished_at          INTEGER,
  error                TEXT,
  -- JSON: where it goes on.
  position             TEXT    NOT NULL,
  -- As in ranges.
  fence                INTEGER NOT NULL,
  owner                TEXT,
  lease_until          INTEGER
) STRICT;

CREATE UNIQUE INDEX jobs_id ON jobs (id);
CREATE INDEX jobs_of_project ON jobs (project_id, seq);
-- Queued (0) or running (1).
CREATE INDEX jobs_open ON jobs (seq) WHERE state IN (0, 1);

-- How many deliveries of a topic's messages came to rest in each hour, by the
-- state they came to rest in, once more after a resend; kept in the transaction
-- that writes it.
CREATE TABLE topic_statistics (
  topic_seq INTEGER NOT NULL,
  -- Hours since the epoch.
  hour      INTEGER NOT NULL,
  protocol  TEXT    NOT NULL,
  state     INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  PRIMARY KEY (topic_seq, hour, protocol, state)
) STRICT, WITHOUT ROWID;

-- What is bound to topics: one of each kind.
CREATE TABLE topic_bindings (
  topic_seq  INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  -- JSON.
  data       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (topic_seq, kind)
) STRICT, WITHOUT ROWID;

----------------------------------------------------------------- inbound

-- Texts from phones.
CREATE TABLE inbound (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT    NOT NULL,
  project_id  TEXT    NOT NULL,
  provider    TEXT    NOT NULL,
  -- The carrier's id; NULL when it gives none.
  external_id TEXT,
  sender      TEXT    NOT NULL,
  receiver    TEXT,
  keyword     TEXT,
  received_at INTEGER NOT NULL,
  -- The message it was published as; NULL when no topic is bound.
  message_id  TEXT,
  -- Last, because it may be long and the columns before it are read without it.
  text        TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX inbound_id ON inbound (id);
CREATE INDEX inbound_of_project ON inbound (project_id, seq);
CREATE INDEX inbound_of_sender ON inbound (project_id, sender, seq);
-- Finds repetitions.
CREATE INDEX inbound_external_id ON inbound (external_id, provider)
  WHERE external_id IS NOT NULL;

-- Who does not want texts.
CREATE TABLE opt_outs (
  -- Digits only.
  recipient TEXT    NOT NULL,
  -- Empty: all senders.
  sender    TEXT    NOT NULL,
  keyword   TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (recipient, sender)
) STRICT, WITHOUT ROWID;

------------------------------------------------- bounces and complaints

-- What was reported of mails.
CREATE TABLE mail_events (
  -- In the order in which they came.
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,
  message_seq     INTEGER NOT NULL,
  target          INTEGER NOT NULL,
  project_id      TEXT    NOT NULL,
  -- email_suppressions.key of the address that the mail was sent to.
  suppression_key TEXT    NOT NULL,
  event           INTEGER NOT NULL,
  -- Of a bounce; NULL: not known.
  hard            INTEGER,
  at              INTEGER NOT NULL,
  received_at     INTEGER NOT NULL,
  recipient       TEXT,
  code            TEXT,
  diagnostic      TEXT,
  -- A hash of what it says: it is kept once.
  fingerprint     TEXT    NOT NULL,
  -- Last, because it may be long and the columns before it are read without it.
  raw             TEXT
) STRICT;

CREATE UNIQUE INDEX mail_events_of_delivery
  ON mail_events (message_seq, target, fingerprint);
-- Counts the soft bounces of an address.
CREATE INDEX mail_events_soft
  ON mail_events (project_id, suppression_key, received_at)
  WHERE event = 2 AND hard IS NOT 1;

-- Addresses that get no mails.
CREATE TABLE email_suppressions (
  project_id  TEXT    NOT NULL,
  -- The address in lower case, its domain in A-labels.
  key         TEXT    NOT NULL,
  address     TEXT    NOT NULL,
  reason      INTEGER NOT NULL,
  detail      TEXT,
  at          INTEGER NOT NULL,
  delivery_id TEXT,
  count       INTEGER NOT NULL,
  PRIMARY KEY (project_id, key)
) STRICT, WITHOUT ROWID;

----------------------------------------------------------------- changes

-- What happened, one row for each transaction that changed something worth
-- telling. The newest row is never removed, so that no number is given twice.
CREATE TABLE changes (
  seq  INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  -- JSON; see src/sqlite/schema/change-table.ts.
  data TEXT    NOT NULL
) STRICT;

-- How far each durable consumer has read.
CREATE TABLE change_consumers (
  name        TEXT    PRIMARY KEY,
  -- changes.seq of the last row it is done with.
  position    INTEGER NOT NULL,
  -- As in ranges.
  owner       TEXT,
  lease_until INTEGER
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- counters

-- What must not happen too often: wrong codes, refused log-ins, texts.
CREATE TABLE counters (
  kind    TEXT    NOT NULL,
  -- A keyed hash: what is counted cannot be read from it.
  key     TEXT    NOT NULL,
  count   INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX counters_end ON counters (kind, ends_at);

-------------------------------------------------------------- detections

-- Whether endpoints can be reached: tasks that were asked for of late.
CREATE TABLE detections (
  -- In the order in which they were begun.
  seq        INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  project_id TEXT    NOT NULL,
  topic_urn  TEXT    NOT NULL,
  begun_at   INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL,
  -- JSON; NULL until there is one.
  result     TEXT
) STRICT;

CREATE INDEX detections_of_project ON detections (project_id, seq);
CREATE INDEX detections_end ON detections (ends_at);

-- Endpoints whose last attempts all failed; 10,000 at most, the latest to begin.
CREATE TABLE failing_endpoints (
  seq        INTEGER PRIMARY KEY,
  project_id TEXT    NOT NULL,
  protocol   TEXT    NOT NULL,
  endpoint   TEXT    NOT NULL,
  since      INTEGER NOT NULL,
  UNIQUE (project_id, protocol, endpoint)
) STRICT;

---------------------------------------------------------------- identity

CREATE TABLE domains (
  seq      INTEGER PRIMARY KEY,
  id       TEXT    NOT NULL UNIQUE,
  name     TEXT    NOT NULL UNIQUE,
  disabled INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
  seq       INTEGER PRIMARY KEY,
  id        TEXT    NOT NULL UNIQUE,
  name      TEXT    NOT NULL,
  domain_id TEXT    NOT NULL,
  disabled  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX projects_name ON projects (domain_id, name);

-- Projects that are gone: nothing is made in them any more, and their ids, which
-- stand in URNs and the ledger, are not given to others.
CREATE TABLE deleted_projects (
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  seq           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  name          TEXT    NOT NULL,
  domain_id     TEXT    NOT NULL,
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  disabled      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_name ON users (domain_id, name);
-- Users are found by their names whatever the case of ASCII letters.
CREATE INDEX users_folded_name ON users (domain_id, name COLLATE NOCASE);

-- The projects that users are assigned to.
CREATE TABLE user_projects (
  user_id    TEXT NOT NULL,
  project_id TEXT NOT NULL,
  PRIMARY KEY (user_id, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_keys (
  seq              INTEGER PRIMARY KEY,
  access_key       TEXT    NOT NULL UNIQUE,
  encrypted_secret TEXT    NOT NULL,
  user_id          TEXT    NOT NULL,
  project_id       TEXT    NOT NULL,
  created_at       INTEGER NOT NULL,
  disabled         INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  hash       TEXT    PRIMARY KEY,
  user_id    TEXT    NOT NULL,
  -- One of both, or none.
  project_id TEXT,
  domain_id  TEXT,
  -- JSON.
  methods    TEXT    NOT NULL,
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Of one that was got with a token: the one that a password got, with which
  -- it ends.
  first_hash TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_expiry ON tokens (expires_at);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX tokens_lineage ON tokens (first_hash, issued_at)
  WHERE first_hash IS NOT NULL;

-- Counts the writes of domains, projects, users and access keys: one that was
-- decided by another version is refused.
CREATE TABLE identity_version (
  -- There is one row.
  id      INTEGER PRIMARY KEY CHECK (id = 0),
  version INTEGER NOT NULL
) STRICT;

INSERT INTO identity_version (id, version) VALUES (0, 0);

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
  -- What was made or set: a JSON object of texts.
  details    TEXT,
  address    TEXT,
  request_id TEXT,
  -- Whose entries give way to newer ones: those of each user in each domain, and
  -- those of refused log-ins, have a share of their own.
  source     TEXT
    GENERATED ALWAYS AS (iif(action = 'login_refused', NULL, user_id)) VIRTUAL
) STRICT;

CREATE INDEX audit_entries_of_source
  ON audit_entries (domain_id, source, seq);
-- Listed by time: those that were counted are added after others that are newer.
CREATE INDEX audit_entries_of_domain ON audit_entries (domain_id, at, seq);
CREATE INDEX audit_entries_by_time ON audit_entries (at, seq);

CREATE TABLE settings (
  name    TEXT    PRIMARY KEY,
  -- Counts the writes; one that replaces another version is refused.
  version INTEGER NOT NULL,
  value   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
