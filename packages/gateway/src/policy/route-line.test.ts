import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { seededRandom } from "@carillon/testing";
import { ConfigurationError } from "../errors.ts";
import { parseDeliveryPolicy } from "./policy-data.ts";
import {
  parseRouteLine,
  printRouteLine,
  providersOf,
  RouteLineError,
  type RouteTree,
} from "./route-line.ts";

const provider = (name: string): RouteTree => ({
  kind: "provider",
  provider: name,
});
const failover = (...of: RouteTree[]): RouteTree => ({ kind: "failover", of });
const share = (...of: (readonly [number, RouteTree])[]): RouteTree => ({
  kind: "share",
  of: of.map(([weight, route]) => ({ weight, route })),
});
const [a, b, c, d] = ["a", "b", "c", "d"].map(provider) as [
  RouteTree,
  RouteTree,
  RouteTree,
  RouteTree,
];

for (const [line, route, printed] of [
  ["a", a, "a"],
  ["  a ", a, "a"],
  ["a||b", failover(a, b), "a || b"],
  ["a || b || c", failover(a, b, c), "a || b || c"],
  ["a || (b || c)", failover(a, b, c), "a || b || c"],
  ["a*3 && b", share([3, a], [1, b]), "a*3 && b"],
  ["a * 0.5&&b*1", share([0.5, a], [1, b]), "a*0.5 && b"],
  ["(a*3 && b) || c", failover(share([3, a], [1, b]), c), "a*3 && b || c"],
  ["a*3 && b || c", failover(share([3, a], [1, b]), c), "a*3 && b || c"],
  ["a || b && c", failover(a, share([1, b], [1, c])), "a || b && c"],
  ["(a || b)*2 && c", share([2, failover(a, b)], [1, c]), "(a || b)*2 && c"],
  [
    "(a && b) && (c || d)",
    share([1, share([1, a], [1, b])], [1, failover(c, d)]),
    "(a && b) && (c || d)",
  ],
  ["((a))", a, "a"],
  [
    '"my carrier" || b',
    failover(provider("my carrier"), b),
    '"my carrier" || b',
  ],
  ['"a"', a, "a"],
  ['"a\\"b\\\\"', provider('a"b\\'), '"a\\"b\\\\"'],
  ["čd-1_x.y:z", provider("čd-1_x.y:z"), "čd-1_x.y:z"],
  ["\ta\n||\n\tb", failover(a, b), "a || b"],
] as const) {
  test(`reads ${JSON.stringify(line)}`, () => {
    assert.deepEqual(parseRouteLine(line), route);
    assert.equal(printRouteLine(route), printed);
  });
}

for (const [line, problem, position] of [
  ["", "expected the name of a provider, found the end", 0],
  ["a ||", 'expected the name of a provider after "||", found the end', 4],
  ["|| a", 'expected the name of a provider, found "||"', 0],
  ["a && || b", 'expected the name of a provider after "&&", found "||"', 5],
  ["a b", 'expected "||" or "&&" before "b"', 2],
  ["a | b", 'expected "||", found a single "|"', 2],
  ["a &", 'expected "&&", found a single "&"', 2],
  [
    "a, b",
    '"," has no meaning here; a name with it stands in double quotes',
    1,
  ],
  ["(a || b", 'no ")" ends this "("', 0],
  ["(a b)", 'expected "||", "&&" or ")" before "b"', 3],
  ["a || b)", 'no "(" stands before this ")"', 6],
  ["()", 'expected the name of a provider after "(", found ")"', 1],
  ['a || "b', "no double quote ends this name", 5],
  ['"" || b', "the name of a provider is empty", 0],
  [
    '"a\\b"',
    'in double quotes "\\" stands only before another "\\" or a double quote',
    0,
  ],
  ["a || b || a", '"a" stands in the line twice', 10],
  [
    "a*3",
    'a weight is a share beside others, and "&&" joins none to this one',
    1,
  ],
  [
    "a*3 || b",
    'a weight is a share beside others, and "&&" joins none to this one',
    1,
  ],
  [
    "a*0 && b",
    'a weight is above 0; what is used only after others failed stands behind "||"',
    2,
  ],
  [
    "a* && b",
    'expected a weight after "*", such as 3 or 0.5, up to 9999999, found "&&"',
    3,
  ],
  [
    "a*",
    'expected a weight after "*", such as 3 or 0.5, up to 9999999, found the end',
    2,
  ],
  [
    "3*a && b",
    'expected a weight after "*", such as 3 or 0.5, up to 9999999, found "a"',
    2,
  ],
  [
    "a*1e9 && b",
    'expected a weight after "*", such as 3 or 0.5, up to 9999999, found "1e9"',
    2,
  ],
  ["a*2*3 && b", "a provider or group has one weight", 3],
  ["(".repeat(21), 'more than 20 "(" are open', 20],
] as const) {
  test(`refuses ${JSON.stringify(line)}`, () => {
    assert.throws(
      () => parseRouteLine(line),
      (error) => {
        assert.ok(error instanceof RouteLineError);
        assert.ok(error instanceof ConfigurationError);
        assert.deepEqual([error.problem, error.position], [problem, position]);
        return true;
      },
    );
  });
}

