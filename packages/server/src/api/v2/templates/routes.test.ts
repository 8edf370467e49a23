/** Templates of texts and mails in our own API. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const code = "/api/v2/templates/sms/code";

function put(server: TestServer, path: string, body: object) {
  return server.call("PUT", path, body);
}

test("a template is put, shown, changed, listed and deleted", async () => {
  await using server = await startTestServer();
  const first = await put(server, code, { body: "Code {{ code }}" });
  assert.equal(first.status, 201);
  assert.deepEqual(
    { ...first.body, createdAt: "", changedAt: "" },
    {
      channel: "sms",
      slug: "code",
      body: "Code {{ code }}",
      isActive: true,
      isLocked: false,
      allowsDuplicates: true,
      isStrict: false,
      createdAt: "",
      changedAt: "",
    },
  );
  const again = await put(server, code, { body: "{{ code }}", isLocked: true });
  assert.equal(again.status, 200);
  const changed = await server.call("PATCH", code, { isStrict: true });
  assert.equal(changed.body.isLocked, true);
  assert.deepEqual((await server.call("GET", code)).body, changed.body);
  await put(server, "/api/v2/templates/email/disallowed-objects", {
    body: "<p>{{ a }}</p>",
    subject: "S",
    attachments: [
      {
        name: "a.txt",
        contentType: "text/plain; charset=utf-8",
        content: "AP8=",
      },
    ],
  });
  const mail = await server.call(
    "GET",
    "/api/v2/templates/email/disallowed-objects",
  );
  assert.equal(mail.body.attachments[0].content, "AP8=");
  const page = await server.call("GET", "/api/v2/templates?limit=1");
  assert.equal(page.body.templates[0].slug, "disallowed-objects");
  const next = encodeURIComponent(page.body.next);
  const rest = await server.call("GET", `/api/v2/templates?after=${next}`);
  assert.deepEqual(
    rest.body.templates.map(({ slug }: { slug: string }) => slug),
    ["code"],
  );
  assert.equal((await server.call("DELETE", code)).status, 204);
  assert.equal((await server.call("GET", code)).status, 404);
  assert.equal((await server.call("DELETE", code)).status, 404);
});

test("what cannot be used is refused, and nothing is kept", async () => {
  await using server = await startTestServer();
  for (const [path, body, detail] of [
    [
      code,
      { body: "a\n{% include 'x' %}" },
      /line 2, column 1: The tag include/,
    ],
    [code, { body: "" }, /body/],
    [code, {}, /body/],
    [code, { body: "x".repeat(1_000_000) }, /body/],
    [code, { body: "x", subject: "s" }, /only templates of mails/],
    [code, { body: "x", bodi: "y" }, /bodi/],
    ["/api/v2/templates/fax/a", { body: "x" }, /channel/],
    ["/api/v2/templates/sms/a.b", { body: "x" }, /slug/],
    [
      "/api/v2/templates/email/a",
      { body: "<script>x</script>" },
      /The tag script is banned/,
    ],
    [
      "/api/v2/templates/email/a",
      {
        body: "x",
        attachments: [{ name: "a", contentType: "a/b", content: "aGk" }],
      },
      /attachments\[0\]\.content: base64 .* with padding/,
    ],
    [
      "/api/v2/templates/email/a",
      {
        body: "x",
        attachments: [
          { name: "a", contentType: "message/rfc822", content: "aGk=" },
        ],
      },
      /attachments\[0\]\.contentType: a file cannot be sent as message/,
    ],
    [
      "/api/v2/templates/email/a",
      { body: "x", attachments: [{ name: "a", contentType: "a/b" }] },
      /attachments.*content/,
    ],
    [
      "/api/v2/templates/email/a",
      {
        body: "x",
        attachments: [
          {
            name: "a",
            contentType: "a/b",
            content: Buffer.alloc(7_340_034).toString("base64"),
          },
        ],
      },
      /7340034 bytes, 7340032 is the most \(email\.maxAttachmentBytes\)/,
    ],
  ] as const) {
    const answer = await put(server, path, body);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.detail, detail);
    if (/attachments/.test(String(detail))) {
      assert.equal(answer.body.code, "TEMPLATE_INVALID");
    }
  }
  const dry = await put(server, `${code}?dryRun=true`, { body: "x" });
  assert.equal(dry.status, 204);
  const { body } = await server.call("GET", "/api/v2/templates");
  assert.deepEqual(body.templates, []);
});

test("a preview shows the text, and how it would be sent", async () => {
  await using server = await startTestServer();
  await put(server, code, { body: "Kód {{ code }} & {{ x }}", isStrict: true });
  const preview = (context?: unknown) =>
    server.call("POST", `${code}/preview`, { context });
  assert.deepEqual((await preview({ code: "é", x: "<" })).body, {
    text: "Kód é & <",
    sms: { encoding: "ucs2", segments: 1, characters: 9 },
  });
  const missing = await preview({ code: 1 });
  assert.equal(missing.body.code, "TEMPLATE_RENDERING_FAILED");
  assert.match(
    missing.body.detail,
    /template code .*The variable x is missing/,
  );
  await put(server, "/api/v2/templates/email/hi", {
    body: "<p>{{ a }}</p>",
    subject: "{{ a }}",
  });
  const mail = await server.call("POST", "/api/v2/templates/email/hi/preview", {
    context: { a: "<&" },
  });
  assert.deepEqual(mail.body, { html: "<p>&lt;&amp;</p>", subject: "<&" });
});

test("a preview takes as large a context as a send", async () => {
  await using server = await startTestServer();
  await put(server, code, { body: "{{ code }}" });
  const lines = (count: number) => Array(count).fill("x".repeat(8000));
  const context = { code: "1", lines: lines(30) };
  const bodies = [
    await server.call("POST", `${code}/preview`, { context }),
    await server.call("POST", "/api/v2/sms/from-template", {
      to: "+420777123456",
      slug: "code",
      context,
    }),
  ];
  assert.deepEqual(
    bodies.map(({ status }) => status),
    [200, 201],
  );
  const tooLarge = { context: { code: "1", lines: lines(40) } };
  const { body } = await server.call("POST", `${code}/preview`, tooLarge);
  assert.equal(body.code, "TEMPLATE_CONTEXT_INVALID");
});

test("objects are disallowed for a template and for a channel", async () => {
  await using server = await startTestServer();
  await put(server, code, { body: "x" });
  const objects = [{ type: "order", id: 1 }];
  const canSend = async () => {
    const body = { relatedObjects: objects };
    return (await server.call("POST", `${code}/can-send`, body)).body;
  };
  assert.deepEqual(await canSend(), { canSend: true, refusals: [] });
  for (const path of [
    `${code}/disallowed-objects`,
    "/api/v2/disallowed-objects/sms",
  ]) {
    assert.equal((await put(server, path, { objects })).status, 204);
    assert.deepEqual(await canSend(), {
      canSend: false,
      refusals: ["disallowed"],
    });
    const { body } = await server.call("GET", path);
    assert.deepEqual(
      body.objects.map(({ type, id }: Record<string, string>) => [type, id]),
      [["order", "1"]],
    );
    await server.call("DELETE", `${path}?type=order&id=1`);
    assert.deepEqual(await canSend(), { canSend: true, refusals: [] });
  }
  const wrong = await put(server, `${code}/disallowed-objects`, {
    objects: [{ type: "a b", id: 1 }],
  });
  assert.match(wrong.body.detail, /^Invalid objects\[0\]: type must be/);
  await server.call("PATCH", code, { isActive: false });
  assert.deepEqual(await canSend(), { canSend: false, refusals: ["inactive"] });
});
