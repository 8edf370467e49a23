import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEgressGuard, EgressRefusedError } from "./egress-guard.ts";
import type { ResolveName } from "./name-resolver.ts";

/** Names that exist in these tests. */
const zone: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
  "private.example": ["10.0.0.5"],
  "mixed.example": ["93.184.215.14", "127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  localhost: ["127.0.0.1", "::1"],
};

const resolve: ResolveName = async (host) => {
  const addresses = zone[host];
  if (addresses !== undefined) return addresses;
  throw Object.assign(new Error(`no ${host}`), { code: "ENOTFOUND" });
};

const guard = createEgressGuard({ allowTargets: [], resolve });

const refusedUrls = [
  "http://127.0.0.1/",
  "http://127.1/",
  "http://127.0.0.1./",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://0x7f000001:8080/",
  "http://017700000001/",
  "http://0/",
  "http://0.0.0.0/",
  "http://%31%32%37.0.0.1/",
  "http://127。0。0。1/",
  "http://①②⑦.0.0.1/",
  "http://[::1]/",
  "http://[::]/",
  "http://[::ffff:7f00:1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[64:ff9b:1::a00:1]/",
  "http://[2002:7f00:1::]/",
  "http://[fd00:ec2::254]/latest/meta-data/",
  "http://[fe80::1]/",
  "http://169.254.169.254/latest/meta-data/",
  "https://10.0.0.1/",
  "https://192.168.1.1:8443/x?y=z",
  "https://100.64.0.1/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://localhost/",
  "http://localhost./",
  "http://LOCALHOST../",
  "http://app.localhost/",
  "http://app.localhost./",
  "https://private.example/",
  "https://mixed.example/",
  "https://metadata.example/",
];

for (const url of refusedUrls) {
  test(`refuses ${url}`, async () => {
    const refusal = await guard.checkUrl(url);
    assert.match(refusal?.message ?? "", /CARILLON_ALLOW_TARGETS/);
    assert.ok(refusal?.message.includes(refusal.addressClass ?? "none"));
  });
}

for (const url of [
  "http://93.184.215.14/",
  "https://[2606:4700:4700::1111]/",
  "https://public.example/hook",
  "https://not-registered-yet.example/hook",
]) {
  test(`lets ${url} pass`, async () => {
    assert.equal(await guard.checkUrl(url), undefined);
  });
}

test("says at once what needs no name server", () => {
  const offline = createEgressGuard({
    allowTargets: ["127.0.0.0/8"],
    resolve: () => Promise.reject(new Error("It was asked.")),
  });
  for (const url of [
    "http://10.0.0.1/x",
    "http://127.0.0.1:22/",
    "http://[::1]/",
    "http://0xa.1/",
  ]) {
    assert.ok(offline.checkUrlNow(url), url);
  }
  for (const url of [
    "http://127.0.0.1:7070/x",
    "http://localhost:7070/x",
    "https://private.example/",
    "http://93.184.215.14/",
  ]) {
    assert.equal(offline.checkUrlNow(url), undefined, url);
  }
  const strict = createEgressGuard({ allowTargets: [], resolve });
  assert.ok(strict.checkUrlNow("http://localhost:7070/"));
});

test("names of this machine are refused also where no resolver has them", async () => {
  const unaware = createEgressGuard({
    allowTargets: [],
    resolve: async () => {
      throw new Error("no such name");
    },
  });
  for (const host of ["localhost", "localhost.", "a.localhost."]) {
    const refusal = await unaware.checkUrl(`http://${host}/`);
    assert.equal(
      refusal?.message,
      `${host} resolves to a loopback address; such targets are refused unless CARILLON_ALLOW_TARGETS lists them.`,
    );
  }
  assert.equal(await unaware.checkUrl("http://notlocalhost/"), undefined);
});

