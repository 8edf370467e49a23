import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maxMessageBytes, selectText } from "../messages/message.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import {
  checkTemplateContent,
  checkTemplateId,
  checkTemplateName,
  checkTemplateProtocol,
  checkTemplateTags,
  parseTemplate,
  renderTemplate,
  renderVariants,
} from "./template.ts";

const tagName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);

/** Text in which braces meet tag names often, in all sorts of ways. */
const anyContent = fc
  .array(
    fc.oneof(
      fc.constantFrom("{", "}", "{}", "{{", "}}", "{a b}", "{_a}", "{ä}", "x"),
      tagName,
      tagName.map((tag) => `{${tag}}`),
      fc.string({ unit: "grapheme" }),
    ),
  )
  .map((parts) => parts.join(""));

/** Reads one character after the other; the pattern is not used. */
function renderSlowly(content: string, tags: ReadonlyMap<string, string>) {
  const first =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  let text = "";
  for (let at = 0; at < content.length; at++) {
    const end = content.indexOf("}", at);
    const name = content.slice(at + 1, Math.max(end, at + 1));
    const isTag =
      content.charAt(at) === "{" &&
      end > at &&
      name.length >= 1 &&
      name.length <= 21 &&
      first.includes(name.charAt(0)) &&
      [...name].every((character) => `${first}_.-`.includes(character));
    if (isTag) {
      text += tags.get(name) ?? "";
      at = end;
    } else text += content.charAt(at);
  }
  return text;
}

test("rendering puts each tag's value in, wherever it stands", () => {
  const tags = checkTemplateTags({ disk: "sda", "host.name": "db1" });
  assert.equal(
    renderTemplate("Disk {disk} on {host.name} is full: {disk}", tags),
    "Disk sda on db1 is full: sda",
  );
});

test("a missing tag leaves nothing, an extra one changes nothing", () => {
  const tags = checkTemplateTags({ extra: "x" });
  assert.equal(renderTemplate("[{disk}]", tags), "[]");
});

test("values are not looked through for placeholders", () => {
  const tags = checkTemplateTags({ a: "{b}", b: "{a}" });
  assert.equal(renderTemplate("{a}{b}", tags), "{b}{a}");
});

test("braces that make no valid tag stay as they are", () => {
  const tags = checkTemplateTags({ a: "1", b: "2" });
  for (const literal of [
    "{}",
    "{ a }",
    "{a b}",
    "{_a}",
    "{-a}",
    "{.a}",
    "{ä}",
    "{a",
    "a}",
    `{${"a".repeat(22)}}`,
    "{a\n}",
  ]) {
    assert.equal(renderTemplate(literal, tags), literal);
  }
  assert.equal(renderTemplate("{{a}} {a{b} {{}a}", tags), "{1} {a2 {{}a}");
});

test("tags named like members of every object are ordinary tags", () => {
  assert.equal(renderTemplate("[{constructor}]", checkTemplateTags({})), "[]");
  const tags = checkTemplateTags(
    JSON.parse('{"toString":"t","__proto__":"p"}'),
  );
  assert.equal(renderTemplate("{toString}", tags), "t");
});

test("tag names come once each, in order of first appearance", () => {
  const { tagNames } = parseTemplate("{b}{a}{b}{1}{a}{x y}");
  assert.deepEqual(tagNames, ["b", "a", "1"]);
});

test("rendering agrees with reading character by character", () => {
  fc.assert(
    fc.property(
      anyContent,
      fc.dictionary(tagName, fc.string({ maxLength: 20 })),
      (content, values) => {
        const present = Object.fromEntries(
          parseTemplate(content)
            .tagNames.filter((_, i) => i % 2 === 0)
            .map((tag) => [tag, `<${tag}{a}>`]),
        );
        const tags = checkTemplateTags({ ...values, ...present });
        const expected = renderSlowly(content, tags);
        assert.equal(renderTemplate(content, tags), expected);
        assert.equal(renderTemplate(parseTemplate(content), tags), expected);
      },
    ),
  );
});

test("a template whose tags stand for themselves renders to its content", () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const tags = new Map(
        parseTemplate(content).tagNames.map((tag) => [tag, `{${tag}}`]),
      );
      assert.equal(renderTemplate(content, tags), content);
    }),
  );
});

