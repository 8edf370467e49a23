/** Carillon's metrics, and those of its process, as prom-client keeps them. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { MetricsPorts } from "./metrics.ts";

export function createRegistry(ports: MetricsPorts): Registry {
  const { store, clock, engineStatus, httpCounter, droppedLogLines, version } =
    ports;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  new Gauge({
    name: "carillon_build_info",
    help: "Always 1; the version is in the label",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  new Counter({
    name: "carillon_messages_accepted_total",
    help: "Messages accepted since start",
    registers,
    collect() {
      this.reset();
      this.inc(engineStatus().accepted);
    },
  });
  new Counter({
    name: "carillon_delivery_attempts_total",
    help: "Attempts to deliver since start",
    registers,
    collect() {
      this.reset();
      this.inc(engineStatus().attempts);
    },
  });
  new Counter({
    name: "carillon_delivery_outcomes_total",
    help: "Outcomes of deliveries written since start, by state",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      const { outcomes } = engineStatus();
      for (const [state, count] of Object.entries(outcomes)) {
        this.inc({ state }, count);
      }
    },
  });
  new Gauge({
    name: "carillon_attempts_in_flight",
    help: "Attempts under way",
    registers,
    collect() {
      this.set(engineStatus().inFlight);
    },
  });
  new Gauge({
    name: "carillon_active_chunks",
    help: "Runs of subscriptions that are being walked",
    registers,
    collect() {
      this.set(engineStatus().activeChunks);
    },
  });
  new Gauge({
    name: "carillon_oldest_due_delivery_lag_seconds",
    help: "How long the oldest due delivery has waited past its time",
    registers,
    async collect() {
      const { nextDueAt } = await store.peekWork();
      const lagMs = nextDueAt === undefined ? 0 : clock.now() - nextDueAt;
      this.set(Math.max(0, lagMs) / 1000);
    },
  });
  new Counter({
    name: "carillon_http_requests_total",
    help: "Requests answered since start, by route and status",
    labelNames: ["method", "route", "status"],
    registers,
    collect() {
      this.reset();
      for (const { count, ...labels } of httpCounter.counts()) {
        this.inc(labels, count);
      }
    },
  });
  new Counter({
    name: "carillon_log_dropped_total",
    help: "Lines of the log that could not be written since start",
    registers,
    collect() {
      this.reset();
      this.inc(droppedLogLines());
    },
  });
  return registry;
}
