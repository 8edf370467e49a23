/** A process that opens a store and keeps it until it is killed. */

import { openSqliteStore } from "./sqlite-store.ts";

const [, , folder = ""] = process.argv;
await openSqliteStore({ folder });
process.stdout.write("open\n");
setInterval(() => {}, 60_000);
