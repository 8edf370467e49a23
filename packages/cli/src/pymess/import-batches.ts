/**
 * Records on their way to the server, in batches that it takes: each ends at a
 * row, which is the position that it is kept with.
 */

import type { ImportRecord } from "@carillon/client";

/** Records that are sent at once, and where the import stands behind them. */
export interface Batch {
  readonly position: string;
  readonly records: readonly ImportRecord[];
  /** Rows in between that were left out. */
  readonly skipped: number;
}

/** What a batch may be at most, well within what the server takes. */
export const batchLimits = {
  rows: 500,
  bytes: 2 * 1024 * 1024,
  /** Values and members of its JSON. */
  values: 12_000,
} as const;

/** Of one record, in JSON. */
const maxRecordBytes = 15 * 1024 * 1024;

/** What keeps a record from being sent at all, as a sentence. */
export function problemWithSize(record: ImportRecord): string | undefined {
  const bytes = jsonBytes(record);
  if (bytes > maxRecordBytes) {
    return `it has ${bytes} bytes with its files, ${maxRecordBytes} is the most.`;
  }
  const values = countValues(record);
  if (values > batchLimits.values) {
    return `it has ${values} values in its JSON, ${batchLimits.values} is the most.`;
  }
  return undefined;
}

/** Gathers rows until a batch is full. */
export class BatchBuilder {
  #records: ImportRecord[] = [];
  #position: string | undefined;
  #skipped = 0;
  #bytes = 0;
  #values = 0;

  /** The batch that has to go before the record can be added. */
  add(position: string, record: ImportRecord): Batch | undefined {
    const bytes = jsonBytes(record);
    const values = countValues(record);
    const isFull =
      this.#records.length > 0 &&
      (this.#bytes + bytes > batchLimits.bytes ||
        this.#values + values > batchLimits.values);
    const full = isFull ? this.take() : undefined;
    this.#records.push(record);
    this.#bytes += bytes;
    this.#values += values;
    this.#position = position;
    return full ?? this.#takeIfFull();
  }

  /** The row at the position is left out. */
  skip(position: string): Batch | undefined {
    this.#skipped++;
    this.#position = position;
    return this.#takeIfFull();
  }

  /** What there is; `undefined`: nothing. */
  take(): Batch | undefined {
    const position = this.#position;
    if (position === undefined) return undefined;
    const batch = { position, records: this.#records, skipped: this.#skipped };
    this.#records = [];
    this.#position = undefined;
    this.#skipped = this.#bytes = this.#values = 0;
    return batch;
  }

  #takeIfFull(): Batch | undefined {
    const rows = this.#records.length + this.#skipped;
    return rows >= batchLimits.rows ? this.take() : undefined;
  }
}

/** Nearly: files dominate, and are ASCII. */
function jsonBytes(record: ImportRecord): number {
  let bytes = Buffer.byteLength(
    JSON.stringify({ ...record, attachments: undefined }),
  );
  for (const { content } of record.attachments ?? []) {
    bytes += content.length + 200;
  }
  return bytes;
}

function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const member of Object.values(value)) count += countValues(member);
  return count;
}
