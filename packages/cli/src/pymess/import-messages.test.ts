import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  type ImportBatch,
  type ImportRecord,
  type Imports,
  ResourceNotFoundError,
  ResponseError,
} from "@carillon/client";
import {
  type ImportTerms,
  importMessages,
  type SkippedRow,
} from "./import-messages.ts";
import { openMediaFolder } from "./media-folder.ts";
import { messageKinds } from "./message-kinds.ts";
import { openSource } from "./open-source.ts";
import { type Age, ages, insert, pymessFixture } from "./pymess.fixture.ts";
import { nameSource } from "./source-name.ts";

test("imports what migrations of each age left", async (t) => {
  for (const age of ages) {
    await t.test(`after migration ${age}`, async () => {
      using source = makeSource(age);
      const server = fakeServer();
      const found = await source.import(server);
      const { sms, emails } = found.records;
      assert.deepEqual(found.skipped, []);
      assert.equal(sms.length, age === "0001" ? 7 : 9);
      const isOld = age === "0001";
      const dates = (second: number) => ({
        createdAt: `2019-03-04T05:06:0${second}.123Z`,
        changedAt: `2019-03-04T05:06:0${second + 2}.123Z`,
      });
      assert.deepEqual(plain(sms[3]), {
        id: "4",
        ...dates(4),
        sentAt: "2019-03-04T05:06:05.123Z",
        to: "+420777123454",
        text: "SMS 4: Příliš",
        sender: "Shop",
        tag: "promo",
        ...(age === "0027" && { priority: 1 }),
        extraData: {
          order: 4,
          pymess: { id: 4, state: "SENT", changedAt: dates(4).changedAt },
        },
        extraSenderData: { sender_state: 23 },
        relatedObjects: [
          { type: "shop.order", id: "104", ...dates(4) },
          { type: "auth.user", id: "alice", ...dates(4) },
        ],
        state: "sent",
        attempts: isOld ? 1 : 2,
        backend: "pymess.backend.sms.ats.ATSSMSBackend",
      });
      assert.deepEqual(
        sms.map(({ state, error }) => [state, error]),
        [
          ["cancelled", undefined],
          ["unknown", undefined],
          ["unknown", undefined],
          ["sent", undefined],
          // Before migration 0016 there was one error alone.
          [isOld ? "failed" : "rejected", "No such number"],
          ["debug", undefined],
          ["delivered", undefined],
          ["failed", "No such number"],
          ["cancelled", "No such number"],
        ].slice(0, sms.length),
      );
      assert.equal(sms[0]?.reason, "imported: it was WAITING");
      assert.equal(sms[0]?.attempts, 0);
      assert.deepEqual(
        emails.map(({ state, html, text, relatedObjects, attachments }) => ({
          state,
          html,
          text,
          type: relatedObjects?.[0]?.type,
          files: attachments?.map(({ name }) => name),
        })),
        [1, 2, 3].map((id) => ({
          state: ["sent", "failed", "debug"][id - 1],
          html: `<p>Mail ${id}${id === 2 && age === "0027" ? " ✓" : ""}</p>`,
          text: "",
          type: id === 3 ? "contenttype.99" : "shop.order",
          files: id === 2 && age === "0027" ? ["Your bill.pdf"] : undefined,
        })),
      );
      const again = await source.import(server);
      assert.deepEqual(again.records, { sms: [], emails: [] });
      assert.deepEqual(
        again.summaries.map(({ read, imported, before }) => [
          read,
          imported,
          before,
        ]),
        [
          [0, 0, sms.length],
          [0, 0, 3],
        ],
      );
    });
  }
});

test("sends what waits if it is told to", async () => {
  using source = makeSource("0027");
  const { records } = await source.import(fakeServer(), { pending: "send" });
  assert.equal(records.sms[0]?.state, "waiting");
  assert.equal(records.sms[0]?.reason, undefined);
  assert.equal(records.sms[8]?.state, "retrying");
});

