/** Does the public URL lead to this server, for everybody? */

import { lookup } from "node:dns/promises";
import { connect } from "node:tls";
import { isJsonObject } from "../json-object.ts";
import { type CheckOptions, type Finding, within } from "./check.ts";
import { checkClock } from "./clock.ts";
import { isLoopback } from "./links.ts";

export interface CheckPublicUrlOptions extends CheckOptions {
  /** The running server's, by which it is recognized; `undefined`: none runs. */
  readonly instance: string | undefined;
  /** Certificates to trust besides those of Node.js, as PEM. */
  readonly ca?: string;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

const day = 24 * 3_600_000;
const certificateNoticeDays = 14;

/**
 * Resolves the name, looks at the certificate, and compares who answers.
 *
 * @throws the signal's reason
 */
export async function checkPublicUrl(
  publicUrl: string | undefined,
  options: CheckPublicUrlOptions,
): Promise<readonly Finding[]> {
  if (publicUrl === undefined) return [];
  const url = new URL(publicUrl);
  const name = await checkName(url, options);
  if (name.result === "failed") return [name];
  if (url.protocol !== "https:") {
    return [name, ...(await checkAnswer(publicUrl, options))];
  }
  const certificate = await checkCertificate(url, options);
  return certificate.result === "failed"
    ? [name, certificate]
    : [name, certificate, ...(await checkAnswer(publicUrl, options))];
}

async function checkName(
  { hostname }: URL,
  { signal, timeoutMs = 5000 }: CheckOptions,
): Promise<Finding> {
  const check = "public name";
  const host = hostname.replace(/^\[|\]$/g, "");
  let addresses: readonly string[];
  try {
    const late = within(timeoutMs, signal);
    const found = await Promise.race([
      lookup(host, { all: true }),
      new Promise<never>((_, reject) => {
        late.addEventListener("abort", () => reject(late.reason));
      }),
    ]);
    addresses = found.map(({ address }) => address);
  } catch (error) {
    signal?.throwIfAborted();
    return {
      check,
      result: "failed",
      found: `${host} does not resolve (${reasonOf(error)})`,
      advice: `Add a DNS record for ${host}, or mend publicUrl.`,
    };
  }
  const found = `${host} is ${addresses.join(", ")}`;
  return !isLoopback(host) && addresses.every(isLoopback)
    ? {
        check,
        result: "warning",
        found: `${found}, which is this machine alone`,
        advice:
          "See that DNS gives others a public address: a line in /etc/hosts may hide it here.",
      }
    : { check, result: "ok", found };
}

async function checkCertificate(
  url: URL,
  { signal, timeoutMs = 5000, ca, now = Date.now() }: CheckPublicUrlOptions,
): Promise<Finding> {
  const check = "public certificate";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || 443);
  try {
    const { problem, endsAt } = await readCertificate(
      { host, port, ca },
      within(timeoutMs, signal),
    );
    const until = new Date(endsAt).toISOString().slice(0, 10);
    if (endsAt <= now || problem === "CERT_HAS_EXPIRED") {
      return {
        check,
        result: "failed",
        found: `that of ${host} ended on ${until}`,
        advice: "Renew it, and see that the proxy has loaded the new one.",
      };
    }
    if (problem !== undefined) {
      return {
        check,
        result: "failed",
        found: `clients do not trust that of ${host} (${problem})`,
        advice:
          problem === "ERR_TLS_CERT_ALTNAME_INVALID"
            ? `Get one that has the name ${host}.`
            : "Get one from an authority that clients know, and let the proxy send the whole chain; for an authority of your own set NODE_EXTRA_CA_CERTS.",
      };
    }
    return endsAt - now < certificateNoticeDays * day
      ? {
          check,
          result: "warning",
          found: `that of ${host} ends on ${until}`,
          advice: "Renew it now: clients refuse it from then on.",
        }
      : { check, result: "ok", found: `good until ${until}` };
  } catch (error) {
    signal?.throwIfAborted();
    return {
      check,
      result: "failed",
      found: `${host}:${port} speaks no TLS, or is not reached (${reasonOf(error)})`,
      advice: "See that the proxy runs, and that publicUrl has its port.",
    };
  }
}