test("a name is 1 to 64 letters, digits, dashes and underscores", () => {
  for (const name of ["disk_full", "0", "A-b_c", "x".repeat(64)]) {
    assert.equal(checkTemplateName(name), name);
  }
  for (const name of [
    "",
    "_a",
    "-a",
    "bad name!",
    "ä",
    "a\n",
    "x".repeat(65),
    7,
    null,
    undefined,
  ]) {
    assert.throws(() => checkTemplateName(name), {
      code: "TEMPLATE_NAME_INVALID",
    });
  }
});

test("an id is 32 hexadecimal characters", () => {
  const id = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
  assert.equal(checkTemplateId(id), id);
  for (const bad of ["disk_full", "", `${id}0`, id.toUpperCase(), 7]) {
    assert.throws(() => checkTemplateId(bad), { code: "TEMPLATE_ID_INVALID" });
  }
});

test("a protocol is default or one of SMN's, default when absent", () => {
  assert.equal(
    checkTemplateProtocol(undefined, createProtocols([])),
    "default",
  );
  assert.equal(checkTemplateProtocol(null, createProtocols([])), "default");
  for (const protocol of [
    "default",
    "email",
    "sms",
    "http",
    "https",
    "functionstage",
    "functiongraph",
    "callnotify",
    "dingding",
    "dingTalkBot",
    "feishu",
    "wechat",
    "welink",
    "dms",
  ]) {
    assert.equal(
      checkTemplateProtocol(protocol, createProtocols([])),
      protocol,
    );
  }
  for (const protocol of [
    "",
    "pigeon",
    "application",
    "Email",
    "toString",
    7,
    {},
  ]) {
    assert.throws(() => checkTemplateProtocol(protocol, createProtocols([])), {
      code: "PROTOCOL_INVALID",
    });
  }
});

test("content is 1 byte to 256 KB of plain text", () => {
  const largest = "é".repeat(maxMessageBytes / 2);
  assert.equal(checkTemplateContent(largest), largest);
  for (const content of ["", `${largest}x`, "a\0", 7, null, undefined, {}]) {
    assert.throws(() => checkTemplateContent(content), {
      code: "TEMPLATE_CONTENT_INVALID",
    });
  }
});

test("content has at most 256 placeholders of at most 90 names", () => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, i) => `{t${i}}`).join("");
  assert.equal(checkTemplateContent(names(90)), names(90));
  assert.equal(checkTemplateContent("{a}".repeat(256)).length, 768);
  for (const content of [names(91), "{a}".repeat(257)]) {
    assert.throws(() => checkTemplateContent(content), {
      code: "TEMPLATE_VARIABLES_EXCEEDED",
    });
  }
});

test("tags are names of at most 21 characters with at most 1 KB of text", () => {
  assert.equal(checkTemplateTags(undefined).size, 0);
  assert.equal(checkTemplateTags(null).size, 0);
  const longest = { ["😀".repeat(21)]: "é".repeat(512) };
  assert.deepEqual([...checkTemplateTags(longest)], Object.entries(longest));
  for (const tags of [
    { ["x".repeat(22)]: "v" },
    { a: `${"é".repeat(512)}x` },
    { a: 7 },
    { a: null },
    { a: {} },
    ["a"],
    "a",
    7,
  ]) {
    assert.throws(() => checkTemplateTags(tags), {
      code: "TEMPLATE_TAGS_INVALID",
    });
  }
});

test("variants give each protocol its own text from the same tags", () => {
  const message = renderVariants(
    [
      { protocol: "sms", content: "{disk}!" },
      { protocol: "default", content: "Disk {disk} on {host}" },
    ],
    checkTemplateTags({ disk: "sda", host: "db1" }),
  );
  assert.equal(selectText(message, { name: "sms" }), "sda!");
  assert.equal(selectText(message, { name: "email" }), "Disk sda on db1");
});

test("a name without variants, or without the default one, is refused", () => {
  assert.throws(() => renderVariants([], new Map()), {
    code: "TEMPLATE_NOT_FOUND",
  });
  assert.throws(
    () => renderVariants([{ protocol: "sms", content: "x" }], new Map()),
    { code: "TEMPLATE_DEFAULT_MISSING" },
  );
});

test("what is larger than 256 KB once rendered is refused", () => {
  const tags = checkTemplateTags({ a: "v".repeat(1024) });
  const content = `${"{a}".repeat(2)}${"x".repeat(maxMessageBytes - 2048)}`;
  const render = (content: string) =>
    renderVariants([{ protocol: "default", content }], tags);
  assert.equal(
    selectText(render(content), { name: "sms" }).length,
    maxMessageBytes,
  );
  assert.throws(() => render(`${content}x`), { code: "MESSAGE_INVALID" });
});