test("what a row has that cannot be says the row and the reason", async (t) => {
  const cases: [string, Record<string, string | number>, RegExp][] = [
    ["broken JSON", { extra_data: "{a" }, /^extra_data holds no valid JSON\.$/],
    ["a list", { extra_data: "[1]" }, /extra_data holds JSON, but no object/],
    ["a member of ours", { extra_data: '{"pymess": 1}' }, /a member pymess/],
    ["a text for a state", { state: "x" }, /state: a whole number is expected/],
    ["an unknown state", { state: 42 }, /state: pymess has no 42/],
    [
      "a strange instant",
      { created_at: "yesterday" },
      /created_at: an instant/,
    ],
    ["an instant that is none", { sent_at: "2019-02-31 25:00:00" }, /sent_at/],
    ["a number for an instant", { created_at: 5 }, /created_at: an instant/],
    ["no recipient", { recipient: "" }, /recipient is empty/],
    ["a long text", { content: "x".repeat(5_000_000) }, /it has 5000\d+ bytes/],
    ["bytes", { tag: "\u0000blob" }, /tag: text is expected, there is 3 bytes/],
    [
      "attempts",
      { number_of_send_attempts: "many" },
      /number_of_send_attempts/,
    ],
    [
      "too much in it",
      { extra_data: `{"a": [${"1,".repeat(13_000)}1]}` },
      /it has 130\d+ values in its JSON/,
    ],
  ];
  for (const [title, fields, reason] of cases) {
    await t.test(title, async () => {
      using source = makeSource("0027");
      for (const [column, value] of Object.entries(fields)) {
        const sql =
          value === "\u0000blob"
            ? `UPDATE pymess_outputsmsmessage SET ${column} = x'010203' WHERE id = 4`
            : `UPDATE pymess_outputsmsmessage SET ${column} = '${value}' WHERE id = 4`;
        source.exec(typeof value === "number" ? sql.replaceAll("'", "") : sql);
      }
      const { records, skipped, summaries } = await source.import(fakeServer());
      assert.equal(records.sms.length, 8);
      const [row] = skipped;
      assert.equal(skipped.length, 1);
      assert.equal(row?.table, "pymess_outputsmsmessage");
      assert.equal(row?.id, "4");
      assert.match(row?.reason ?? "", reason);
      assert.doesNotMatch(row?.reason ?? "", /yesterday|many/);
      assert.equal(summaries[0]?.skipped, 1);
    });
  }
});

test("files are read below the media folder alone", async (t) => {
  const cases: [string, string, RegExp][] = [
    ["above it", "../secret.html", /not below --media/],
    ["elsewhere", "/etc/passwd", /not below --media/],
    ["not there", "pymess/none.html", /not below --media/],
    ["a folder", "pymess", /is no file/],
    ["too long", "long.html", /has 1048577 bytes, 1048576 is the most/],
    ["not in UTF-8", "latin.html", /not in UTF-8/],
  ];
  for (const [title, path, reason] of cases) {
    await t.test(title, async () => {
      using source = makeSource("0027");
      writeFileSync(join(source.folder, "secret.html"), "secret");
      writeFileSync(
        join(source.folder, "media/long.html"),
        "x".repeat(1048577),
      );
      writeFileSync(
        join(source.folder, "media/latin.html"),
        Buffer.from([0xe9]),
      );
      source.exec(
        `UPDATE pymess_emailmessage SET content_file = '${path}' WHERE id = 1`,
      );
      const { records, skipped } = await source.import(fakeServer());
      assert.equal(records.emails.length, 2);
      assert.match(skipped[0]?.reason ?? "", reason);
    });
  }
});

