/** Times as Clickatell writes them: `2008-08-06 09:43:50`, in GMT+2. */

import { MalformedRequestError } from "../../receiver.ts";

/** Clickatell's clock is that of South Africa, which has no summer time. */
const offsetMs = 2 * 3_600_000;

const form =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[ T]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/;

/** @throws MalformedRequestError for anything else, and for days that no month has */
export function parseLocalTime(text: string): Date {
  const [, ...fields] = form.exec(text) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    fields.map(Number);
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (fields.length > 0 && local.getUTCDate() === day) {
    return new Date(local.getTime() - offsetMs);
  }
  throw new MalformedRequestError(
    "timestamp must be a time such as 2008-08-06 09:43:50",
  );
}
