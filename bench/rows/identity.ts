/**
 * What it costs to find out who asks: each kind of credentials, of somebody
 * who asked before, with a publish of 1 KB. Wrong ones are measured as well,
 * because they must not be a way to keep the server busy.
 */

import { createHmac, hash, hkdfSync } from "node:crypto";
import { silentLogger, systemClock } from "@carillon/core";
import {
  bootstrapIdentity,
  createHashLimit,
  createIdentity,
} from "@carillon/server";
import { MemoryStore } from "@carillon/testing";
import { atMost, type BenchResult } from "../result.ts";
import { alternate, median } from "../statistics.ts";

const mostMicroseconds = 100;
const key = new Uint8Array(32).fill(1);
const accessKey = "AKBENCHMARK000000001";
const secretKey = "SkBenchmark00000000000000000000000000001";
const projectId = "0123456789abcdef0123456789abcdef";
const path = `/v2/${projectId}/notifications/topics/urn:smn:local:${projectId}:alerts/publish`;
const body = Buffer.from(JSON.stringify({ message: "m".repeat(1000) }));

export async function benchIdentity({
  rounds = 7,
  checks = 20_000,
} = {}): Promise<BenchResult> {
  const identity = await createBenchIdentity();
  const login = await identity.login.withPassword({
    user: { name: "admin" },
    password: "benchmark",
    scope: { kind: "default" },
    address: "127.0.0.1",
  });
  const token = login?.token ?? "";
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");

  const microseconds = async (headers: Headers, isGood: boolean) => {
    const request = { method: "POST", url: path, headers, body };
    const begun = performance.now();
    for (let n = 0; n < checks; n++) {
      const found = identity.authenticate(request);
      const result = found instanceof Promise ? await found : found;
      if ("principal" in result !== isGood) {
        throw new Error(`not as expected: ${JSON.stringify(result)}`);
      }
    }
    return ((performance.now() - begun) * 1000) / checks;
  };
  const signed = (dialect: Dialect, secret = secretKey) =>
    sign(dialect, secret, new Date(systemClock.now()));

  const times = await alternate(rounds, {
    token: () => microseconds({ "x-auth-token": token }, true),
    "token, unknown": () =>
      microseconds({ "x-auth-token": "x".repeat(43) }, false),
    "key pair": () => microseconds({ authorization: `Basic ${pair}` }, true),
    "signature, plain": () => microseconds(signed("plain"), true),
    "signature, scoped": () => microseconds(signed("scoped"), true),
    "signature, derived": () => microseconds(signed("derived"), true),
    "signature, wrong": () => microseconds(signed("plain", "wrong"), false),
  });
  return {
    name: "who asks? (cached, 1 KB body)",
    rows: Object.entries(times).map(([metric, time]) =>
      atMost(metric, median(time), mostMicroseconds, "µs"),
    ),
  };
}

type Headers = Readonly<Record<string, string>>;
type Dialect = "plain" | "scoped" | "derived";

async function createBenchIdentity() {
  const store = new MemoryStore();
  const hashes = createHashLimit();
  await bootstrapIdentity(
    { store, newId: () => projectId, clock: systemClock, hashes, key },
    {
      region: "local",
      adminPassword: "benchmark",
      projectId,
      accessKey,
      secretKey,
    },
  );
  return createIdentity({
    store,
    clock: systemClock,
    logger: silentLogger,
    hashes,
    key,
  });
}

/** Headers of the request, signed as clients of each dialect do. */
function sign(dialect: Dialect, secret: string, at: Date): Headers {
  const date = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = date.slice(0, 8);
  const host = "127.0.0.1:7070";
  const encoded = path.replaceAll(":", "%3A");
  const canonical = `POST\n${encoded}/\n\nhost:${host}\nx-sdk-date:${date}\n\nhost;x-sdk-date\n${hash("sha256", body)}`;
  const digest = hash("sha256", canonical);
  const { credential, scope, signingKey } = dialects[dialect](secret, day);
  const algorithm = credential.slice(0, credential.indexOf(" "));
  const lines = [algorithm, date, ...(scope ? [scope] : []), digest];
  const signature = createHmac("sha256", signingKey)
    .update(lines.join("\n"))
    .digest("hex");
  return {
    host,
    "content-type": "application/json",
    "x-sdk-date": date,
    authorization: `${credential}, SignedHeaders=host;x-sdk-date, Signature=${signature}`,
  };
}

const dialects: Record<
  Dialect,
  (
    secret: string,
    day: string,
  ) => { credential: string; scope: string; signingKey: string | Buffer }
> = {
  plain: (secret) => ({
    credential: `SDK-HMAC-SHA256 Access=${accessKey}`,
    scope: "",
    signingKey: secret,
  }),
  scoped(secret, day) {
    const scope = `${day}///sdk_request`;
    return {
      credential: `SDK-HMAC-SHA256 Credential=${accessKey}/${scope}`,
      scope,
      signingKey: scope
        .split("/")
        .reduce<string | Buffer>(
          (key, part) => createHmac("sha256", key).update(part).digest(),
          `SDK${secret}`,
        ),
    };
  },
  derived(secret, day) {
    const scope = `${day}/local/smn`;
    return {
      credential: `V11-HMAC-SHA256 Credential=${accessKey}/${scope}`,
      scope,
      signingKey: Buffer.from(
        hkdfSync("sha256", secret, accessKey, scope, 32),
      ).toString("hex"),
    };
  },
};
