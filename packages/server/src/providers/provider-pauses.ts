/**
 * Which providers are paused, by whom and why. They stand in one setting of the
 * store: a pause survives restarts, and counts for all nodes.
 */

import {
  type Clock,
  createReload,
  type EpochMs,
  type Logger,
  type SettingStore,
  SharedSetting,
  type StoreChanges,
  watchSetting,
} from "@carillon/core";

/** A provider that gets no new text until it is resumed. */
export interface ProviderPause {
  /** Its name in the configuration. */
  readonly provider: string;
  /** Its type there when it was paused, for when it is removed. */
  readonly type: string;
  readonly at: EpochMs;
  readonly userId: string;
  readonly userName: string;
  readonly reason?: string;
}

export interface ProviderPauses extends Disposable {
  find(provider: string): ProviderPause | undefined;
  /** By name. */
  list(): readonly ProviderPause[];
  /**
   * One that is paused stays so since when it was: only a reason that is given
   * is its reason from then on, and whose it is.
   */
  pause(pause: Omit<ProviderPause, "at">): Promise<void>;
  /** Answers whether it was paused. */
  resume(provider: string): Promise<boolean>;
}

export const providerPausesSetting = "provider_pauses";

/**
 * @param ports `onChanged` is called with all that are paused after each change,
 * also one of another node's
 */
export async function openProviderPauses(ports: {
  readonly store: SettingStore & StoreChanges;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChanged: (paused: readonly ProviderPause[]) => void;
}): Promise<ProviderPauses> {
  const { store, clock, logger, onChanged } = ports;
  const setting = new SharedSetting(store, providerPausesSetting);
  let text: string | undefined;
  let pauses: readonly ProviderPause[] = [];

  // Read anew after each change, not taken from its answer: an older answer may
  // come after a newer one.
  const reload = createReload(async () => {
    const kept = await setting.read();
    if (kept === text) return;
    text = kept;
    pauses = parsePauses(kept);
    onChanged(pauses);
  });
  async function change(
    next: (pauses: readonly ProviderPause[]) => readonly ProviderPause[],
  ): Promise<void> {
    await setting.change((kept) => JSON.stringify(next(parsePauses(kept))));
    await reload();
  }

  // Before it is read: what is written from then on is told.
  const stop = watchSetting(store, providerPausesSetting, () => {
    reload().catch((error: unknown) => {
      logger.warn("provider_pauses_not_read", { error });
    });
  });
  try {
    await reload();
  } catch (error) {
    stop();
    throw error;
  }

  return {
    find: (provider) => pauses.find((it) => it.provider === provider),
    list: () => pauses.toSorted((a, b) => (a.provider < b.provider ? -1 : 1)),
    pause: (pause) =>
      change((kept) => {
        const before = kept.find((it) => it.provider === pause.provider);
        if (before && pause.reason === undefined) return kept;
        const at = before?.at ?? clock.now();
        return [...kept.filter((it) => it !== before), { ...pause, at }];
      }),
    async resume(provider) {
      let wasPaused = false;
      await change((kept) => {
        const left = kept.filter((it) => it.provider !== provider);
        wasPaused = left.length < kept.length;
        return left;
      });
      return wasPaused;
    },
    [Symbol.dispose]: stop,
  };
}

function parsePauses(text = "[]"): readonly ProviderPause[] {
  // Written by this module only, in one piece.
  return JSON.parse(text);
}
