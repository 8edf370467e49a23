/** A process without rights that opens a store and prints the result. */

import { CarillonError } from "@carillon/core";
import { openSqliteStore } from "./sqlite-store.ts";

const [, , folder = ""] = process.argv;
// What is to be refused to others is not refused to root.
if (process.getuid?.() === 0) process.seteuid?.(65534);
try {
  await openSqliteStore({ folder });
  process.stdout.write("opened\n");
} catch (error) {
  if (!(error instanceof CarillonError)) throw error;
  process.stdout.write(`${error.code}\n${error.message}\n`);
}
process.exit(0);
