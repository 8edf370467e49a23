import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import { ManualClock, MemoryStore } from "@carillon/testing";
import { createKeyedHash } from "../keyed-hash.ts";
import { LoginFailures } from "./login-failures.ts";
import { createLoginGate } from "./login-gate.ts";
import { createHashLimit } from "./passwords.ts";

interface Subject {
  readonly name: string;
  readonly domain?: string;
  readonly foundIn?: string;
}

function setUp() {
  const clock = new ManualClock();
  const hashes = createHashLimit();
  const gate = createLoginGate(
    hashes,
    new LoginFailures({
      store: new MemoryStore({ clock }),
      clock,
      logger: silentLogger,
      hash: createKeyedHash(new Uint8Array(32), "refused-login"),
    }),
  );
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  /** A check that goes on until `end` is called. */
  const begin = (name: string, address: string, isRight = false) => {
    const done = gate.run({ name, domain: "d", address }, async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return isRight;
    });
    done.catch(() => {});
    return done;
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const endAll = async () => {
    for (let i = 0; i < 100; i++) {
      for (const end of ends.splice(0)) end();
      await turn();
    }
  };
  /** As many as are computed at once. */
  const endSome = async () => {
    for (const end of ends.splice(0)) end();
    await turn();
  };
  const attempt = (isRight: boolean, user: string | Subject, address: string) =>
    gate.run(
      {
        ...(typeof user === "string"
          ? { name: user, domain: "d", foundIn: "d" }
          : user),
        address,
      },
      async () => isRight,
    );
  return {
    clock,
    gate,
    hashes,
    begin,
    endAll,
    endSome,
    fail: (user: string | Subject, address: string) =>
      attempt(false, user, address),
    succeed: (user: string | Subject, address: string) =>
      attempt(true, user, address),
    most: () => most,
  };
}

const throttled = (retryAfterSeconds: number) => ({
  code: "LOGIN_THROTTLED",
  retryAfterSeconds,
});

function last<Item>(items: readonly Item[]): Item {
  const item = items.at(-1);
  if (item === undefined) throw new Error("There is none.");
  return item;
}

test("two passwords are checked at once, and 32 wait", async () => {
  const { begin, endAll, most } = setUp();
  const all = Array.from({ length: 34 }, (_, i) => begin(`u${i}`, `a${i}`));
  await assert.rejects(begin("one", "more"), throttled(1));
  await endAll();
  await Promise.all(all);
  assert.equal(most(), 2);
  const later = begin("one", "more", true);
  await endAll();
  assert.equal(await later, true);
});

test("passwords that are set share the two places", async () => {
  const { begin, endAll, hashes, most } = setUp();
  await hashes.acquire();
  const all = [begin("u", "a"), begin("v", "b")];
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(most(), 1);
  hashes.release();
  await endAll();
  await Promise.all(all);
});

test("one address and one user have half of the places", async () => {
  for (const [user, address] of [
    [(i: number) => `u${i}`, () => "same"],
    [() => "same", (i: number) => `a${i}`],
  ] as const) {
    const { begin, endAll } = setUp();
    const all = Array.from({ length: 16 }, (_, i) =>
      begin(user(i), address(i)),
    );
    await assert.rejects(begin(user(16), address(16)), throttled(1));
    const other = begin("other", "elsewhere", true);
    await endAll();
    await Promise.all(all);
    assert.equal(await other, true);
  }
});

test("who fills the queue from few addresses keeps nobody out", async () => {
  const { begin, endAll, endSome } = setUp();
  const strangers = ["2001:db8:1::", "2001:db8:2::", "2001:db8:3::"];
  const floods = new Map<string, Promise<boolean>[]>();
  let user = 0;
  const flood = () => {
    for (const network of strangers) {
      const sent = Array.from({ length: 24 }, (_, host) =>
        begin(`u${user++}`, `${network}${host}`),
      );
      floods.set(network, [...(floods.get(network) ?? []), ...sent]);
    }
  };
  flood();
  const right: Promise<boolean>[] = [];
  for (let i = 0; i < 10; i++) {
    right.push(begin(`ann${i}`, `192.0.2.${i}`, true));
    await endSome();
    // At once somebody is there for each place that becomes free.
    flood();
  }
  await endAll();
  assert.deepEqual(
    await Promise.all(right),
    right.map(() => true),
  );
  // Who was there first was computed, whoever it was.
  for (const [network, [first]] of floods) {
    assert.equal(await first, false, network);
  }
});

