import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CertificateRefusedError,
  CertificateUnavailableError,
  InvalidOptionsError,
} from "../errors.ts";
import { serve } from "../testing/serve.ts";
import { createCertificateFetcher } from "./certificate-fetcher.ts";

test("fetches from allowed hosts only", async () => {
  const fetched: string[] = [];
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [
      "smn.example",
      "other.example:8443",
      "http://127.0.0.1:7070",
    ],
    fetch: async (url) => {
      fetched.push(String(url));
      return new Response("pem");
    },
  });
  const allowed = [
    "https://smn.example/smn/SMN_x.pem",
    "https://SMN.example:443/smn/SMN_x.pem",
    "https://other.example:8443/smn/SMN_x.pem",
    "http://127.0.0.1:7070/smn/SMN_x.pem",
  ];
  for (const url of allowed) {
    assert.equal(await fetchCertificate(url, {}), "pem");
  }
  for (const url of [
    "",
    "SMN_x.pem",
    "http://smn.example/smn/SMN_x.pem",
    "https://smn.example.evil.example/smn/SMN_x.pem",
    "https://smn.example@evil.example/smn/SMN_x.pem",
    "https://me@smn.example/smn/SMN_x.pem",
    "https://evil.example/smn.example",
    "https://smn.example:8443/smn/SMN_x.pem",
    "https://127.0.0.1:7070/smn/SMN_x.pem",
    "file:///etc/passwd",
    "data:text/plain,pem",
  ]) {
    await assert.rejects(fetchCertificate(url, {}), CertificateRefusedError);
  }
  assert.deepEqual(fetched, allowed);
});

test("refuses a list of hosts that cannot be meant", () => {
  for (const host of ["", "smn.example/path", "ftp://smn.example", "a b"]) {
    assert.throws(
      () => createCertificateFetcher({ allowedHosts: [host] }),
      InvalidOptionsError,
    );
  }
});

test("fetches a certificate once, also for requests at once", async () => {
  await using server = await serve(() => ({ body: "pem" }));
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [server.url],
  });
  const url = `${server.url}/smn/SMN_x.pem`;
  await Promise.all([1, 2, 3].map(() => fetchCertificate(url, {})));
  await fetchCertificate(url, {});
  assert.equal(server.requests.length, 1);
});

test("fetches anew what is too old or was pushed out", async () => {
  await using server = await serve(() => ({ body: "pem" }));
  const allowedHosts = [server.url];
  const url = `${server.url}/smn/SMN_x.pem`;
  const uncached = createCertificateFetcher({ allowedHosts, maxAgeMs: 0 });
  await uncached(url, {});
  await uncached(url, {});
  assert.equal(server.requests.length, 2);
  const narrow = createCertificateFetcher({ allowedHosts, maxCertificates: 1 });
  await narrow(url, {});
  await narrow(`${url}2`, {});
  await narrow(url, {});
  assert.equal(server.requests.length, 5);
});

test("does not remember failures", async () => {
  let status = 503;
  await using server = await serve(() => ({ status, body: "pem" }));
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [server.url],
  });
  const url = `${server.url}/smn/SMN_x.pem`;
  await assert.rejects(fetchCertificate(url, {}), CertificateUnavailableError);
  status = 200;
  assert.equal(await fetchCertificate(url, {}), "pem");
});

test("does not follow redirects", async () => {
  await using other = await serve(() => ({ body: "pem" }));
  await using server = await serve(() => ({
    status: 302,
    headers: { location: other.url },
  }));
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [server.url],
  });
  await assert.rejects(
    fetchCertificate(`${server.url}/smn/SMN_x.pem`, {}),
    CertificateUnavailableError,
  );
  assert.equal(other.requests.length, 0);
});

test("gives up on answers that are slow or long", async () => {
  await using server = await serve(({ path }) =>
    path === "/slow" ? "hang" : { body: "x".repeat(70_000) },
  );
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [server.url],
    timeoutMs: 100,
  });
  for (const path of ["/slow", "/long"]) {
    await assert.rejects(
      fetchCertificate(server.url + path, {}),
      CertificateUnavailableError,
    );
  }
});

test("an abort ends the waiting", async () => {
  await using server = await serve(() => "hang");
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: [server.url],
    timeoutMs: 1_000,
  });
  const signal = AbortSignal.timeout(20);
  await assert.rejects(fetchCertificate(`${server.url}/x.pem`, { signal }), {
    name: "TimeoutError",
  });
});
