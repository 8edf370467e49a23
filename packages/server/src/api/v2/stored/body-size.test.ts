/** How large a request about mails may be goes by what their files may have. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../../../test-support/test-server.ts";

for (const [most, fileBytes, status] of [
  ["24000000", 20_000_000, 201],
  ["24000000", 30_000_000, 413],
  ["", 7_000_000, 201],
  ["", 12_000_000, 413],
  ["1000", 1000, 201],
  ["1000", 3_000_000, 413],
] as const) {
  test(`with files of ${most || "the default"}, one of ${fileBytes} bytes is answered ${status}`, async () => {
    await using server = await startTestServer({
      env: most === "" ? {} : { CARILLON_EMAIL_MAX_ATTACHMENT_BYTES: most },
    });
    const content = Buffer.alloc(fileBytes, 7).toString("base64");
    const answer = await server.call("POST", "/api/v2/emails", {
      to: "ann@example.com",
      text: "See the file.",
      attachments: [
        { name: "a.bin", contentType: "application/octet-stream", content },
      ],
    });
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    if (status === 201) {
      assert.equal(answer.body.attachments[0].size, fileBytes);
    }
  });
}
