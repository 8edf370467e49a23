/**
 * What `/metrics` shows: each metric of the table, read when it is asked for
 * from what is counted anyway. The store is looked at through an index, and
 * never further than a bound.
 */

import {
  type Clock,
  type EngineStatus,
  loadOnce,
  type Mailboxes,
  type WorkStore,
} from "@carillon/core";
import type { DiskUse } from "@carillon/storage";
import type { EventTailer } from "../events/event-tailer.ts";
import type { SmsGuard } from "../sms-guard.ts";
import type { DeliveryMeter } from "./delivery-meter.ts";
import { formatMetric, type Sample } from "./exposition.ts";
import type { LoginMeter } from "./login-meter.ts";
import { type MetricName, metricNames, metrics } from "./metric-table.ts";
import type { QueueMeter } from "./queue-meter.ts";
import type { RequestMeter } from "./request-meter.ts";

export interface MetricsPorts {
  readonly store: Pick<WorkStore, "nextDue" | "countBacklog">;
  readonly clock: Clock;
  readonly engineStatus: () => EngineStatus;
  readonly mailboxStatus: Mailboxes["status"];
  readonly queue: QueueMeter;
  readonly requests: RequestMeter;
  readonly deliveries: DeliveryMeter;
  readonly logins: LoginMeter;
  readonly events: Pick<EventTailer, "count" | "dropped">;
  /** Absent: there is none. */
  readonly smsGuard?: Pick<SmsGuard, "held" | "spendAlerts"> | undefined;
  readonly droppedLogLines: () => number;
  /** Absent where nothing is kept on a disk. */
  readonly diskUse?: (() => Promise<DiskUse>) | undefined;
  readonly version: string;
}

/** Answers all metrics as text. */
export type MetricsText = () => Promise<string>;

/** As far as the backlog is looked at. */
const backlogLimit = 10_000;

export function createMetricsText(ports: MetricsPorts): MetricsText {
  // When somebody asks: a start does without.
  const loadProcessRegistry = loadOnce(async () => {
    const { collectDefaultMetrics, Registry } = await import("prom-client");
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    return registry;
  });
  return async () => {
    const [samples, registry] = await Promise.all([
      readSamples(ports),
      loadProcessRegistry(),
    ]);
    const own = metricNames.map((name) =>
      formatMetric(name, metrics[name], samples[name]),
    );
    return own.join("") + (await registry.metrics());
  };
}

async function readSamples(
  ports: MetricsPorts,
): Promise<Readonly<Record<MetricName, readonly Sample[]>>> {
  const { store, requests, deliveries, logins } = ports;
  const [next, backlog, disk] = await Promise.all([
    store.nextDue(),
    store.countBacklog(backlogLimit),
    // Whoever asks for the other figures gets them on a broken disk, too.
    ports.diskUse?.().catch(() => undefined),
  ]);
  const engine = ports.engineStatus();
  const consumers = ports.mailboxStatus();
  const lagMs = -(next.delivery ?? 0);
  return {
    carillon_build_info: [{ labels: { version: ports.version }, value: 1 }],
    carillon_messages_accepted_total: [{ value: engine.accepted }],
    carillon_delivery_attempts_total: deliveries
      .attempts()
      .map(({ protocol, state, errorClass, count }) => ({
        labels: { protocol, state, error_class: errorClass },
        value: count,
      })),
    carillon_delivery_retries_total: deliveries
      .retries()
      .map(({ count, ...labels }) => ({ labels, value: count })),
    carillon_delivery_outcomes_total: deliveries
      .outcomes()
      .map(({ count, ...labels }) => ({ labels, value: count })),
    carillon_delivery_duration_seconds: deliveries
      .durations()
      .map(({ histogram, ...labels }) => ({ labels, value: histogram })),
    carillon_polls_total: engine.polls.map(({ count, ...labels }) => ({
      labels,
      value: count,
    })),
    carillon_attempts_in_flight: [{ value: engine.inFlight }],
    carillon_active_ranges: [{ value: engine.activeRanges }],
    carillon_backlog_deliveries: [
      { labels: { state: "waiting" }, value: backlog.waiting },
      { labels: { state: "retrying" }, value: backlog.retrying },
    ],
    carillon_backlog_ranges: [{ value: backlog.ranges }],
    carillon_oldest_due_delivery_lag_seconds: [
      { value: Math.max(0, lagMs) / 1000 },
    ],
    carillon_http_requests_total: requests
      .counts()
      .map(({ count, ...labels }) => ({ labels, value: count })),
    carillon_http_request_duration_seconds: requests
      .durations()
      .map(({ method, route, statusClass, histogram }) => ({
        labels: { method, route, status_class: statusClass },
        value: histogram,
      })),
    carillon_logins_total: Object.entries(logins.counts()).map(
      ([outcome, value]) => ({ labels: { outcome }, value }),
    ),
    carillon_sms_held_total: (ports.smsGuard?.held.counts() ?? []).map(
      ({ reason, count }) => ({ labels: { reason }, value: count }),
    ),
    carillon_sms_spend_alerts_total: (
      ports.smsGuard?.spendAlerts.counts() ?? []
    ).map(({ scope, period, percent, count }) => ({
      labels: { scope, period, percent: String(percent) },
      value: count,
    })),
    carillon_database_bytes: disk
      ? [
          { labels: { file: "database" }, value: disk.databaseBytes },
          { labels: { file: "wal" }, value: disk.walBytes },
        ]
      : [],
    carillon_disk_free_bytes: disk ? [{ value: disk.freeBytes }] : [],
    carillon_pull_messages_total: ports.queue
      .counts()
      .map(({ event, count }) => ({ labels: { event }, value: count })),
    carillon_pull_consumers: [
      { labels: { kind: "waiting" }, value: consumers.waiting },
      { labels: { kind: "stream" }, value: consumers.streams },
    ],
    carillon_event_streams: [{ value: ports.events.count }],
    carillon_event_streams_dropped_total: [{ value: ports.events.dropped }],
    carillon_log_dropped_total: [{ value: ports.droppedLogLines() }],
  };
}
