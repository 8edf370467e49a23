import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import fc from "fast-check";
import { isCountry } from "../policy/country.ts";
import { countOfCalls } from "../testing/counting-counters.ts";
import {
  Guard,
  type GuardedText,
  type GuardOptions,
  type HeldText,
  type SpendAlert,
} from "./guard.ts";
import {
  type GuardCounters,
  MemoryGuardCounters,
  toGuardKey,
} from "./guard-counters.ts";
import type { GuardRules } from "./guard-rules.ts";
import { highRiskCountries } from "./high-risk-countries.ts";

const hourMs = 3_600_000;

/** No limits but those that a test is about. */
const open: Partial<GuardRules> = {
  numberPerHour: 0,
  numberPerHalfDay: 0,
  otpPerTenMinutes: 0,
  otpPerHour: 0,
  prefixPerHour: 0,
  sequenceLength: 0,
};

function createGuard(rules: Partial<GuardRules>, options: GuardOptions = {}) {
  const clock = new ManualClock();
  const counters = new MemoryGuardCounters(clock);
  const guard = new Guard({ counters, clock, ...options, rules });
  return { guard, clock, counters };
}

function text(options: Partial<GuardedText> = {}): GuardedText {
  return { digits: "4915112345678", messageClass: null, ...options };
}

async function reasonsOf(guard: Guard, texts: readonly GuardedText[]) {
  const holds = await Promise.all(texts.map((it) => guard.check(it)));
  return holds.map((hold) => hold?.reason);
}

test("lets texts through to countries without a high risk, as long as no list is given", async () => {
  const { guard } = createGuard({ ...open });
  assert.deepEqual(
    await reasonsOf(guard, [
      text({ digits: "4915112345678" }),
      text({ digits: "12125550100" }),
      text({ digits: "994501234567" }),
    ]),
    [undefined, undefined, "high_risk_country"],
  );
});

test("looks at a text without counting it", async () => {
  const { guard, counters } = createGuard({
    ...open,
    numberPerHour: 2,
    spendPerDay: 1,
    sequenceLength: 2,
  });
  const look = async (options: Partial<GuardedText>) =>
    (await guard.look(text(options)))?.reason;
  const satellite = { digits: "881612345678" };
  assert.equal(await look({ digits: "19005550100" }), "premium_number");
  assert.equal(await look(satellite), "satellite_number");
  assert.equal(await look({ digits: "994501234567" }), "high_risk_country");
  for (let n = 0; n < 5; n++) assert.equal(await look({}), undefined);
  assert.equal(await look({ cost: 1.1 }), "spend_limit");
  assert.equal(await guard.check(text({ cost: 0.5 })), undefined);
  assert.equal(await look({ cost: 0.6, currency: "EUR" }), "spend_limit");
  assert.match(
    (await guard.look(text({ cost: 0.6, currency: "EUR" })))?.error ?? "",
    /spendPerDay allows texts for 1 EUR in a day/,
  );
  assert.equal(await guard.check(text()), undefined);
  assert.equal(await look({}), "number_limit");
  assert.equal(await look({ digits: "4915112345679" }), undefined);
  const { held, topNumbers } = await guard.summary();
  assert.deepEqual([held, topNumbers], [{}, []]);
  assert.deepEqual(
    await counters.read([toGuardKey("numberPerHour", "4915112345678")]),
    [2],
  );
});

test("lists no country with a high risk that numbers cannot have", () => {
  for (const code of Object.keys(highRiskCountries)) {
    assert.ok(isCountry(code), code);
  }
});

test("lets all through that a limit allows, also when more come at once", async () => {
  const { guard } = createGuard({ ...open, numberPerHour: 7 });
  const reasons = await reasonsOf(
    guard,
    Array.from({ length: 20 }, () => text()),
  );
  assert.equal(reasons.filter((it) => it === undefined).length, 7);
});

test("lets texts through to exactly the countries that are listed", async () => {
  const texts = ["4915112345678", "994501234567", "999123456"].map((digits) =>
    text({ digits }),
  );
  const listed = createGuard({ ...open, countries: ["AZ"] });
  assert.deepEqual(await reasonsOf(listed.guard, texts), [
    "country",
    undefined,
    "country",
  ]);
  const all = createGuard({ ...open, countries: ["*"] });
  assert.deepEqual(await reasonsOf(all.guard, texts), [
    undefined,
    undefined,
    undefined,
  ]);
  const denied = createGuard({
    ...open,
    countries: ["*"],
    deniedCountries: ["DE"],
  });
  assert.equal((await denied.guard.check(text()))?.reason, "country");
});

