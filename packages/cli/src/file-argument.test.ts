import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  collectInline,
  mediaTypeOf,
  readAttachments,
} from "./attachment-files.ts";
import { parseJsonObject, textArgument } from "./file-argument.ts";

async function inFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  run: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-files-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), content);
    }
    await run((name) => join(folder, name));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("what stands in a file is read, all else is taken as it is", async () => {
  await inFolder(
    {
      "a.html": "<b>ä</b>",
      "a.txt": "a\n\n",
      "c.json": '\uFEFF{"a":1}\n',
    },
    async (path) => {
      assert.equal(await textArgument("--html", "<b>"), "<b>");
      assert.equal(
        await textArgument("--html", `@${path("a.html")}`),
        "<b>ä</b>",
      );
      const withBreak = `@${path("a.txt")}`;
      assert.equal(await textArgument("--text", withBreak), "a\n");
      assert.equal(await textArgument("--text", "@@ada: hi"), "@ada: hi");
      assert.deepEqual(parseJsonObject('{"a":2}'), { a: 2 });
      assert.deepEqual(parseJsonObject(`@${path("c.json")}`), { a: 1 });
    },
  );
});

test("files that cannot be used are refused with exit code 2", async () => {
  const files = { "bytes.html": Uint8Array.of(0xff), "list.json": "[1]" };
  await inFolder(files, async (path) => {
    for (const [argument, message] of [
      [
        () => textArgument("--html", "@nowhere"),
        /--html cannot be read: ENOENT/,
      ],
      [
        () => textArgument("--html", `@${path("bytes.html")}`),
        /--html is not UTF-8/,
      ],
      [() => readAttachments(["nowhere"]), /--attach cannot be read: ENOENT/],
    ] as const) {
      await assert.rejects(argument(), { message, exitCode: 2 });
    }
    for (const [value, message] of [
      [`@${path("list.json")}`, /^A JSON object is expected, or @ and a file/],
      [`@${path("bytes.html")}`, /^A JSON object is expected/],
      ["@nowhere", /The file cannot be read: ENOENT/],
      ["{", /has one\.$/],
      ["[]", /^A JSON object is expected/],
    ] as const) {
      assert.throws(() => parseJsonObject(value), {
        message,
        code: "commander.invalidArgument",
      });
    }
  });
});

test("attachments have their names, media types and content ids", async () => {
  await inFolder({ "a.PDF": "pdf", "logo.png": "png" }, async (path) => {
    const inline = collectInline(`logo=${path("logo.png")}`);
    const found = await readAttachments([path("a.PDF")], inline);
    assert.deepEqual(
      found?.map(({ content, ...rest }) => [rest, String(content)]),
      [
        [{ name: "a.PDF", contentType: "application/pdf" }, "pdf"],
        [
          { name: "logo.png", contentType: "image/png", contentId: "logo" },
          "png",
        ],
      ],
    );
  });
  assert.equal(await readAttachments(), undefined);
  assert.equal(mediaTypeOf("README"), "application/octet-stream");
  for (const text of ["logo", "=logo.png", "logo="]) {
    assert.throws(() => collectInline(text), /A content id and a file/);
  }
});
