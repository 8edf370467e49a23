// The rival of the start: Fastify and an empty SQLite file, nothing else. Plain
// JavaScript, as a built Carillon is. Argument: the folder.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fastify from "fastify";

const db = new DatabaseSync(join(process.argv[2], "bare.db"));
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
const app = fastify();
app.get("/healthz", async () => ({ status: "ok" }));
const url = await app.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`${JSON.stringify({ event: "ready", url })}\n`);
process.on("SIGTERM", () => process.exit(0));