for (const port of [
  22, 23, 25, 53, 110, 143, 465, 587, 3306, 5432, 6379, 9200, 11_211, 27_017,
]) {
  test(`refuses port ${port} unless it is allowed`, async () => {
    const url = `https://public.example:${port}/hook`;
    const refusal = await guard.checkUrl(url);
    assert.equal(
      refusal?.message,
      `Port ${port} is not one of web servers; such ports are refused unless CARILLON_ALLOW_PORTS lists them.`,
    );
    const allowing = createEgressGuard({
      allowTargets: [],
      allowPorts: [port],
      resolve,
    });
    assert.equal(await allowing.checkUrl(url), undefined);
  });
}

test("lets the ports of web servers pass", async () => {
  for (const port of ["", ":80", ":443", ":8080", ":8443", ":3000", ":65535"]) {
    assert.equal(
      await guard.checkUrl(`https://public.example${port}/`),
      undefined,
    );
  }
});

test("does not wait for a name server that hangs", async () => {
  const hanging = createEgressGuard({
    allowTargets: [],
    resolve: () => new Promise(() => {}),
  });
  assert.equal(
    await hanging.checkUrl("http://slow.example/", { timeoutMs: 1 }),
    undefined,
  );
});

test("keeps what a name resolved to out of the message", async () => {
  const refusal = await guard.checkUrl("https://private.example/");
  assert.equal(
    refusal?.message,
    "private.example resolves to a private address; such targets are refused unless CARILLON_ALLOW_TARGETS lists them.",
  );
  assert.equal(refusal.address, "10.0.0.5");
});

test("lets through what the allow list names, and nothing beside it", async () => {
  const allowing = createEgressGuard({
    allowTargets: ["10.0.0.0/24", "::1"],
    resolve,
  });
  assert.equal(await allowing.checkUrl("http://10.0.0.7/"), undefined);
  assert.equal(await allowing.checkUrl("http://private.example/"), undefined);
  assert.equal(await allowing.checkUrl("http://[::1]/"), undefined);
  assert.ok(await allowing.checkUrl("http://10.0.1.7/"));
  assert.ok(await allowing.checkUrl("http://[::ffff:10.0.0.7]/"));
  // One of its two addresses is not on the list.
  assert.ok(await allowing.checkUrl("http://localhost/"));
});

test("resolves to addresses that were all checked", async () => {
  assert.deepEqual(await guard.resolve("public.example"), [
    { address: "93.184.215.14", family: 4 },
    { address: "2606:2800:21f:cb07:6820:80da:af6b:8b2c", family: 6 },
  ]);
  await assert.rejects(guard.resolve("mixed.example"), (error) => {
    assert.ok(error instanceof EgressRefusedError);
    assert.equal(error.code, "EGRESS_REFUSED");
    assert.equal(error.refusal.addressClass, "loopback");
    return true;
  });
});

test("says which target of the allow list is no network", () => {
  assert.throws(
    () => createEgressGuard({ allowTargets: ["10.0.0.0/8", "intranet"] }),
    /CARILLON_ALLOW_TARGETS has "intranet"/,
  );
});

const byte = fc.integer({ min: 0, max: 255 });
const privateIPv4 = fc.oneof(
  fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
  fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
  fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
  fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
);

test("refuses a private IPv4 address in whatever way a URL spells it", async () => {
  await fc.assert(
    fc.asyncProperty(privateIPv4, async ([a, b, c, d]) => {
      const number = ((a * 256 + b) * 256 + c) * 256 + d;
      const dotted = `${a}.${b}.${c}.${d}`;
      const hosts = [
        dotted,
        `${number}`,
        `0x${number.toString(16)}`,
        `0${number.toString(8)}`,
        `0x${a.toString(16)}.${number % 16_777_216}`,
        `${a}.0${b.toString(8)}.${c * 256 + d}`,
        `[::ffff:${dotted}]`,
        `[::${dotted}]`,
        `[64:ff9b::${dotted}]`,
        `[64:ff9b:1::${dotted}]`,
      ];
      for (const host of hosts) {
        assert.ok(await guard.checkUrl(`http://${host}/`), host);
      }
    }),
  );
});
