/**
 * All metrics: the one table of their names, types, labels and meanings, from
 * which `/metrics` and docs/reference/metrics.md are made. Imports nothing.
 */

export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** For people; stands in `# HELP`, too. */
  readonly help: string;
}

/** By name. */
export const metrics = {
  carillon_build_info: {
    type: "gauge",
    labels: ["version"],
    help: "Always 1; the version is in the label",
  },
  carillon_messages_accepted_total: {
    type: "counter",
    labels: [],
    help: "Messages accepted since start",
  },
  carillon_delivery_attempts_total: {
    type: "counter",
    labels: ["protocol", "state", "error_class"],
    help: "Attempts to deliver whose outcome was written since start, by the state that each led to; error_class is empty where it succeeded",
  },
  carillon_delivery_retries_total: {
    type: "counter",
    labels: ["protocol"],
    help: "Those of them that were not the first of their delivery",
  },
  carillon_delivery_outcomes_total: {
    type: "counter",
    labels: ["protocol", "state"],
    help: "Outcomes of deliveries written since start",
  },
  carillon_delivery_duration_seconds: {
    type: "histogram",
    labels: ["protocol", "provider", "state"],
    help: "From the publishing of a message to the end of a delivery's last attempt",
  },
  carillon_polls_total: {
    type: "counter",
    labels: ["provider", "outcome"],
    help: "Ids that SMS providers were asked about since start, by what they said: final, open (on its way still), missing (nothing), failed (no answer)",
  },
  carillon_attempts_in_flight: {
    type: "gauge",
    labels: [],
    help: "Attempts under way",
  },
  carillon_active_ranges: {
    type: "gauge",
    labels: [],
    help: "Runs of subscriptions that are being walked",
  },
  carillon_backlog_deliveries: {
    type: "gauge",
    labels: ["state"],
    help: "Deliveries that wait for an attempt, looked at up to 10000 in all: then there are as many or more",
  },
  carillon_backlog_ranges: {
    type: "gauge",
    labels: [],
    help: "Runs of subscriptions that wait to be walked, counted up to 10000",
  },
  carillon_oldest_due_delivery_lag_seconds: {
    type: "gauge",
    labels: [],
    help: "How long the oldest due delivery has waited past its time",
  },
  carillon_http_requests_total: {
    type: "counter",
    labels: ["method", "route", "status"],
    help: "Requests answered since start; route is empty for paths that lead nowhere",
  },
  carillon_http_request_duration_seconds: {
    type: "histogram",
    labels: ["method", "route", "status_class"],
    help: "From the head of a request to its answer; status_class is 2xx, 4xx and so on",
  },
  carillon_logins_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Log-ins since start",
  },
  carillon_sms_held_total: {
    type: "counter",
    labels: ["reason"],
    help: "Texts that the guard held since start, before any carrier had them",
  },
  carillon_sms_spend_alerts_total: {
    type: "counter",
    labels: ["scope", "period", "percent"],
    help: "How often spend on texts has come to a share of its limit since start; scope is all or project",
  },
  carillon_database_bytes: {
    type: "gauge",
    labels: ["file"],
    help: "Sizes of the database and of its write-ahead log",
  },
  carillon_disk_free_bytes: {
    type: "gauge",
    labels: [],
    help: "Room on the disk of the data folder",
  },
  carillon_pull_messages_total: {
    type: "counter",
    labels: ["event"],
    help: "What happened to messages in mailboxes since start: leased, confirmed, nacked (given back), returned (their lease ended), dead (handed out in vain as often as may be)",
  },
  carillon_pull_consumers: {
    type: "gauge",
    labels: ["kind"],
    help: "Consumers that hold a connection: waiting (long polls), stream (server-sent events and WebSockets)",
  },
  carillon_event_streams: {
    type: "gauge",
    labels: [],
    help: "Streams of events that are open",
  },
  carillon_event_streams_dropped_total: {
    type: "counter",
    labels: [],
    help: "Streams of events cut since start, because their clients did not read",
  },
  carillon_log_dropped_total: {
    type: "counter",
    labels: [],
    help: "Lines of the log that could not be written since start",
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metrics;

/** In the order of the table. */
export const metricNames = Object.keys(metrics) as readonly MetricName[];

/** Those that prom-client reads from the process; some on Linux only. */
export const processMetrics: Readonly<Record<string, MetricDefinition>> = {
  process_cpu_user_seconds_total: {
    type: "counter",
    labels: [],
    help: "Total user CPU time spent in seconds",
  },
  process_cpu_system_seconds_total: {
    type: "counter",
    labels: [],
    help: "Total system CPU time spent in seconds",
  },
  process_cpu_seconds_total: {
    type: "counter",
    labels: [],
    help: "Total user and system CPU time spent in seconds",
  },
  process_start_time_seconds: {
    type: "gauge",
    labels: [],
    help: "Start time of the process since unix epoch in seconds",
  },
  process_resident_memory_bytes: {
    type: "gauge",
    labels: [],
    help: "Resident memory size in bytes",
  },
  process_virtual_memory_bytes: {
    type: "gauge",
    labels: [],
    help: "Virtual memory size in bytes",
  },
  process_heap_bytes: {
    type: "gauge",
    labels: [],
    help: "Process heap size in bytes",
  },
  process_open_fds: {
    type: "gauge",
    labels: [],
    help: "Number of open file descriptors",
  },
  process_max_fds: {
    type: "gauge",
    labels: [],
    help: "Maximum number of open file descriptors",
  },
  nodejs_eventloop_lag_seconds: {
    type: "gauge",
    labels: [],
    help: "Lag of event loop in seconds",
  },
  nodejs_eventloop_lag_min_seconds: {
    type: "gauge",
    labels: [],
    help: "The minimum recorded event loop delay",
  },
  nodejs_eventloop_lag_max_seconds: {
    type: "gauge",
    labels: [],
    help: "The maximum recorded event loop delay",
  },
  nodejs_eventloop_lag_mean_seconds: {
    type: "gauge",
    labels: [],
    help: "The mean of the recorded event loop delays",
  },
  nodejs_eventloop_lag_stddev_seconds: {
    type: "gauge",
    labels: [],
    help: "The standard deviation of the recorded event loop delays",
  },
  nodejs_eventloop_lag_p50_seconds: {
    type: "gauge",
    labels: [],
    help: "The 50th percentile of the recorded event loop delays",
  },
  nodejs_eventloop_lag_p90_seconds: {
    type: "gauge",
    labels: [],
    help: "The 90th percentile of the recorded event loop delays",
  },
  nodejs_eventloop_lag_p99_seconds: {
    type: "gauge",
    labels: [],
    help: "The 99th percentile of the recorded event loop delays",
  },
  nodejs_active_resources: {
    type: "gauge",
    labels: ["type"],
    help: "Number of active resources that are currently keeping the event loop alive, grouped by async resource type",
  },
  nodejs_active_resources_total: {
    type: "gauge",
    labels: [],
    help: "Total number of active resources",
  },
  nodejs_active_handles: {
    type: "gauge",
    labels: ["type"],
    help: "Number of active libuv handles grouped by handle type. Every handle type is C++ class name",
  },
  nodejs_active_handles_total: {
    type: "gauge",
    labels: [],
    help: "Total number of active handles",
  },
  nodejs_active_requests: {
    type: "gauge",
    labels: ["type"],
    help: "Number of active libuv requests grouped by request type. Every request type is C++ class name",
  },
  nodejs_active_requests_total: {
    type: "gauge",
    labels: [],
    help: "Total number of active requests",
  },
  nodejs_heap_size_total_bytes: {
    type: "gauge",
    labels: [],
    help: "Process heap size from Node.js in bytes",
  },
  nodejs_heap_size_used_bytes: {
    type: "gauge",
    labels: [],
    help: "Process heap size used from Node.js in bytes",
  },
  nodejs_external_memory_bytes: {
    type: "gauge",
    labels: [],
    help: "Node.js external memory size in bytes",
  },
  nodejs_heap_space_size_total_bytes: {
    type: "gauge",
    labels: ["space"],
    help: "Process heap space size total from Node.js in bytes",
  },
  nodejs_heap_space_size_used_bytes: {
    type: "gauge",
    labels: ["space"],
    help: "Process heap space size used from Node.js in bytes",
  },
  nodejs_heap_space_size_available_bytes: {
    type: "gauge",
    labels: ["space"],
    help: "Process heap space size available from Node.js in bytes",
  },
  nodejs_version_info: {
    type: "gauge",
    labels: ["version", "major", "minor", "patch"],
    help: "Node.js version info",
  },
  nodejs_gc_duration_seconds: {
    type: "histogram",
    labels: ["kind"],
    help: "Garbage collection duration by kind, one of major, minor, incremental or weakcb",
  },
};