test("refuses premium and satellite numbers, also of a listed country, until they are allowed", async () => {
  const texts = ["19005550100", "870772001234", "979123456789", "449098790000"];
  const guarded = texts.map((digits) => text({ digits }));
  const numberType = (number: string) =>
    number.startsWith("+44909") ? "premium-rate" : "mobile";
  const rules = { ...open, countries: ["*"] };
  const strict = createGuard(rules, { numberType });
  assert.deepEqual(await reasonsOf(strict.guard, guarded), [
    "premium_number",
    "satellite_number",
    "premium_number",
    "premium_number",
  ]);
  const lax = createGuard(
    { ...rules, allowPremium: true, allowSatellite: true },
    { numberType },
  );
  assert.deepEqual(
    await reasonsOf(lax.guard, guarded),
    texts.map(() => undefined),
  );
});

test("refuses shared-cost numbers as premium ones, and numbers that are too short", async () => {
  const kinds: Readonly<Record<string, string>> = {
    "+491371234567": "shared-cost",
    "+42077712": "too-short",
    "+87012345": "too-short",
  };
  const numberType = (number: string) => kinds[number];
  const texts = ["491371234567", "42077712", "87012345", "4915112345678"].map(
    (digits) => text({ digits }),
  );
  const rules = { ...open, allowSatellite: true };
  const strict = createGuard(rules, { numberType, place: "sms.guard." });
  assert.deepEqual(await reasonsOf(strict.guard, texts), [
    "premium_number",
    "invalid_number",
    undefined,
    undefined,
  ]);
  assert.equal(
    (await strict.guard.check(text({ digits: "42077712" })))?.error,
    "The guard held it: the number is too short, all of CZ have more digits. Correct the number; if it is right, set sms.guard.allowInvalid.",
  );
  const premium = createGuard({ ...rules, allowPremium: true }, { numberType });
  assert.deepEqual(await reasonsOf(premium.guard, texts.slice(0, 2)), [
    undefined,
    "invalid_number",
  ]);
  const short = createGuard({ ...rules, allowInvalid: true }, { numberType });
  assert.deepEqual(await reasonsOf(short.guard, texts.slice(0, 2)), [
    "premium_number",
    undefined,
  ]);
});

test("names the length of a sequence as it is set", async () => {
  const { guard } = createGuard(
    { ...open, sequenceLength: 3 },
    { place: "sms.guard." },
  );
  const holds = await Promise.all(
    [1, 2, 3].map((n) => guard.check(text({ digits: `491511234510${n}` }))),
  );
  assert.match(
    holds[2]?.error ?? "",
    /3 recipients in a row .*sms\.guard\.sequenceLength is 3\./,
  );
});

test("limits spend in parts of the currency's unit", async () => {
  const { guard } = createGuard({ ...open, spendPerDay: 0.57 });
  const texts = Array(4).fill(text({ cost: 0.19 }));
  assert.deepEqual(await reasonsOf(guard, texts), [
    undefined,
    undefined,
    undefined,
    "spend_limit",
  ]);
  assert.deepEqual(await guard.spend(), [
    { period: "day", date: "2026-01-01", amount: 0.57, limit: 0.57 },
  ]);
});

test("holds what exceeds a limit, says which, and lets texts through in the next window", async () => {
  const held: HeldText[] = [];
  const { guard, clock } = createGuard(
    { ...open, numberPerHour: 2 },
    { place: "sms.guard.", onHeld: (it) => held.push(it) },
  );
  assert.deepEqual(await reasonsOf(guard, [text(), text(), text()]), [
    undefined,
    undefined,
    "number_limit",
  ]);
  assert.equal(
    held[0]?.error,
    "The guard held it: sms.guard.numberPerHour allows 2 texts to one number in 60 minutes, and these went out. Raise it, or send the text again when the 60 minutes are over.",
  );
  const other = text({ digits: "4915112345679" });
  assert.equal(await guard.check(other), undefined);
  clock.advance(hourMs);
  assert.equal(await guard.check(text()), undefined);
});