test("a source that is none ends with a sentence, before anything is sent", async (t) => {
  const renamed = "ALTER TABLE pymess_outputsmsmessage RENAME TO kept";
  const cases: [string, string[], RegExp][] = [
    [
      "a view",
      [renamed, "CREATE VIEW pymess_outputsmsmessage AS SELECT * FROM kept"],
      /no plain table but a view/,
    ],
    [
      "a table without a column",
      ["ALTER TABLE pymess_outputsmsmessage DROP COLUMN state"],
      /has no column state/,
    ],
    [
      "ids that are texts",
      [
        renamed,
        "CREATE TABLE pymess_outputsmsmessage (id text, created_at, recipient, state)",
        "INSERT INTO pymess_outputsmsmessage VALUES ('x', 1, 2, 3)",
      ],
      /an id that is no whole number/,
    ],
  ];
  for (const [title, statements, sentence] of cases) {
    await t.test(title, async () => {
      using source = makeSource("0027");
      for (const sql of statements) source.exec(sql);
      const server = fakeServer();
      await assert.rejects(source.import(server), { message: sentence });
      assert.deepEqual(server.batches, []);
    });
  }
  await t.test("files without their folder", async () => {
    using source = makeSource("0027");
    const server = fakeServer();
    await assert.rejects(
      source.import(server, { media: undefined }, ["emails"]),
      { message: /give Django's MEDIA_ROOT by --media/ },
    );
    assert.deepEqual(server.batches, []);
  });
  await t.test("no database", async () => {
    using source = makeSource("0027");
    const file = join(source.folder, "text.db");
    writeFileSync(file, "This is no database. ".repeat(100));
    await assert.rejects(openSource(file), {
      message: /text\.db cannot be read: file is not a database/,
    });
    await assert.rejects(openSource(`${file}.none`), {
      message: /There is no file/,
    });
    await assert.rejects(openSource("mysql://a:secret@b/c"), (error: Error) => {
      assert.match(error.message, /mysql:\/\/ are not read/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(
      openSource("postgres://u:secret@127.0.0.1:1/d"),
      (error: Error) => {
        assert.match(error.message, /d on 127\.0\.0\.1:1 cannot be read/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
});

test("another database of the same name is not taken for the first", async () => {
  const server = fakeServer();
  using first = makeSource("0027");
  await first.import(server);
  using second = makeSource("0027");
  second.exec(
    "UPDATE pymess_outputsmsmessage SET created_at = '2021-01-01 00:00:00'",
  );
  await assert.rejects(second.import(server), {
    message: /not the database that was imported before/,
  });
});

test("a batch that was kept meanwhile by another is not kept again", async () => {
  const server = fakeServer();
  using source = makeSource("0027");
  await assert.rejects(
    source.import({
      ...server,
      get: async () => {
        throw notFound();
      },
      add: async () => {
        throw conflict();
      },
    }),
    { message: /run the command again to go on/ },
  );
});

test("many rows go in batches, and none is lost or sent twice", async () => {
  using source = makeSource("0001");
  source.exec("BEGIN");
  for (let id = 100; id < 2600; id++) {
    source.exec(
      insert(
        "pymess_outputsmsmessage",
        {
          id,
          created_at: "2019-03-04 05:06:07",
          changed_at: "2019-03-04 05:06:07",
          recipient: "1",
          content: "x".repeat(id % 7 === 0 ? 50_000 : 10),
          state: id % 100 === 0 ? 77 : 4,
        },
        "sqlite",
      ),
    );
  }
  source.exec("COMMIT");
  const server = fakeServer();
  const { records, skipped } = await source.import(server);
  assert.equal(skipped.length, 25);
  assert.equal(records.sms.length, 7 + 2475);
  assert.equal(new Set(records.sms.map(({ id }) => id)).size, 7 + 2475);
  const sizes = server.batches.map((batch) => JSON.stringify(batch).length);
  assert.ok(Math.max(...sizes) < 2.5 * 1024 * 1024);
  const counts = server.batches.map(({ records: { length } }) => length);
  assert.ok(Math.max(...counts) <= 500);
});

/** Without what is undefined, as it is sent. */
function plain(record: ImportRecord | undefined): unknown {
  return JSON.parse(JSON.stringify(record));
}

function notFound(): ResponseError {
  return new ResourceNotFoundError("Nothing was imported.", { status: 404 });
}

function conflict(): ResponseError {
  return new ResponseError("It stands elsewhere.", { status: 409 });
}

/** Keeps positions as a server does. */
function fakeServer(): Imports & { readonly batches: ImportBatch[] } {
  const positions = new Map<string, { position: string; imported: number }>();
  const batches: ImportBatch[] = [];
  return {
    batches,
    async get(name) {
      const found = positions.get(name);
      if (!found) throw notFound();
      return { name, ...found, skipped: 0 };
    },
    async add(name, batch) {
      const { position, imported = 0 } = positions.get(name) ?? {};
      if (position !== batch.after) throw conflict();
      const { length } = batch.records;
      positions.set(name, {
        position: batch.position,
        imported: imported + length,
      });
      batches.push(batch);
      return { imported: length, skipped: [] };
    },
  };
}

function makeSource(age: Age) {
  const folder = mkdtempSync(join(tmpdir(), "pymess-"));
  const file = join(folder, "db.sqlite3");
  const { statements, files } = pymessFixture(age, "sqlite");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF");
  for (const sql of statements) db.exec(sql);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, "media", path)), { recursive: true });
    writeFileSync(join(folder, "media", path), text);
  }
  mkdirSync(join(folder, "media"), { recursive: true });
  return {
    folder,
    exec: (sql: string) => db.exec(sql),
    async import(
      imports: ReturnType<typeof fakeServer>,
      terms: Partial<ImportTerms> = {},
      kinds: readonly string[] = ["sms", "emails"],
    ) {
      await using source = await openSource(file);
      const skipped: SkippedRow[] = [];
      const before = imports.batches.length;
      const summaries = [];
      for (const kind of messageKinds) {
        if (!kinds.includes(kind.name)) continue;
        const summary = await importMessages(kind, {
          db: source,
          imports,
          source: await nameSource(source),
          media: openMediaFolder(join(folder, "media")),
          pending: "cancel",
          isDryRun: false,
          signal: new AbortController().signal,
          onSkipped: (row) => skipped.push(row),
          onProgress: () => {},
          ...terms,
        });
        if (summary) summaries.push(summary);
      }
      const batches = imports.batches.slice(before);
      const of = (channel: string) =>
        batches
          .filter((batch) => batch.channel === channel)
          .flatMap(({ records }) => records);
      return {
        summaries,
        skipped,
        records: { sms: of("sms"), emails: of("email") },
      };
    },
    [Symbol.dispose]() {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}
