import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AddressClass,
  classifyAddress,
  parseCidr,
} from "./address-class.ts";

const classes: Readonly<Record<string, AddressClass>> = {
  "0.0.0.0": "unspecified",
  "0.1.2.3": "unspecified",
  "10.0.0.0": "private",
  "10.255.255.255": "private",
  "100.64.0.0": "carrier-grade NAT",
  "100.100.100.200": "carrier-grade NAT",
  "100.127.255.255": "carrier-grade NAT",
  "127.0.0.1": "loopback",
  "127.255.255.254": "loopback",
  "168.63.129.16": "cloud metadata",
  "169.254.0.1": "link-local",
  "169.254.169.254": "cloud metadata",
  "169.254.170.2": "link-local",
  "172.16.0.0": "private",
  "172.31.255.255": "private",
  "192.0.0.192": "reserved",
  "192.0.2.1": "documentation",
  "192.31.196.1": "reserved",
  "192.52.193.1": "reserved",
  "192.88.99.1": "6to4",
  "192.168.0.1": "private",
  "192.168.255.255": "private",
  "192.175.48.1": "reserved",
  "198.18.0.1": "benchmarking",
  "198.19.255.255": "benchmarking",
  "198.51.100.7": "documentation",
  "203.0.113.7": "documentation",
  "224.0.0.1": "multicast",
  "239.255.255.250": "multicast",
  "240.0.0.1": "reserved",
  "255.255.255.254": "reserved",
  "255.255.255.255": "broadcast",
  "::": "unspecified",
  "::1": "loopback",
  "0:0:0:0:0:0:0:1": "loopback",
  "::2": "IPv4-compatible",
  "::127.0.0.1": "IPv4-compatible",
  "::ffff:127.0.0.1": "IPv4-mapped",
  "::ffff:7f00:1": "IPv4-mapped",
  "::ffff:8.8.8.8": "IPv4-mapped",
  "0:0:0:0:0:ffff:a9fe:a9fe": "IPv4-mapped",
  "::ffff:0:127.0.0.1": "IPv4-translated",
  "64:ff9b::7f00:1": "NAT64",
  "64:ff9b::10.0.0.1": "NAT64",
  "64:ff9b:1::1": "NAT64",
  "64:ff9b:1:ffff::a00:1": "NAT64",
  "64:ff9b:2::1": "reserved",
  "100::1": "discard-only",
  "100:0:0:1::1": "reserved",
  "200::1": "reserved",
  "1fff::1": "reserved",
  "2001::1": "Teredo",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
  "2001:2::1": "benchmarking",
  "2001:20::1": "reserved",
  "2001:1ff::1": "reserved",
  "2001:db8::1": "documentation",
  "2002::1": "6to4",
  "2002:7f00:1::": "6to4",
  "2002:a9fe:a9fe::1": "6to4",
  "2620:4f:8000::1": "reserved",
  "3fff:0fff::1": "documentation",
  "4000::1": "reserved",
  "5f00::1": "reserved",
  "fc00::1": "unique-local",
  "fd00:ec2::254": "cloud metadata",
  "fd12:3456:789a::1": "unique-local",
  "fe80::1": "link-local",
  "fe80::1%eth0": "link-local",
  "febf::1": "link-local",
  "fec0::1": "site-local",
  "ff02::1": "multicast",
  "": "unrecognised",
  localhost: "unrecognised",
  "127.1": "unrecognised",
  "0x7f.0.0.1": "unrecognised",
  "2130706433": "unrecognised",
  "127.0.0.01": "unrecognised",
  "[::1]": "unrecognised",
  "127.0.0.1:80": "unrecognised",
};

const publicAddresses = [
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "168.63.129.15",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2000::1",
  "2001:200::1",
  "2001:4860:4860::8888",
  "2003::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:82f::200e",
  "3ffe::1",
];

test("names the class of every special address", () => {
  const found = Object.fromEntries(
    Object.keys(classes).map((address) => [address, classifyAddress(address)]),
  );
  assert.deepEqual(found, classes);
});

test("lets public addresses be without a class, up to the edge of a range", () => {
  const found = publicAddresses.filter(
    (address) => classifyAddress(address) !== undefined,
  );
  assert.deepEqual(found, []);
});

const byte = fc.integer({ min: 0, max: 255 });
const anyIPv4 = fc.tuple(byte, byte, byte, byte);
const embeddings: readonly ((hex: string) => string)[] = [
  (hex) => `::ffff:${hex}`,
  (hex) => `0:0:0:0:0:FFFF:${hex}`,
  (hex) => `::${hex}`,
  (hex) => `::ffff:0:${hex}`,
  (hex) => `64:ff9b::${hex}`,
  (hex) => `64:ff9b:1::${hex}`,
  (hex) => `64:ff9b:1:2:3:4:${hex}`,
  (hex) => `2002:${hex}::1`,
  (hex) => `2001:0:${hex}::1`,
];

test("classifies every IPv6 form in which an IPv4 address hides", () => {
  fc.assert(
    fc.property(anyIPv4, fc.constantFrom(...embeddings), (bytes, embed) => {
      const [a, b, c, d] = bytes;
      const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      assert.notEqual(classifyAddress(embed(hex)), undefined);
    }),
  );
});

test("a network contains its own addresses and no others", () => {
  const cases: [string, string, boolean][] = [
    ["10.1.0.0/16", "10.1.2.3", true],
    ["10.1.0.0/16", "10.2.0.0", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["0.0.0.0/0", "127.0.0.1", true],
    ["0.0.0.0/0", "::1", false],
    ["127.0.0.0/8", "::ffff:127.0.0.1", false],
    ["::ffff:0:0/96", "::ffff:127.0.0.1", true],
    [" fd00::/8 ", "fd12::1", true],
    ["::1", "::1", true],
  ];
  for (const [cidr, address, isInside] of cases) {
    assert.equal(
      parseCidr(cidr)?.contains(address),
      isInside,
      `${cidr} ${address}`,
    );
  }
});

test("takes nothing for a network that is none", () => {
  const texts = [
    "",
    "localhost",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "10/8",
    "0x0a.0.0.0/8",
    "10.0.0.0/255.0.0.0",
  ];
  assert.deepEqual(texts.filter(parseCidr), []);
});
