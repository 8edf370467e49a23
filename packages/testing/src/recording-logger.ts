import type { LogFields, Logger } from "@carillon/core";

/** Keeps what was logged, by event. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly event: string; readonly fields: LogFields }[] = [];
  readonly debug = this.#keep.bind(this);
  readonly info = this.#keep.bind(this);
  readonly warn = this.#keep.bind(this);
  readonly error = this.#keep.bind(this);

  child(): Logger {
    return this;
  }

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }

  /** The fields of each line of an event, oldest first. */
  of(event: string): LogFields[] {
    return this.lines
      .filter((line) => line.event === event)
      .map(({ fields }) => fields);
  }

  #keep(event: string, fields: LogFields = {}): void {
    this.lines.push({ event, fields });
  }
}