test("who has many addresses of one block keeps nobody out", async () => {
  for (const address of [
    (i: number) => `198.51.100.${i}`,
    (i: number) => `2001:db8:7:${i.toString(16)}::1`,
  ]) {
    const { begin, endAll } = setUp();
    for (let i = 0; i < 100; i++) begin(`u${i}`, address(i));
    const right = Array.from({ length: 18 }, (_, i) =>
      begin(`ann${i}`, `192.0.${i}.1`, true),
    );
    await endAll();
    assert.deepEqual(
      await Promise.all(right),
      right.map(() => true),
    );
  }
});

test("the newest of the fullest address makes room, with a 429", async () => {
  const { begin, endAll } = setUp();
  const full = Array.from({ length: 16 }, (_, i) => begin(`u${i}`, "full"));
  const half = Array.from({ length: 15 }, (_, i) => begin(`v${i}`, "half"));
  const few = Array.from({ length: 3 }, (_, i) => begin(`w${i}`, "few"));
  const newcomer = begin("ann", "home", true);
  await assert.rejects(last(full), throttled(1));
  // From then on both hold 15: the newest of both is the other's.
  const second = begin("bob", "office", true);
  await assert.rejects(last(half), throttled(1));
  // Who holds as many as the fullest gains nothing.
  await assert.rejects(begin("x", "full"), throttled(1));
  await endAll();
  assert.deepEqual(await Promise.all([newcomer, second]), [true, true]);
  const rest = [...full.slice(0, -1), ...half.slice(0, -1), ...few];
  assert.ok((await Promise.all(rest)).every((isRight) => !isRight));
});

test("what is being computed is not taken back", async () => {
  const { begin, endAll, most } = setUp();
  const first = [begin("u1", "a"), begin("u2", "a")];
  const others = Array.from({ length: 32 }, (_, i) => begin(`v${i}`, `b${i}`));
  // Those of the fullest address are computed, and all else hold one each.
  await assert.rejects(begin("ann", "home"), throttled(1));
  await endAll();
  await Promise.all([...first, ...others]);
  assert.equal(most(), 2);
});

test("a user is not kept out by one address that tries its name", async () => {
  const { begin, endAll } = setUp();
  // Sixteen, which is all that one user has.
  const guesses = [
    ...Array.from({ length: 8 }, () => begin("ann", "stranger")),
    ...Array.from({ length: 8 }, () => begin("ann", "other stranger")),
  ];
  const home = begin("ann", "home", true);
  await assert.rejects(last(guesses), throttled(1));
  await endAll();
  assert.equal(await home, true);
});

test("users behind one address are not kept out by one of them", async () => {
  const { begin, endAll } = setUp();
  const guesses = Array.from({ length: 16 }, () => begin("bob", "office"));
  const ann = begin("ann", "office", true);
  await assert.rejects(last(guesses), throttled(1));
  await endAll();
  assert.equal(await ann, true);
});

test("nobody goes for a newcomer that finds no place all the same", async () => {
  const { begin, endAll } = setUp();
  // Of the address there are sixteen users, of the user sixteen addresses.
  const office = Array.from({ length: 15 }, (_, i) => begin(`u${i}`, "office"));
  office.push(begin("u0", "office"));
  const ann = Array.from({ length: 16 }, (_, i) => begin("ann", `a${i}`));
  await assert.rejects(begin("ann", "office"), throttled(1));
  await endAll();
  await Promise.all([...office, ...ann]);
});

test("after five failures each further one doubles the wait", async () => {
  const { clock, fail } = setUp();
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
    await assert.rejects(fail("u", "a"), throttled(seconds));
    clock.advance(seconds * 1000 - 1);
    await assert.rejects(fail("u", "a"), throttled(1));
    clock.advance(1);
    assert.equal(await fail("u", "a"), false);
  }
});

