import { Resolver } from "node:dns/promises";
import { type CheckOptions, type Finding, within } from "./check.ts";

/** Where bounces go, as the configuration has it. */
export interface BounceConfig {
  readonly domain?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * Do bounces come back? Empty when nobody wants them to.
 *
 * @throws the signal's reason
 */
export async function checkBounces(
  { domain, port }: BounceConfig,
  {
    signal,
    timeoutMs = 5000,
    resolveMx,
  }: CheckOptions & {
    /** Names of the domain's mail servers. Default: those of DNS. */
    readonly resolveMx?: (domain: string) => Promise<readonly string[]>;
  } = {},
): Promise<readonly Finding[]> {
  const check = "bounces";
  if (domain === undefined) return [];
  if (port === undefined) {
    return [
      {
        check,
        result: "warning",
        found: `they go to ${domain}, and nothing listens for them here`,
        advice:
          "Set email.bounces.port, unless another node of this service listens.",
      },
    ];
  }
  const ended = within(timeoutMs, signal);
  const resolver = new Resolver();
  ended.addEventListener("abort", () => resolver.cancel(), { once: true });
  const ask =
    resolveMx ??
    (async (name: string) =>
      (await resolver.resolveMx(name)).map(({ exchange }) => exchange));
  try {
    const servers = await ask(domain);
    if (servers.length > 0) {
      const found = `mail to ${domain} goes to ${servers.slice(0, 3).join(", ")}`;
      return [{ check, result: "ok", found }];
    }
    return [withoutServer(domain, "no MX record")];
  } catch (error) {
    signal?.throwIfAborted();
    const code =
      error instanceof Error && "code" in error ? String(error.code) : "failed";
    const why = ended.aborted ? `no answer in ${timeoutMs} ms` : code;
    return [withoutServer(domain, why)];
  }
}

function withoutServer(domain: string, why: string): Finding {
  return {
    check: "bounces",
    result: "warning",
    found: `no mail server of ${domain} is found (${why})`,
    advice:
      "Give the domain an MX record that leads to this machine, or to a mail server that passes its mail on to email.bounces.port.",
  };
}