test("keeps limits of number, prefix, country, project and class apart", async () => {
  const cases: [Partial<GuardRules>, Partial<GuardedText>, string][] = [
    [{ numberPerHalfDay: 1 }, {}, "number_limit"],
    [{ prefixPerHour: 1 }, { digits: "4915112345999" }, "prefix_limit"],
    [{ countryPerHour: 1 }, { digits: "491701234567" }, "country_limit"],
    [{ projectPerHour: 1 }, { digits: "33612345678" }, "project_limit"],
    [{ classPerHour: 1 }, { digits: "33612345678" }, "class_limit"],
    [{ otpPerTenMinutes: 1 }, {}, "otp_limit"],
    [{ otpPerHour: 1 }, {}, "otp_limit"],
  ];
  for (const [rules, other, reason] of cases) {
    const { guard } = createGuard({ ...open, ...rules });
    const first = text({ project: "p", messageClass: "otp" });
    assert.deepEqual(
      await reasonsOf(guard, [first, { ...first, ...other }]),
      [undefined, reason],
      JSON.stringify(rules),
    );
    const foreign = text({
      digits: "33600000000",
      project: "q",
      messageClass: "bulk",
    });
    assert.equal(await guard.check(foreign), undefined, JSON.stringify(rules));
  }
});

test("has limits of its own for class otp by default", async () => {
  const { guard } = createGuard({});
  const otp = Array.from({ length: 6 }, () => text({ messageClass: "otp" }));
  assert.deepEqual((await reasonsOf(guard, otp)).slice(4), [
    undefined,
    "otp_limit",
  ]);
  assert.equal(await guard.check(text()), undefined);
});

test("counts a text once, however often it is asked for before it is sent", async () => {
  const { guard } = createGuard({ ...open, numberPerHour: 1 });
  const first = text({ attempt: "a/0" });
  assert.deepEqual(await reasonsOf(guard, [first]), [undefined]);
  assert.deepEqual(await reasonsOf(guard, [first]), [undefined]);
  const retried = text({ attempt: "a/1", isCounted: true });
  assert.deepEqual(await reasonsOf(guard, [retried]), [undefined]);
  assert.deepEqual(await reasonsOf(guard, [text({ attempt: "b/0" })]), [
    "number_limit",
  ]);
});

test("looks at the country of a text that was counted, too", async () => {
  const { guard } = createGuard(open);
  guard.rules = { ...open, countries: ["FR"] };
  const retried = text({ isCounted: true });
  assert.equal((await guard.check(retried))?.reason, "country");
});

test("holds recipients that count up, from the one on that makes it a sequence", async () => {
  const { guard } = createGuard({ ...open, sequenceLength: 5 });
  const texts = Array.from({ length: 8 }, (_, n) =>
    text({ digits: String(4915112345100 + n), project: "p" }),
  );
  const reasons = await reasonsOf(guard, texts);
  assert.deepEqual(reasons.slice(0, 4), Array(4).fill(undefined));
  assert.deepEqual(reasons.slice(4), Array(4).fill("sequence"));
});

test("holds what would cost more than a limit, by project and altogether, and tells of it in time", async () => {
  const alerts: SpendAlert[] = [];
  const { guard, clock } = createGuard(
    { ...open, spendPerDay: 1, projectSpendPerMonth: 1 },
    { onSpendAlert: (it) => alerts.push(it) },
  );
  const send = (project: string, count: number) =>
    reasonsOf(
      guard,
      Array.from({ length: count }, () => text({ project, cost: 0.075 })),
    );
  assert.deepEqual(new Set(await send("p", 7)), new Set([undefined]));
  assert.deepEqual(
    alerts.map(({ percent, project }) => [percent, project]),
    [
      [50, undefined],
      [50, "p"],
    ],
  );
  assert.deepEqual((await send("q", 7)).slice(5), [undefined, "spend_limit"]);
  assert.equal(alerts.at(-1)?.percent, 100);
  assert.equal(alerts.at(-1)?.project, undefined);
  await send("q", 1);
  assert.equal(alerts.filter(({ percent }) => percent === 100).length, 1);
  assert.deepEqual(await guard.spend("p"), [
    { period: "day", date: "2026-01-01", amount: 0.975, limit: 1 },
    {
      period: "month",
      date: "2026-01",
      project: "p",
      amount: 0.525,
      limit: 1,
    },
  ]);
  // The day is over, the month is not.
  clock.advance(24 * hourMs);
  assert.deepEqual((await send("p", 7)).slice(5), [undefined, "spend_limit"]);
  assert.deepEqual(await reasonsOf(guard, [text()]), [undefined]);
});