function readCertificate(
  {
    host,
    port,
    ca,
  }: {
    readonly host: string;
    readonly port: number;
    readonly ca: string | undefined;
  },
  signal: AbortSignal,
): Promise<{ readonly problem: string | undefined; readonly endsAt: number }> {
  return new Promise((resolve, reject) => {
    // What is wrong with it is to be said: it is not refused.
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(/[a-z]/i.test(host) && !host.includes(":") && { servername: host }),
      ...(ca !== undefined && { ca }),
    });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      settle();
    };
    const abort = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", abort);
    socket.once("error", (error) => end(() => reject(error)));
    socket.once("secureConnect", () => {
      const { authorizationError } = socket;
      const endsAt = Date.parse(socket.getPeerCertificate().valid_to);
      end(() => resolve({ problem: codeOf(authorizationError), endsAt }));
    });
  });
}

/** Node.js gives a code where its types have an error. */
function codeOf(problem: unknown): string | undefined {
  if (!problem) return undefined;
  return problem instanceof Error ? reasonOf(problem) : String(problem);
}

async function checkAnswer(
  publicUrl: string,
  { signal, timeoutMs = 5000, instance }: CheckPublicUrlOptions,
): Promise<readonly Finding[]> {
  const check = "public URL";
  const base = publicUrl.replace(/\/+$/, "");
  let health: unknown;
  let status: number;
  let date: string | null;
  try {
    const response = await fetch(`${base}/healthz`, {
      redirect: "manual",
      signal: within(timeoutMs, signal),
    });
    ({ status } = response);
    date = response.headers.get("date");
    health = await response.json().catch(() => undefined);
  } catch (error) {
    signal?.throwIfAborted();
    return [
      {
        check,
        result: instance === undefined ? "skipped" : "failed",
        found: `${base} does not answer (${reasonOf(error)})`,
        advice:
          "See that the proxy runs and passes requests on to this server.",
      },
    ];
  }
  const theirs = isJsonObject(health) ? health.instance : undefined;
  if (instance === undefined) {
    const found = `${base} answers ${status}; no server runs here to compare it with`;
    return [{ check, result: "skipped", found }];
  }
  if (theirs !== instance) {
    return [
      {
        check,
        result: "failed",
        found:
          typeof theirs === "string"
            ? `another Carillon answers at ${base}`
            : `something else answers at ${base} (HTTP ${status})`,
        advice:
          "Let the proxy pass requests on to this server, without the path that publicUrl has.",
      },
    ];
  }
  const clock = checkClock("clock of the proxy", date);
  return [
    { check, result: "ok", found: `${base} is this server` },
    ...checkProxy(publicUrl, isJsonObject(health) ? health.proxy : undefined),
    // Most proxies pass the server's own time on.
    ...(clock.result === "ok" ? [] : [clock]),
  ];
}

function checkProxy(publicUrl: string, proxy: unknown): readonly Finding[] {
  const check = "proxy";
  if (proxy === "trusted") {
    return [{ check, result: "ok", found: "its clients' addresses are taken" }];
  }
  const isBehind = proxy === "untrusted" || publicUrl.startsWith("https:");
  if (!isBehind) return [];
  return [
    {
      check,
      result: "warning",
      found:
        proxy === "untrusted"
          ? "requests come through a proxy that trustedProxies does not list"
          : "the proxy does not say whose requests it passes on",
      advice:
        proxy === "untrusted"
          ? "All clients count as one, wrong passwords too: set trustedProxies to the proxy's address, such as 127.0.0.1/32."
          : "All clients count as one, wrong passwords too: let it set X-Forwarded-For, and list it in trustedProxies.",
    },
  ];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof Error) return reasonOf(cause);
  return "code" in error ? String(error.code) : error.message;
}
