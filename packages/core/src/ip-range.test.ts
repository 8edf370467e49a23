import assert from "node:assert/strict";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  type IpRange,
  includesRange,
  networkOf,
  parseIpRange,
  routedBlockOf,
  unmapped,
} from "./ip-range.ts";

function parseUnmapped(text: string): IpRange | undefined {
  const range = parseIpRange(text);
  return range && unmapped(range);
}

function includes(range: string, address: string): boolean | undefined {
  const [outer, inner] = [parseUnmapped(range), parseUnmapped(address)];
  return outer && inner && includesRange(outer, inner);
}

test("counts an IPv4 address by itself and an IPv6 address by its /64", () => {
  const same = (a: string, b: string) => networkOf(a) === networkOf(b);
  assert.ok(same("192.0.2.1", "::ffff:192.0.2.1"));
  assert.ok(!same("192.0.2.1", "192.0.2.2"));
  assert.ok(same("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"));
  assert.ok(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
  assert.equal(networkOf("fe80::1%eth0"), "fe80::1%eth0");
});

test("the routed block of an address is its /24 or its /48", () => {
  const same = (a: string, b: string) => routedBlockOf(a) === routedBlockOf(b);
  assert.ok(same("192.0.2.1", "192.0.2.255"));
  assert.ok(same("192.0.2.1", "::ffff:192.0.2.7"));
  assert.ok(!same("192.0.2.1", "192.0.3.1"));
  assert.ok(same("2001:db8:1::1", "2001:db8:1:ffff::2"));
  assert.ok(!same("2001:db8:1::1", "2001:db8:2::1"));
  assert.equal(routedBlockOf("fe80::1%eth0"), "fe80::1%eth0");
});

test("a range holds the addresses that share its prefix", () => {
  assert.equal(includes("10.1.0.0/16", "10.1.255.255"), true);
  assert.equal(includes("10.1.2.3/16", "10.1.9.9"), true);
  assert.equal(includes("10.1.0.0/16", "10.2.0.0"), false);
  assert.equal(includes("0.0.0.0/0", "203.0.113.7"), true);
  assert.equal(includes("2001:db8::/32", "2001:DB8:ffff::1"), true);
  assert.equal(includes("2001:db8::/32", "2001:db9::"), false);
  assert.equal(includes("::1", "0:0:0:0:0:0:0:1"), true);
  assert.equal(includes("10.0.0.0/8", "10.0.0.0/7"), false);
});

test("the two families are apart, mapped addresses are IPv4", () => {
  assert.equal(includes("::/0", "10.0.0.1"), false);
  assert.equal(includes("0.0.0.0/0", "::1"), false);
  assert.equal(includes("10.0.0.0/8", "::ffff:10.9.8.7"), true);
  assert.equal(includes("10.0.0.0/8", "::ffff:a09:807"), true);
  assert.equal(includes("::ffff:10.0.0.0/104", "10.9.8.7"), true);
});

test("mapped addresses are IPv6 until they are unmapped", () => {
  assert.equal(parseIpRange("::ffff:10.0.0.1")?.words.length, 4);
  assert.deepEqual(
    parseUnmapped("::ffff:10.0.0.1/104"),
    parseIpRange("10.0.0.0/8"),
  );
  assert.deepEqual(parseUnmapped("::ffff:0:0/96"), parseIpRange("0.0.0.0/0"));
  // Wider than all of IPv4, or not the mapped prefix.
  for (const text of [
    "::ffff:0:0/95",
    "::/0",
    "::1.2.3.4",
    "1::ffff:1.2.3.4",
  ]) {
    assert.deepEqual(parseUnmapped(text), parseIpRange(text), text);
  }
});

test("what is no address or range is not parsed", () => {
  for (const text of [
    "",
    "/8",
    "10.0.0",
    "10.0.0.0.0",
    "10.0.0.256",
    "10.0.0.01",
    "300.1.1.1",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    " 10.0.0.0",
    "::/129",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "::1%eth0",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3.400",
  ]) {
    assert.equal(parseIpRange(text), undefined, text);
  }
});

test("addresses are recognized as the runtime does", () => {
  const group = fc.constantFrom("", "0", "1", "ffff", "12345", "g", "1.2.3.4");
  const text = fc.oneof(
    fc.array(group, { maxLength: 10 }).map((groups) => groups.join(":")),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(text, (text) => {
      assert.equal(
        parseIpRange(text) !== undefined,
        isIPv4(text) || isIPv6(text),
        text,
      );
    }),
    { numRuns: 2000 },
  );
});

test("ranges agree with the runtime's own", () => {
  const v4 = fc.tuple(fc.ipV4(), fc.ipV4(), fc.nat(32));
  // Mapped IPv4 addresses are IPv4 to us, and IPv6 to the runtime's list.
  const unmapped = fc
    .ipV6()
    .filter((text) => parseUnmapped(text)?.words.length === 4);
  const v6 = fc.tuple(unmapped, unmapped, fc.nat(128));
  fc.assert(
    fc.property(
      fc.oneof(
        v4.map((all) => [...all, "ipv4"] as const),
        v6.map((all) => [...all, "ipv6"] as const),
      ),
      fc.boolean(),
      ([network, other, prefix, family], same) => {
        const address = same ? network : other;
        const list = new BlockList();
        list.addSubnet(network, prefix, family);
        assert.equal(
          includes(`${network}/${prefix}`, address),
          list.check(address, family),
        );
      },
    ),
    { numRuns: 1000 },
  );
});
