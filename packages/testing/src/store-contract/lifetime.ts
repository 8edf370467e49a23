import assert from "node:assert/strict";
import type { Cases } from "./cases.ts";
import { addTopic, directMessage, phones, projectId } from "./fixtures.ts";

export function testLifetime({ test }: Cases): void {
  test("shows a write to every read that starts after it", async (store) => {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const message = directMessage();
        await store.acceptDirectMessage(message, phones(1), false);
        const found = await store.findMessage(projectId, message.id);
        assert.equal(found?.message.id, message.id);
      }),
    );
  });

  test("finishes what was begun before it is closed, and closes twice", async (store) => {
    const begun = Array.from({ length: 20 }, () => addTopic(store));
    await Promise.all([store.close(), store.close()]);
    const topics = await Promise.all(begun);
    assert.equal(new Set(topics.map(({ seq }) => seq)).size, 20);
    await store.close();
  });
}
