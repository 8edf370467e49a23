/**
 * A webhook receiver in a process of its own that verifies what it gets, by
 * npm's `standardwebhooks` and, for ed25519, by node:crypto and the layout that
 * Standard Webhooks 1.0.0 gives. Whatever it cannot verify it refuses (401).
 */

import { createPublicKey, verify } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { ChildScript, serveParent } from "./child-script.ts";

export interface SignedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of the keys that the path has, those that the request verifies with. */
  readonly verifiedBy: readonly string[];
  readonly status: number;
}

const requests: SignedRequest[] = [];
/** `whsec_…` and `whpk_…`, by path. */
const keys = new Map<string, readonly string[]>();
/** Requests to refuse with 503 yet, by path. */
const failures = new Map<string, number>();

async function take(request: IncomingMessage): Promise<number> {
  const body = (await buffer(request)).toString();
  const { url: path = "/", headers } = request;
  const known = keys.get(path) ?? [];
  const verifiedBy = known.filter((key) => isSignedBy(key, headers, body));
  const failing = failures.get(path) ?? 0;
  if (failing > 0) failures.set(path, failing - 1);
  const isRefused = known.length > 0 && verifiedBy.length === 0;
  const status = failing > 0 ? 503 : isRefused ? 401 : 200;
  requests.push({ path, headers, body, verifiedBy, status });
  return status;
}

function isSignedBy(
  key: string,
  headers: IncomingHttpHeaders,
  body: string,
): boolean {
  if (key.startsWith("whpk_")) return isSignedByEd25519(key, headers, body);
  try {
    new Webhook(key).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

function isSignedByEd25519(
  key: string,
  headers: IncomingHttpHeaders,
  body: string,
): boolean {
  const x = Buffer.from(key.slice("whpk_".length), "base64");
  const publicKey = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") },
    format: "jwk",
  });
  const text = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return String(headers["webhook-signature"])
    .split(" ")
    .filter((one) => one.startsWith("v1a,"))
    .some((one) =>
      verify(
        null,
        Buffer.from(text),
        publicKey,
        Buffer.from(one.slice("v1a,".length), "base64"),
      ),
    );
}

const api = {
  async start(): Promise<number> {
    const server = createServer((request, response) => {
      void take(request).then((status) => response.writeHead(status).end());
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return (server.address() as AddressInfo).port;
  },
  setKeys(path: string, own: readonly string[]): void {
    keys.set(path, own);
  },
  failNext(path: string, times: number): void {
    failures.set(path, times);
  },
  requestsTo: (path: string): SignedRequest[] =>
    requests.filter((one) => one.path === path),
};

export type SignedWebhookProcess = ChildScript<typeof api> & {
  readonly url: string;
};

export async function startSignedWebhooks(): Promise<SignedWebhookProcess> {
  const script = new ChildScript<typeof api>(import.meta.url);
  const port = await script.call("start");
  return Object.assign(script, { url: `http://127.0.0.1:${port}` });
}

if (import.meta.main) serveParent(api);
