import assert from "node:assert/strict";
import { test } from "node:test";
import type { Setting, SettingStore } from "./ports/identity-store.ts";
import { SharedSetting } from "./shared-setting.ts";

/** A store in which another process writes before each of our writes. */
class BusyStore implements SettingStore {
  setting: Setting | undefined;
  /** How often another is quicker. */
  others: number;
  calls = 0;

  constructor(others: number) {
    this.others = others;
  }

  async findSetting(): Promise<Setting | undefined> {
    return this.setting;
  }

  async putSetting(
    _name: string,
    value: string,
    replaces: number,
  ): Promise<boolean> {
    this.calls++;
    const version = this.setting?.version ?? 0;
    if (this.others > 0) {
      this.others--;
      const before = this.setting?.value ?? "";
      this.setting = { value: `${before}o`, version: version + 1 };
      return false;
    }
    if (version !== replaces) return false;
    this.setting = { value, version: version + 1 };
    return true;
  }
}

test("makes a change anew from what another process wrote", async () => {
  const store = new BusyStore(3);
  const setting = new SharedSetting(store, "keys");
  const kept = await setting.change((value = "") => `${value}+`);
  assert.equal(kept, "ooo+");
  assert.deepEqual(store.setting, { value: "ooo+", version: 4 });
});

test("leaves a setting as it is when the change says so, or throws", async () => {
  const store = new BusyStore(0);
  const setting = new SharedSetting(store, "keys");
  await setting.change(() => "one");
  assert.equal(await setting.change(() => undefined), "one");
  const thrown = new Error("not this one");
  const failed = setting.change(() => {
    throw thrown;
  });
  await assert.rejects(failed, thrown);
  assert.deepEqual(store.setting, { value: "one", version: 1 });
  // What failed holds up nothing.
  assert.equal(await setting.change(() => "two"), "two");
});

test("gives up when others write all the time", async () => {
  const store = new BusyStore(Number.POSITIVE_INFINITY);
  const setting = new SharedSetting(store, "keys");
  const failed = setting.change(() => "mine");
  await assert.rejects(failed, { code: "STORAGE_UNAVAILABLE" });
  assert.equal(store.calls, 100);
});
