/**
 * Counts answers and their durations, each route for itself, so that counting
 * costs no look-up.
 */

import { Histogram, requestBounds } from "./histogram.ts";

export interface RequestCount {
  readonly method: string;
  /** The pattern, never the path; empty for what led to no route. */
  readonly route: string;
  readonly status: number;
  readonly count: number;
}

export interface RequestDuration {
  readonly method: string;
  readonly route: string;
  /** `2xx` and so on. */
  readonly statusClass: string;
  readonly histogram: Histogram;
}

/** Of one route. */
export interface RouteMeter {
  note(status: number, durationMs: number): void;
}

export class RequestMeter {
  readonly #routes: OneRoute[] = [];

  addRoute(method: string, route: string): RouteMeter {
    const meter = new OneRoute(method, route);
    this.#routes.push(meter);
    return meter;
  }

  counts(): readonly RequestCount[] {
    return this.#routes.flatMap(({ method, route, byStatus }) =>
      [...byStatus].map(([status, count]) => ({
        method,
        route,
        status,
        count,
      })),
    );
  }

  durations(): readonly RequestDuration[] {
    return this.#routes.flatMap(({ method, route, byClass }) =>
      [...byClass].map(([hundreds, histogram]) => ({
        method,
        route,
        statusClass: `${hundreds}xx`,
        histogram,
      })),
    );
  }
}

class OneRoute implements RouteMeter {
  readonly method: string;
  readonly route: string;
  readonly byStatus = new Map<number, number>();
  /** By the first digit of the status. */
  readonly byClass = new Map<number, Histogram>();

  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }

  note(status: number, durationMs: number): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    const hundreds = Math.floor(status / 100);
    let histogram = this.byClass.get(hundreds);
    if (histogram === undefined) {
      histogram = new Histogram(requestBounds);
      this.byClass.set(hundreds, histogram);
    }
    histogram.observe(durationMs / 1000);
  }
}
