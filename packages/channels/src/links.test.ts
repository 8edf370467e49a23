import assert from "node:assert/strict";
import { test } from "node:test";
import { grant, subscriptionId, tokens } from "./fixtures.test.ts";
import { createLinks } from "./links.ts";

const topicUrn = "urn:smn:eu-de:0123456789abcdef0123456789abcdef:alerts";

test("writes short links to pages for people", () => {
  const links = createLinks({
    publicUrl: () => "https://notify.example/prefix/",
    region: "eu-de",
    tokens,
  });
  assert.equal(
    links.confirmationPage(grant),
    "https://notify.example/prefix/c/00f1",
  );
  assert.equal(
    links.unsubscriptionPage(grant),
    `https://notify.example/prefix/u/left-1-${subscriptionId}`,
  );
});

test("writes the links as SMN's subscribers know them", () => {
  const links = createLinks({
    publicUrl: () => "https://notify.example:8443/",
    region: "eu-de",
    tokens,
  });
  assert.equal(
    links.subscribe(grant, topicUrn),
    `https://notify.example:8443/smn/subscription/confirm?token=00f1&topic_urn=${topicUrn}&region=eu-de&region_id=eu-de`,
  );
  assert.equal(
    links.unsubscribe(topicUrn, subscriptionId),
    `https://notify.example:8443/smn/subscription/unsubscribe?region=eu-de&region_id=eu-de&subscription_urn=${topicUrn}:${subscriptionId}`,
  );
  assert.equal(
    links.certificate("SMN_eu-de_00.pem"),
    "https://notify.example:8443/smn/SMN_eu-de_00.pem",
  );
});

test("asks for the public URL each time, since it is known late", () => {
  let port = 0;
  const links = createLinks({
    publicUrl: () => `http://127.0.0.1:${port}`,
    region: "local",
    tokens,
  });
  port = 7070;
  assert.match(links.certificate("x.pem"), /^http:\/\/127\.0\.0\.1:7070\//);
});
