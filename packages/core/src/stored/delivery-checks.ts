/**
 * Looks after texts whose carriers owe a report: has those asked now that can be
 * asked, and ends, or tells of, those that were silent for too long.
 */

import type { Clock } from "../ports/clock.ts";
import type { DeliveryCheckStore } from "../ports/delivery-check-store.ts";
import type { DeliveryStore } from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import { addMs } from "../time.ts";
import { endAllIdle, idleBatchSize, maxIdleBatches } from "./end-idle.ts";

/** As it is configured. */
export interface DeliveryCheckSettings {
  readonly idleTimeoutMinutes: number;
  /** False: it stays `sent`. */
  readonly failIdle: boolean;
  readonly logIdle: boolean;
}

export interface DeliveryCheckPorts {
  readonly store: DeliveryCheckStore & Pick<DeliveryStore, "listDuePolls">;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Asks carriers about what is due; resolves once they answered, or failed to, or
   * after so many milliseconds, with the number of texts that they were asked about.
   */
  readonly askCarriers: (withinMs: number) => Promise<number>;
  /** As they are set now. */
  readonly settings: () => DeliveryCheckSettings;
}

/** What a check did. */
export interface DeliveryCheck {
  /**
   * Texts whose carriers were asked about them meanwhile, by this process. Those of
   * a provider that rests after a failure are asked about once it is over.
   */
  readonly asked: number;
  /** Texts whose report did not come within the idle timeout. */
  readonly idle: number;
  readonly idleTimeoutMinutes: number;
  /** Whether those failed. */
  readonly failedIdle: boolean;
}

/** Checks on demand, and the part of them that is done at intervals. */
export interface DeliveryChecks {
  /**
   * @throws CarillonError STORAGE_UNAVAILABLE, STORAGE_FULL; what was done by then
   * stays so
   */
  run(): Promise<DeliveryCheck>;
  /** The idle rule alone: carriers are asked when that is due anyway. */
  endIdle(): Promise<number>;
}

/** A check waits for carriers at most so long, in milliseconds. */
const answerMs = 20_000;

/** Builds the checks; it starts nothing. */
export function createDeliveryChecks(
  ports: DeliveryCheckPorts,
): DeliveryChecks {
  const { store, clock, logger } = ports;

  async function ask(): Promise<number> {
    for (const { entry } of await store.listDuePolls()) {
      for (let batch = 0; batch < maxIdleBatches; batch++) {
        const count = await store.bringPollsForward(entry, idleBatchSize);
        if (count < idleBatchSize) break;
        await clock.nextTurn();
      }
    }
    // Those that take longer are waited for by the engine alone.
    return await ports.askCarriers(answerMs);
  }

  async function endIdle(): Promise<number> {
    const { idleTimeoutMinutes, failIdle, logIdle } = ports.settings();
    const idle = await endAllIdle(ports, {
      billable: true,
      idleSince: addMs(clock.now(), -idleTimeoutMinutes * 60_000),
      timeoutMinutes: idleTimeoutMinutes,
      becomes: failIdle ? "failed" : "unchanged",
    });
    if (idle > 0 && logIdle) {
      logger.warn("texts_idle", {
        count: idle,
        timeoutMinutes: idleTimeoutMinutes,
        failed: failIdle,
      });
    }
    return idle;
  }

  return {
    async run() {
      const asked = await ask();
      const idle = await endIdle();
      const { idleTimeoutMinutes, failIdle } = ports.settings();
      return { asked, idle, idleTimeoutMinutes, failedIdle: failIdle };
    },
    endIdle,
  };
}