test("of many guesses at once as many are checked as of one after the other", async () => {
  const { begin, endAll, endSome } = setUp();
  const guesses = Array.from({ length: 16 }, () => begin("ann", "stranger"));
  const ends: string[] = [];
  for (const guess of guesses) {
    guess.then(
      () => ends.push("checked"),
      () => ends.push("waits"),
    );
  }
  for (let n = 0; n < 20; n++) await endSome();
  await endAll();
  // Two are computed together: the sixth may have begun before the fifth ended.
  const checked = ends.filter((end) => end === "checked").length;
  assert.ok(checked === 5 || checked === 6, `${checked} were checked`);
  assert.equal(ends.length, 16);
});

test("failures are of one user from one address", async () => {
  const { fail, succeed } = setUp();
  for (let i = 0; i < 5; i++) await fail("u", "stranger");
  await assert.rejects(fail("u", "stranger"), throttled(1));
  assert.equal(await succeed("u", "home"), true);
  assert.equal(await succeed("v", "stranger"), true);
  // Neither ends the stranger's wait.
  await assert.rejects(succeed("u", "stranger"), throttled(1));
});

const inDomain = { name: "u", domain: "d" };
const withoutDomain = { name: "u" };

test("failures with and without a domain count together", async () => {
  for (const [first, second] of [
    [inDomain, withoutDomain],
    [withoutDomain, inDomain],
  ] as const) {
    const { clock, fail } = setUp();
    for (let i = 0; i < 3; i++) await fail(first, "a");
    for (let i = 0; i < 2; i++) await fail(second, "a");
    for (const user of [first, second]) {
      await assert.rejects(fail(user, "a"), throttled(1));
    }
    clock.advance(1000);
    await fail(first, "a");
    await assert.rejects(fail(second, "a"), throttled(2));
  }
});

test("a user of the same name in another domain is another one", async () => {
  const { fail, succeed } = setUp();
  const own = { name: "u", domain: "mine", foundIn: "mine" };
  for (let i = 0; i < 4; i++) await fail(inDomain, "a");
  // Neither its failures nor its successes touch the first one's.
  await fail(own, "a");
  assert.equal(await succeed(own, "a"), true);
  await fail(inDomain, "a");
  await assert.rejects(fail(inDomain, "a"), throttled(1));
});

test("a right password begins anew, however the user is named", async () => {
  for (const named of [inDomain, withoutDomain]) {
    const { fail, succeed } = setUp();
    for (let i = 0; i < 2; i++) await fail(inDomain, "a");
    for (let i = 0; i < 2; i++) await fail(withoutDomain, "a");
    assert.equal(await succeed({ ...named, foundIn: "d" }, "a"), true);
    for (let i = 0; i < 5; i++) {
      assert.equal(await fail(inDomain, "a"), false);
    }
  }
});

test("addresses of one IPv6 network count as one", async () => {
  const { fail, begin, endAll } = setUp();
  for (let i = 0; i < 5; i++) await fail("u", `2001:db8::${i}`);
  await assert.rejects(fail("u", "2001:db8::9"), throttled(1));
  assert.equal(await fail("u", "2001:db8:0:1::9"), false);
  const all = Array.from({ length: 16 }, (_, i) =>
    begin(`u${i}`, `2001:db8::${i}`),
  );
  await assert.rejects(begin("v", "2001:db8::f:1"), throttled(1));
  await endAll();
  await Promise.all(all);
});

test("failures are forgotten after a success, and after 15 minutes", async () => {
  const { clock, fail, succeed } = setUp();
  for (let i = 0; i < 4; i++) await fail("u", "a");
  await succeed("u", "a");
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
  await assert.rejects(fail("u", "a"), throttled(1));
  clock.advance(15 * 60_000);
  for (let i = 0; i < 5; i++) assert.equal(await fail("u", "a"), false);
});

test("a check that fails is no failure of the user's", async () => {
  const { gate } = setUp();
  for (let i = 0; i < 10; i++) {
    const check = gate.run({ name: "u", address: "a" }, async () => {
      throw new Error("no store");
    });
    await assert.rejects(check, /no store/);
  }
});
