/**
 * Bounds how many lines of the log one cause can fill: what is alike is written
 * a few times in an interval and counted from then on. The count is written
 * with the last of them when the interval ends, so that none is left out
 * without a word.
 */

import type { Clock, Timer } from "@carillon/core";

/** How much is written in an interval. */
export interface LineLimits {
  /** Lines that are alike, at once. */
  readonly ofOneKind: number;
  /** Lines at once, of all kinds together. */
  readonly inAll: number;
  /** Kinds that are told apart; what is of further ones is counted together. */
  readonly kinds: number;
  readonly intervalMs: number;
}

/** `omitted`: how many lines alike were left out before this one. */
export type WriteLine<Line> = (line: Line, omitted: number) => void;

interface Kind<Line> {
  written: number;
  omitted: number;
  last: Line;
}

/** At most `inAll + kinds + 1` lines are written in an interval. */
export class LineLimit<Line> implements Disposable {
  readonly #clock: Clock;
  readonly #limits: LineLimits;
  readonly #write: WriteLine<Line>;
  readonly #kinds = new Map<string, Kind<Line>>();
  #written = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, limits: LineLimits, write: WriteLine<Line>) {
    this.#clock = clock;
    this.#limits = limits;
    this.#write = write;
  }

  /** @param name the same for lines that are alike */
  add(name: string, line: Line): void {
    const kind = this.#kindOf(name, line);
    const { ofOneKind, inAll, intervalMs } = this.#limits;
    if (kind.written < ofOneKind && this.#written < inAll) {
      kind.written++;
      this.#written++;
      this.#write(line, 0);
    } else {
      kind.omitted++;
      kind.last = line;
    }
    this.#timer ??= this.#clock.setTimer(intervalMs, () => this.flush());
  }

  #kindOf(name: string, line: Line): Kind<Line> {
    const isApart =
      this.#kinds.has(name) || this.#kinds.size < this.#limits.kinds;
    const key = isApart ? name : "";
    const known = this.#kinds.get(key);
    if (known) return known;
    const kind = { written: 0, omitted: 0, last: line };
    this.#kinds.set(key, kind);
    return kind;
  }

  /** Writes what was counted; another interval begins with the next line. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const counted = [...this.#kinds.values()];
    this.#kinds.clear();
    this.#written = 0;
    for (const { omitted, last } of counted) {
      if (omitted > 0) this.#write(last, omitted - 1);
    }
  }

  [Symbol.dispose](): void {
    this.flush();
  }
}