test("shows what was held in a day, and whose texts", async () => {
  const { guard, clock } = createGuard({ ...open, numberPerHour: 1 });
  await reasonsOf(guard, [text(), text(), text()]);
  await reasonsOf(guard, [text({ digits: "994501234567" })]);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const { held, topNumbers, topPrefixes } = await guard.summary();
  assert.deepEqual(held, { number_limit: 2, high_risk_country: 1 });
  assert.deepEqual(topNumbers[0], { digits: "4915112345678", count: 2 });
  assert.deepEqual(topPrefixes[0], { digits: "4915112345", count: 2 });
  clock.advance(25 * hourMs);
  const later = await guard.summary();
  assert.deepEqual([later.held, later.topNumbers], [{}, []]);
});

test("lets nothing through while the counts cannot be changed, and goes on after", async () => {
  const { guard, counters } = createGuard({ ...open, numberPerHour: 5 });
  const add = counters.add.bind(counters);
  counters.add = () => Promise.reject(new Error("disk full"));
  await assert.rejects(guard.check(text()), /disk full/);
  counters.add = add;
  assert.equal(await guard.check(text()), undefined);
});

test("asks its counters a few times for a thousand texts that come together", async () => {
  const { counters, calls } = countOfCalls(new MemoryGuardCounters());
  const guard = new Guard({ counters, rules: { projectPerHour: 10_000 } });
  const texts = Array.from({ length: 1000 }, (_, n) =>
    text({ digits: String(4915100000000 + 7919 * n), project: "p" }),
  );
  const reasons = await reasonsOf(guard, texts);
  assert.deepEqual(new Set(reasons), new Set([undefined]));
  assert.ok(calls.add <= 5, `${calls.add} changes`);
  // No limit is near, so that nobody has to know how near.
  assert.equal(calls.read, 0);
});

test("never lets more through than a limit, whatever comes together, on two nodes", async () => {
  const arrival = fc.record({
    number: fc.integer({ min: 0, max: 3 }),
    node: fc.integer({ min: 0, max: 1 }),
    isOtp: fc.boolean(),
    waitMs: fc.constantFrom(0, 0, 0, 60_000, 400_000, 3_000_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { maxLength: 60 }), async (arrivals) => {
      const clock = new ManualClock();
      const shared = slowly(new MemoryGuardCounters(clock));
      const rules = {
        ...open,
        numberPerHour: 4,
        otpPerTenMinutes: 2,
        countryPerHour: 9,
      };
      const nodes = [0, 1].map(
        () => new Guard({ counters: shared, clock, rules }),
      );
      const passed: { at: number; number: number; isOtp: boolean }[] = [];
      let pending: Promise<unknown>[] = [];
      for (const { number, node, isOtp, waitMs } of arrivals) {
        if (waitMs > 0) {
          await Promise.all(pending);
          pending = [];
          clock.advance(waitMs);
        }
        const at = clock.monotonic();
        const checked = nodes[node]?.check(
          text({
            digits: `491511234567${number}`,
            messageClass: isOtp ? "otp" : null,
          }),
        );
        pending.push(
          Promise.resolve(checked).then((hold) => {
            if (hold === undefined) passed.push({ at, number, isOtp });
          }),
        );
      }
      await Promise.all(pending);
      passed.sort((a, b) => a.at - b.at);
      assertWithin(passed, 9, hourMs);
      for (let number = 0; number < 4; number++) {
        const own = passed.filter((it) => it.number === number);
        assertWithin(own, 4, hourMs);
        assertWithin(
          own.filter((it) => it.isOtp),
          2,
          600_000,
        );
      }
    }),
    { numRuns: 60 },
  );
});

/** A window begins with the first text, and the next with the first after it. */
function assertWithin(
  passed: readonly { readonly at: number }[],
  limit: number,
  windowMs: number,
): void {
  let begunAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const { at } of passed) {
    if (at >= begunAt + windowMs) {
      begunAt = at;
      count = 0;
    }
    count++;
    assert.ok(count <= limit, `${count} within a window, ${limit} allowed`);
  }
}

/** Answers later than it is asked, so that two nodes decide by the same counts. */
function slowly(counters: GuardCounters): GuardCounters {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    async read(keys) {
      const counts = await counters.read(keys);
      await turn();
      return counts;
    },
    async add(additions) {
      await turn();
      return await counters.add(additions);
    },
  };
}
