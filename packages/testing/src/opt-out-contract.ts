/**
 * What every store of the gateway's opt-outs must do, as tests:
 *
 * ```ts
 * testOptOutStoreContract("memory", async () => new MemoryOptOutStore());
 * ```
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

/** An entry, as `OptOutEntry` of `@carillon/gateway` has it. */
export interface OptOutEntryUnderTest {
  readonly recipient: string;
  readonly sender: string | null;
  readonly keyword: string;
  readonly at: Date;
}

/** A store, as `OptOutStore` of `@carillon/gateway` has it. */
export interface OptOutStoreUnderTest {
  find(
    recipient: string,
  ): Promise<readonly OptOutEntryUnderTest[]> | readonly OptOutEntryUnderTest[];
  put(entry: OptOutEntryUnderTest): Promise<void> | void;
  remove(recipient: string, sender: string | null): Promise<void> | void;
}

export interface OptOutContractOptions {
  /** Title of a case the adapter cannot meet → the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

const at = new Date(Date.UTC(2026, 0, 1));
const toAll = { recipient: "491511", sender: null, keyword: "STOP", at };
const toOne = { ...toAll, sender: "12345", keyword: "ENDE" };

/** Registers the suite with node:test. `open` answers an empty store each time. */
export function testOptOutStoreContract(
  name: string,
  open: () => Promise<OptOutStoreUnderTest>,
  { skip = {} }: OptOutContractOptions = {},
): void {
  function test(
    title: string,
    run: (store: OptOutStoreUnderTest) => Promise<void>,
  ): void {
    it(title, { skip: skip[title] ?? false }, async () => run(await open()));
  }

  async function entriesOf(store: OptOutStoreUnderTest, recipient: string) {
    const entries = [...(await store.find(recipient))];
    return entries.sort((a, b) =>
      String(a.sender).localeCompare(String(b.sender)),
    );
  }

  describe(`${name} keeps the opt-out store contract`, () => {
    test("has nothing of who said nothing", async (store) => {
      assert.deepEqual(await entriesOf(store, "491511"), []);
    });

    test("keeps entries as they are, for one sender and for all", async (store) => {
      await store.put(toAll);
      await store.put(toOne);
      await store.put({ ...toAll, recipient: "491512" });
      assert.deepEqual(await entriesOf(store, "491511"), [toOne, toAll]);
    });

    test("a second entry of recipient and sender replaces the first", async (store) => {
      await store.put(toAll);
      const later = {
        ...toAll,
        keyword: "QUIT",
        at: new Date(at.valueOf() + 1),
      };
      await store.put(later);
      assert.deepEqual(await entriesOf(store, "491511"), [later]);
    });

    test("removes the entry of that sender alone", async (store) => {
      await store.put(toAll);
      await store.put(toOne);
      await store.remove("491511", null);
      assert.deepEqual(await entriesOf(store, "491511"), [toOne]);
      await store.remove("491511", "12345");
      assert.deepEqual(await entriesOf(store, "491511"), []);
    });

    test("removing what is not there changes nothing", async (store) => {
      await store.put(toOne);
      await store.remove("491511", null);
      await store.remove("491511", "999");
      await store.remove("491599", "12345");
      assert.deepEqual(await entriesOf(store, "491511"), [toOne]);
    });
  });
}
