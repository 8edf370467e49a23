import type { Finding } from "./check.ts";

/** Can those who get messages open the links in them? */
export function checkLinks({
  host,
  publicUrl,
  sandbox,
}: {
  readonly host: string;
  readonly publicUrl?: string | undefined;
  readonly sandbox: boolean;
}): Finding {
  const check = "links";
  const advice =
    "Set publicUrl to the address under which people reach this server, such as https://notify.example.com.";
  if (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname)) {
    return { check, result: "ok", found: `they begin with ${publicUrl}` };
  }
  if (isLoopback(host) && sandbox) {
    return { check, result: "ok", found: "for this machine alone (sandbox)" };
  }
  if (publicUrl !== undefined) {
    return {
      check,
      result: isLoopback(host) ? "warning" : "failed",
      found: `they begin with ${publicUrl}, which is each reader's own machine`,
      advice,
    };
  }
  return isLoopback(host)
    ? {
        check,
        result: "warning",
        found: "they lead to this machine, and open on no other",
        advice,
      }
    : {
        check,
        result: sandbox ? "warning" : "failed",
        found: `the server listens on ${host}, and its links lead to 127.0.0.1`,
        advice,
      };
}

/** By name or address; an IPv6 address may be in brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return /^(127(\.\d+){3}|::1|::ffff:127\..*|(.+\.)?localhost)$/i.test(bare);
}
