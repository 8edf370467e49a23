import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ConfigurationError } from "../../errors.ts";
import type { CarrierPage } from "./page.ts";
import { problemsWithPage, problemWithPage } from "./page-check.ts";
import { HttpProvider, httpType } from "./provider.ts";

const page: CarrierPage = {
  title: "Acme",
  settings: { key: { expected: "the key", pattern: "k\\d" } },
  baseUrl: "https://sms.acme.example",
  send: { path: "/send", form: { to: "{to}", text: "{text}" } },
  answer: { format: "json", id: "id" },
};

test("takes a page, and those that come with the gateway", () => {
  assert.equal(problemWithPage(page), undefined);
  const folder = new URL("./pages/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    assert.equal(problemWithPage(JSON.parse(text)), undefined, name);
  }
});

const { send, answer } = page;
const callback = {
  path: "/im",
  format: "form",
  cases: [{ message: { from: "from", text: "text" } }],
};

for (const [given, problem] of [
  [null, "page must be an object"],
  [[], "page must be an object"],
  [{ ...page, title: "" }, "page.title must be text"],
  [{ ...page, more: 1 }, "page.more is not known"],
  [{ ...page, baseUrl: "ftp://x" }, "page.baseUrl must be a URL"],
  [{ ...page, send: undefined }, "page.send must be an object"],
  [{ ...page, send: { ...send, path: "x" } }, "page.send.path must be a path"],
  [{ ...page, send: { ...send, path: "/{x" } }, "a brace stands alone"],
  [
    { ...page, send: { ...send, form: { to: "{to}", text: "{txt}" } } },
    'page.send.form has no value to put in for "txt"',
  ],
  [
    { ...page, send: { ...send, form: { text: "{text}" } } },
    "page.send.to is not used",
  ],
  [
    { ...page, send: { ...send, form: { to: "{to}" } } },
    "page.send.text is not used",
  ],
  [
    { ...page, send: { ...send, json: { to: "{to}" } } },
    "page.send.form, json exclude each other",
  ],
  [
    { ...page, settings: { name: { expected: "x" } } },
    "page.settings.name is taken",
  ],
  [
    { ...page, settings: { key: { expected: "x", pattern: "(" } } },
    "page.settings.key.pattern must be a regular expression",
  ],
  ...["(a+)+", "^(\\w+\\s?)+$", "((a|b*)c)*", "(?:x{2,})+"].map(
    (words) =>
      [
        {
          ...page,
          answer: { ...answer, errors: [{ words, is: "AuthError" }] },
        },
        "page.answer.errors[0].words must be a regular expression",
      ] as const,
  ),
  [{ ...page, answer: { format: "yaml" } }, "page.answer.format must be json"],
  [{ ...page, answer: { format: "json" } }, "page.answer.accepted must be"],
  [
    { ...page, answer: { ...answer, format: "text" } },
    "page.answer.pattern must be",
  ],
  [
    {
      ...page,
      answer: { ...answer, format: "text", pattern: "^(\\d+) (.*)$" },
    },
    "page.answer.pattern must be a regular expression with named groups",
  ],
  [
    { ...page, answer: { ...answer, format: "text", pattern: "(?<=OK )\\d+" } },
    "page.answer.pattern must be a regular expression with named groups",
  ],
  [
    { ...page, send: { ...send, refusedParams: "cc" } },
    "page.send.refusedParams must be a list of names",
  ],
  [
    { ...page, callbacks: [{ ...callback, reply: { body: '{"ok":true}' } }] },
    "page.callbacks[0].reply.body is no template",
  ],
  [
    {
      ...page,
      callbacks: [{ ...callback, reply: { body: "{settings.key}" } }],
    },
    'page.callbacks[0].reply.body has no value to put in for "settings.key"; there are fields.NAME',
  ],
  [
    {
      ...page,
      callbacks: [
        {
          ...callback,
          cases: [
            {
              when: { "settings.no": ["1"] },
              message: { from: "from", text: "text" },
            },
          ],
        },
      ],
    },
    'page.callbacks[0].cases[0].when has no "settings.no"',
  ],
  [
    { ...page, answer: { ...answer, errors: [{ is: "Oops" }] } },
    "page.answer.errors[0].is must be MessageSendError",
  ],
  [
    { ...page, callbacks: [{ ...callback, cases: [] }] },
    "page.callbacks[0].cases must be a list",
  ],
  [
    {
      ...page,
      callbacks: [
        {
          ...callback,
          authenticate: { field: { path: "s", value: "{settings.no}" } },
        },
      ],
    },
    'page.callbacks[0].authenticate.field.value has no value to put in for "settings.no"',
  ],
] as const) {
  test(`says that ${problem}`, () => {
    const found = problemWithPage(given);
    assert.ok(found?.includes(problem), found);
  });
}

test("says everything at once, and what each text of JSON has", () => {
  const json = {
    to: "{to",
    text: "{text}",
    more: ["{txt}", { deep: "{id|}" }],
  };
  const { form: _, ...rest } = { ...send };
  const wrong = {
    ...page,
    title: 1,
    send: { ...rest, json },
  };
  const problems = problemsWithPage(wrong).map((it) => it.replace(/;.*/, ""));
  assert.deepEqual(
    problems.map((it) => it.split(" ", 2).join(" ")),
    [
      "page.title must",
      "page.send.json.to is",
      "page.send.json.more.1.deep is",
      "page.send.json has",
      "page.send.to is",
    ],
  );
  assert.equal(
    problemWithPage(wrong)?.startsWith("the page is not valid: page.title"),
    true,
  );
});

test("takes expressions that end on any text", () => {
  for (const words of [
    "credit|balance",
    "^(?<code>\\d+)(?:\\s+(?<rest>.+))?$",
    "[(a+]+\\)+",
    "(ab)+c*",
  ]) {
    const errors = [{ words, is: "AuthError" }];
    assert.equal(
      problemWithPage({ ...page, answer: { ...answer, errors } }),
      undefined,
      words,
    );
  }
});

test("a provider needs what its page asks for, and no more", () => {
  for (const [settings, problem] of [
    [{}, "Acme: expected the key as key"],
    [{ key: "x" }, "Acme: expected the key as key"],
    [{ key: "k1", other: "1" }, 'Acme has no setting "other"; it has key'],
  ] as const) {
    assert.throws(
      () => new HttpProvider({ page, settings }),
      new ConfigurationError(problem),
    );
  }
  const ports = { logger: { info() {} } };
  assert.ok(httpType.create({ page, settings: { key: "k1" } }, ports));
});
