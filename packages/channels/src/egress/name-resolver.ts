/**
 * Turns host names into addresses. The operating system's own resolver blocks
 * a thread per question, and four such threads serve the whole process: a few
 * domains whose name servers hang would stop all others, and signatures and
 * files too. So DNS is asked without threads first, and the system only for
 * what DNS does not know (the hosts file, search domains, names without dots).
 */

import { lookup, Resolver } from "node:dns/promises";
import { ConcurrencyLimit, orAborted } from "@carillon/core";

/** Answers a name's addresses in text form, preferred ones first. */
export type ResolveName = (host: string) => Promise<readonly string[]>;

/** Whom to ask for names, and how long to wait for an answer. */
export interface SystemResolverOptions {
  /** Name servers as `address:port`. Default: the machine's. */
  readonly servers?: readonly string[];
  /** How long a name server has for its answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** An abort ends the questions under way; none is asked any more. */
  readonly signal?: AbortSignal;
}

/**
 * Builds a resolver that asks name servers, and the system for what they do not
 * know. Questions for one host at the same time are asked once.
 */
export function createSystemResolver(
  options: SystemResolverOptions = {},
): ResolveName {
  const { servers, timeoutMs = 2000, signal } = options;
  const dns = new Resolver({ timeout: timeoutMs, tries: 2 });
  if (servers !== undefined) dns.setServers(servers);
  signal?.addEventListener("abort", () => dns.cancel(), { once: true });
  const lookups = new ConcurrencyLimit({ max: 2 });
  const underWay = new Map<string, Promise<readonly string[]>>();

  async function resolve(host: string): Promise<readonly string[]> {
    signal?.throwIfAborted();
    if (host.includes(".")) {
      const addresses = await ask(dns, host);
      if (addresses.length > 0) return addresses;
    }
    const found = await lookups.run(
      // It cannot be ended, but it need not be waited for.
      () => orAborted(lookup(host, { all: true }), signal),
      { signal },
    );
    return found.map(({ address }) => address);
  }

  return (host) => {
    // A fan-out opens many connections to one host at once: one question.
    const asked = underWay.get(host);
    if (asked !== undefined) return asked;
    const answer = resolve(host).finally(() => underWay.delete(host));
    underWay.set(host, answer);
    return answer;
  };
}

/**
 * Both kinds of addresses, IPv4 first: many machines have no IPv6 route. None
 * when DNS says that there is no such name, or when there is no DNS.
 */
async function ask(dns: Resolver, host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([
    dns.resolve4(host),
    dns.resolve6(host),
  ]);
  const addresses: string[] = [];
  let failure: unknown;
  for (const answer of answers) {
    if (answer.status === "fulfilled") addresses.push(...answer.value);
    else if (!isAbsence(answer.reason)) failure ??= answer.reason;
  }
  if (addresses.length === 0 && failure !== undefined) throw failure;
  return addresses;
}

function isAbsence(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ENOTFOUND" ||
      error.code === "ENODATA" ||
      error.code === "ECONNREFUSED" ||
      error.code === "EBADNAME")
  );
}
