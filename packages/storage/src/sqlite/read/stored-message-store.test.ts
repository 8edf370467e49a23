import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import { freshId, projectId, start } from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("others have their turn while a page is read", async () => {
  let turns = 0;
  const clock: Clock = {
    ...systemClock,
    nextTurn: async () => {
      turns++;
    },
  };
  const folder = newFolder();
  await using store = await openSqliteStore({ folder, clock });
  const accept = (recipients: number) =>
    store.acceptStored(
      {
        id: freshId() as never,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "x" },
        createdAt: start,
        expiresAt: start,
      },
      Array.from({ length: recipients }, (_, n) => ({
        protocol: "sms",
        endpoint: `+${n}`,
        billable: true,
      })),
      {},
    );
  const turnsOf = async (limit: number) => {
    turns = 0;
    const page = { limit, excerptLength: 9 };
    const { records } = await store.listStored(projectId, "sms", {}, page);
    assert.equal(records.length, limit);
    return turns;
  };
  await accept(640);
  // By deliveries, of one message.
  assert.equal(await turnsOf(640), 10);
  for (let n = 0; n < 20; n++) await accept(1);
  // By messages.
  assert.equal(await turnsOf(20), 10);
});