test("shows the place with a caret, also in a long line and behind tabs", () => {
  const shown = (line: string) => {
    try {
      parseRouteLine(line);
    } catch (error) {
      return String((error as Error).message)
        .split("\n")
        .slice(1);
    }
    return assert.fail("it was read");
  };
  assert.deepEqual(shown("a\t|| 𝒳 | b"), ["  a || 𝒳 | b", "         ^"]);
  const names = Array.from({ length: 40 }, (_, i) => `carrier${i}`);
  const [line = "", caret = ""] = shown(
    names.join(" || ").replace("carrier20 ||", "carrier20 |"),
  );
  assert.ok(line.length < 70, line);
  assert.equal(line.slice(caret.length - 1).slice(0, 11), "| carrier21");
});

const names = [
  "a",
  "b-1",
  "my carrier",
  'q"\\',
  "||",
  "ž",
  "3",
  "x".repeat(32),
];

function randomRoute(
  random: () => number,
  left: string[],
  depth: number,
  above: RouteTree["kind"] | undefined,
): RouteTree {
  const parts = 2 + Math.floor(random() * 2);
  const inner = () => randomRoute(random, left, depth + 1, kind);
  const pick = random();
  const kind: RouteTree["kind"] =
    depth === 3 || left.length < parts || pick < 0.3
      ? "provider"
      : pick < 0.65 && above !== "failover"
        ? "failover"
        : "share";
  if (kind === "provider") return provider(left.pop() ?? "");
  if (kind === "share") {
    const of = Array.from({ length: parts }, () => {
      const weight = [1, 3, 0.125, 9_999_999, 2.5][Math.floor(random() * 5)];
      return { weight: weight ?? 1, route: inner() };
    });
    return { kind, of };
  }
  return { kind, of: Array.from({ length: parts }, inner) };
}

test("what is printed is read back as it was", () => {
  const random = seededRandom(7);
  const kinds = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    // More names than parts there can be, in another order each time.
    const left = [...names, ...Array.from({ length: 30 }, (_, n) => `p${n}`)];
    left.sort(() => random() - 0.5);
    const route = randomRoute(random, left, 0, undefined);
    kinds.add(route.kind);
    const line = printRouteLine(route);
    assert.deepEqual(parseRouteLine(line), route, line);
    assert.equal(printRouteLine(parseRouteLine(line)), line);
    assert.equal(new Set(providersOf(route)).size, providersOf(route).length);
  }
  assert.equal(kinds.size, 3);
});

test("any text is a route or a refusal that points into it", () => {
  const random = seededRandom(11);
  const signs = ["a", "b", "||", "&&", "*", "2", "(", ")", '"', "\\", " ", "|"];
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const line = Array.from(
      { length: Math.floor(random() * 9) },
      () => signs[Math.floor(random() * signs.length)],
    ).join("");
    try {
      const route = parseRouteLine(line);
      assert.deepEqual(parseRouteLine(printRouteLine(route)), route, line);
      read++;
    } catch (error) {
      assert.ok(error instanceof RouteLineError, `${line}: ${error}`);
      assert.ok(error.position >= 0 && error.position <= line.length, line);
    }
  }
  assert.ok(read > 100, String(read));
});

test("the guide shows routes, a policy and a mistake as they are", () => {
  const guide = new URL("../../../../docs/guides/routing.md", import.meta.url);
  const text = readFileSync(guide, "utf8");
  const [, table = ""] = /## The line\n(.*?)```/s.exec(text) ?? [];
  const lines = [...table.matchAll(/^\| `(.*?)` +\|/gm)].map(([, line = ""]) =>
    line.replaceAll("\\|", "|"),
  );
  assert.equal(lines.length, 11);
  for (const line of lines) parseRouteLine(line);
  const [, policy = ""] = /```json\n(.*?)```/s.exec(text) ?? [];
  assert.equal(parseDeliveryPolicy(JSON.parse(policy)).rules.length, 3);
  assert.throws(
    () => parseRouteLine("a*3 && b ||"),
    ({ message }: Error) => text.includes(message),
  );
});
