/**
 * Events of the log: the one table of their names, from which
 * docs/reference/log.md is made. A test compares it with the lines that the
 * sources write.
 */

/** Importance of a line, as `logLevel` has it. */
export type EventLevel = "debug" | "info" | "warn" | "error";

export interface LogEvent {
  /** All levels that its lines can have. */
  readonly levels: readonly EventLevel[];
  /** What happened, for people. */
  readonly meaning: string;
}

const event = (
  levels: EventLevel | readonly EventLevel[],
  meaning: string,
): LogEvent => ({ levels: [levels].flat(), meaning });

/** By name. */
export const logEvents: Readonly<Record<string, LogEvent>> = {
  // The program.
  started: event(
    "info",
    "The server answers: `version`, `url`, `data`, and what is on",
  ),
  listening: event(
    "info",
    "A service that a program embeds answers at `url` from now on",
  ),
  credentials_written: event(
    "info",
    "The first start made credentials; they are in `file`",
  ),
  credentials_file_not_updated: event(
    "error",
    "credentials.json in `folder` is not what the server knows",
  ),
  presets_ignored: event(
    "warn",
    "`variables` count at the first start only, and changed nothing",
  ),
  links_lead_here: event(
    "warn",
    "Links in messages lead to this machine's own address: `publicUrl` is not set",
  ),
  config_reloaded: event(
    "info",
    "The configuration was read again: `applied` and `needsRestart` are the keys that have another value",
  ),
  config_not_reloaded: event(
    "error",
    "The configuration was read again and has mistakes, which `message` names: nothing was changed",
  ),
  bounces_taken: event(
    "info",
    "Bounces and complaints are taken by SMTP at `host` and `port`",
  ),
  mail_event: event(
    "info",
    "A mail server or service reported on a mail: `event`; with `suppressed` its address gets no more mails",
  ),
  mail_report_ignored: event(
    "debug",
    "A mail to a bounce address was no report; `why`: an answer of a machine (`auto_reply`), or `unreadable`",
  ),
  mail_report_unknown: event(
    "warn",
    "A report came by SMTP that is about no mail of ours",
  ),
  mail_reports_unknown: event(
    "warn",
    "Of the reports in one request `count` were about no mail of ours",
  ),
  mail_report_failed: event(
    "error",
    "Reports on mails could not be kept; whoever sent them was told to come again",
  ),
  bounce_connection_failed: event(
    "debug",
    "A client of the port for bounces broke off",
  ),
  provider_pauses_not_read: event(
    "warn",
    "Which SMS providers are paused could not be read after a change; the former ones are",
  ),
  paused_texts_wait: event(
    "error",
    "Texts that waited for a paused SMS provider could not be made due; they go on within ten minutes",
  ),
  texts_idle: event(
    "warn",
    "`count` texts had no report within `timeoutMinutes`; `failed`: they failed by that",
  ),
  batch_left_behind: event(
    "warn",
    "`count` messages of `channel` still waited for the batch sender while batch mode is off; they are sent now",
  ),
  batch_left_behind_waits: event(
    "error",
    "Messages that batch mode left behind could not be made due; that is tried again within a minute",
  ),
  mail_reports_over: event(
    "info",
    "`count` mails had no report within `days` days: `sent` is their last state",
  ),
  interval_task_failed: event(
    "error",
    "What is done at intervals, named in `task`, failed; it is done again after the next one",
  ),
  sms_provider_not_stopped: event(
    "warn",
    "A `provider` that is not configured any more did not stop well",
  ),
  sms_held: event(
    "warn",
    "The guard held a text before a carrier had it: `reason`, `endpoint`, `projectId`, `class`",
  ),
  sms_spend: event(
    "warn",
    "What texts cost has come to `percent` of the `limit` of a `period`: `date`, `amount`, and `projectId` where it is a project's",
  ),
  sms_held_not_counted: event(
    "warn",
    "Texts were held, and the store could not count them for the summary",
  ),
  stopping: event("info", "It stops: `reason` is the signal"),
  stopped: event("info", "It has stopped, after `durationMs`"),
  stop_unfinished: event(
    "warn",
    "It ends without all that was under way, which goes on at the next start",
  ),
  start_failed: event("error", "It did not start; `message` says why"),
  service_failed: event(
    "error",
    "It cannot go on, and ends to be started anew",
  ),
  uncaught_error: event("error", "A defect; the server ends"),
  node_warning: event("warn", "Node.js warns of something"),
  log_dropped: event("warn", "`dropped` lines could not be written"),
  ready_line_not_written: event("warn", "Nothing reads stdout"),

  // Requests.
  request: event(
    ["debug", "info"],
    "A request was answered. Changes and failures at info; reads, publishing, calls of carriers, health and metrics at debug",
  ),
  request_failed: event(
    ["warn", "error"],
    "A request failed through no fault of its own; at warn, with its `code`, where it was one too many",
  ),
  receiver_failed: event("error", "A carrier's call failed"),

  // Log-ins and the audit log.
  login_refused: event(
    "warn",
    "A log-in was refused: `reason` is `credentials` (no such user, or a wrong password), `disabled`, `scope`, `token` or `throttled`",
  ),
  password_unreadable: event("warn", "A user's password hash cannot be read"),
  tokens_pruned: event("debug", "Expired tokens were deleted"),
  tokens_not_pruned: event("warn", "Expired tokens could not be deleted"),
  audit_entry_lost: event("error", "An entry of the audit log was not written"),

  // Deliveries.
  attempt_failed: event(
    ["info", "warn"],
    "An attempt failed; at info when another one follows (`nextAttemptAt`), at warn when none does",
  ),
  answer_too_late: event(
    "warn",
    "A channel answered after its attempt was over",
  ),
  channel_defect: event("error", "A channel answered out of type"),
  channel_threw: event("error", "A channel failed instead of answering"),
  channel_silent: event("error", "A channel did not keep its own deadline"),
  signing_failed: event("error", "A message could not be signed"),
  mail_files_unreadable: event(
    "warn",
    "The files of a mail could not be read; it is attempted again",
  ),
  smtp_connection_failed: event(
    "warn",
    "A connection to the mail server broke",
  ),
  sms_provider_threw: event(
    "error",
    "A `provider`, perhaps a backend of your own, failed with an error that says nothing of the text: its outcome is unknown. Each kind is told once",
  ),
  sms_accepted_late: event(
    "warn",
    "A carrier answered after its attempt was over",
  ),
  sms_status_unknown: event(
    "info",
    "A `provider` said of the text `externalId` what nobody understands: `code` and `text` are its own words, and change nothing",
  ),
  sms_hook_failed: event("error", "What is to be done after a text failed"),
  sms_router_failed: event(
    "error",
    "The router by recipient failed, kept silent or answered no name; told once a minute at most",
  ),
  email_router_failed: event(
    "error",
    "The router of mails failed, kept silent or answered no name; told once a minute at most",
  ),
  mail_backend_not_stopped: event(
    "warn",
    "A `backend` of mails that is not used any more did not stop well",
  ),
  sms_logged: event("info", "The provider `log` took a text"),
  sms_logged_text: event("debug", "The text that the provider `log` took"),
  confirmation_throttled: event(
    "warn",
    "A confirmation was not sent: too many were sent to the endpoint",
  ),

  // The engine.
  recovered: event("info", "Work of a former process goes on"),
  drain_abandoned: event("warn", "What is under way is interrupted"),
  leases_lapsed: event("warn", "Claims lapsed, and are free again"),
  lease_lost: event("warn", "A claim was lost while it was worked on"),
  sweep_failed: event("error", "The store could not be looked through"),
  login_failures_not_kept: event(
    "warn",
    "Refused log-ins count in this process alone",
  ),
  detection_not_kept: event("warn", "A detection's result is not written"),
  poll_failed: event(
    "warn",
    "A `provider` did not answer what became of texts, and is left alone for `waitMs`",
  ),
  poll_credentials_refused: event(
    "error",
    "A `provider` that was asked what became of texts refused the credentials; told once an hour",
  ),
  poll_refused: event(
    "warn",
    "A `provider` refused to be asked about one of the ids that it gave",
  ),
  poll_answer_ignored: event(
    "warn",
    "A `provider` answered what it was not asked (`unasked`), or out of type (`malformed`)",
  ),
  polled_receipt_not_kept: event(
    "error",
    "The store refused what a `provider` answered",
  ),
  polls_ended: event(
    "info",
    "A `provider` is not asked any more about `deliveries`, which stay as they are: they were sent three days ago, or have nothing to ask about",
  ),
  polls_failed: event("error", "Polls of a `provider` are tried again"),
  claim_failed: event("error", "Work could not be claimed"),
  claim_unreadable: event("error", "A claimed row is damaged"),
  range_failed: event("error", "A run of subscriptions is tried again"),
  range_refused: event("error", "The store refused the outcomes of a run"),
  batch_failed: event("error", "Due deliveries are tried again"),
  release_failed: event("error", "Work could not be given back"),
  write_waits: event("debug", "A write is tried again until it succeeds"),
  outcome_refused: event("error", "The store refused an outcome"),
  outcomes_refused: event("error", "It refused `more` of them"),
  outcome_lost: event("error", "An outcome could not be written at all"),
  message_sealed: event("error", "A message's key is not there"),
  message_unreadable: event("error", "A message cannot be read"),
  mailbox_failed: event(
    "error",
    "Nothing can be leased of the mailbox of the number `mailbox`",
  ),
  leases_not_returned: event(
    "warn",
    "What a consumer never got waits until its lease ends: `messages`",
  ),
  stream_blocked: event(
    "warn",
    "A consumer of `mailbox` took nothing of its stream for `blockedMs`: it was cut off",
  ),
  stream_failed: event("warn", "A stream of a mailbox could not read"),
  listener_threw: event("error", "A defect: what follows a delivery failed"),

  // Events.
  events_lost: event(
    "error",
    "What follows `position` in the change feed is not there: status URLs and event topics are told from `next` on",
  ),
  events_refused: event(
    "error",
    "The store refused messages of `count` events; what follows is told",
  ),
  change_unreadable: event(
    "error",
    "What one transaction changed, in front of `position` in the change feed, cannot be read and is not told; what follows is",
  ),
  event_not_streamed: event(
    "warn",
    "A listener to events could not be told what follows `position`: that is tried again, or it gets a `gap`",
  ),
  event_not_published: event(
    "warn",
    "An event was not published: the key of the event topic cannot be used",
  ),
  failing_endpoints_not_read: event(
    "warn",
    "Another node noticed that an endpoint fails or recovered, and that was not read",
  ),
  event_not_kept: event(
    "warn",
    "That an endpoint fails or recovered could not be written",
  ),
  event_listener_dropped: event(
    "warn",
    "A listener to events was disconnected: it took nothing for `durationMs`",
  ),
  job_done: event(
    "info",
    "A job has gone through all deliveries of its filter: `jobId`, `action`, how many were looked at (`done`) and `changed`",
  ),
  job_failed: event("error", "A job cannot go on; `error` says why"),

  // What comes in.
  inbound_not_published: event("warn", "An incoming text was not published"),
  inbound_repeated: event("info", "An incoming text came before"),

  // Storage and keys.
  storage_failing: event("error", "The store cannot be written"),
  storage_recovered: event("info", "It can again, after `durationMs`"),
  storage_migrated: event(
    ["debug", "info"],
    "The schema was brought to `version`; at debug that of a new database",
  ),
  storage_open_to_others: event("warn", "Others may read the data folder"),
  storage_closed_to_others: event(
    "warn",
    "Others had rights to the data folder, and have none any more",
  ),
  storage_writer_failed: event("error", "The thread that writes has died"),
  delivery_log_failed: event("error", "A topic's deliveries are not logged"),
  delivery_log_overrun: event("error", "Too many deliveries wait to be logged"),
  delivery_log_recovered: event("info", "They are logged again"),
  delivery_not_logged: event(
    "error",
    "What came of a message in a mailbox is missing in its topic's log",
  ),
  keys_not_deleted: event("error", "A deleted project's keys are on the disk"),
  secret_key_open_to_others: event(
    "warn",
    "Anybody on the machine may read or change the secret key's `file`, by its `mode`",
  ),
  secret_key_unused: event(
    "warn",
    "The data folder's own key `file` is another than the one `used`: move it away, it opens nothing here",
  ),
  keys_not_read: event(
    "warn",
    "Keys that messages are sealed with changed, and were not read: those of before hold",
  ),
  signing_keys_failed: event("error", "The signing keys were not loaded"),
  signing_keys_not_read: event(
    "warn",
    "The signing keys changed, and were not read: the one of before signs on",
  ),
  signing_key_created: event("info", "A signing key was made"),
  signing_thread_ended: event(
    "error",
    "A thread that signs ended; what it was given was signed, and another takes its place",
  ),

  // The sandbox.
  sandbox_answer_failed: event("warn", "A phone's own answer was not taken"),
  sandbox_smtp_error: event("debug", "A client of the mail capture failed"),
};
