/** What came of publishing to categories. */

import { findNumber, type JsonObject } from "../json.ts";

/** To how many subscribers a message went. */
export class PublicationResponse {
  /** It is in their mailbox, or on its way to them. */
  readonly passed: number;
  /** It could not be put into their mailbox. */
  readonly failed: number;
  readonly total: number;

  constructor(
    counts: Pick<PublicationResponse, "passed" | "failed" | "total">,
  ) {
    this.passed = counts.passed;
    this.failed = counts.failed;
    this.total = counts.total;
  }

  /** 0 to 100; 0 when there are no subscribers. */
  passedPercent(): number {
    return percent(this.passed, this.total);
  }

  /** 0 to 100; 0 when there are no subscribers. */
  failedPercent(): number {
    return percent(this.failed, this.total);
  }
}

function percent(part: number, total: number): number {
  return total === 0 ? 0 : (part / total) * 100;
}

/**
 * Services call what failed `fail` or `failed`. `undefined` when the counts are not
 * there.
 */
export function findPublication(
  fields: JsonObject,
): PublicationResponse | undefined {
  const passed = findNumber(fields, "passed") ?? findNumber(fields, "success");
  const failed = findNumber(fields, "failed") ?? findNumber(fields, "fail");
  if (passed === undefined || failed === undefined) return undefined;
  const total = findNumber(fields, "total") ?? passed + failed;
  return new PublicationResponse({ passed, failed, total });
}
