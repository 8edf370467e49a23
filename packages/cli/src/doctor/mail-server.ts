import { connect as connectPlain } from "node:net";
import { createInterface } from "node:readline";
import { connect as connectTls } from "node:tls";
import { type CheckOptions, type Finding, within } from "./check.ts";

/** What of the configuration the check looks at. */
export interface MailServerSettings {
  readonly smtpUrl?: string | undefined;
  readonly sandbox: boolean;
  /** Absent: as the URL says. */
  readonly email?: {
    readonly backend: "smtp" | "debug";
    readonly tls?: "off" | "opportunistic" | "required" | "implicit";
    readonly tlsServername?: string;
  };
  /** Certificates in place of the system's. */
  readonly ca?: string | undefined;
}

/**
 * Does the mail server greet? Nothing is sent, nobody logs in.
 *
 * @throws the signal's reason
 */
export async function checkMailServer(
  { smtpUrl, sandbox, email, ca }: MailServerSettings,
  { signal, timeoutMs = 5000 }: CheckOptions = {},
): Promise<Finding> {
  const check = "mail server";
  if (email?.backend === "debug") {
    return {
      check,
      result: "warning",
      found: "email.backend is debug: mails are not sent",
      advice: "Set email.backend to smtp where they are meant to be.",
    };
  }
  if (smtpUrl === undefined) {
    return sandbox
      ? { check, result: "ok", found: "the sandbox keeps mails" }
      : {
          check,
          result: "warning",
          found: "none is configured: deliveries by e-mail fail",
          advice:
            "Set smtpUrl, such as smtp://user:password@mail.example.com:587.",
        };
  }
  const url = new URL(smtpUrl);
  const secure = url.protocol === "smtps:" || email?.tls === "implicit";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const servername = email?.tlsServername ?? host;
  const port = Number(url.port || (secure ? 465 : 587));
  const place = `${url.hostname}:${port}`;
  try {
    const greeting = await greet(
      { host, port, ...(secure && { tls: { servername, ca } }) },
      within(timeoutMs, signal),
    );
    if (greeting.startsWith("220")) {
      return { check, result: "ok", found: `${place} greets` };
    }
    return {
      check,
      result: "failed",
      found: `${place} says "${greeting.slice(0, 60)}"`,
      advice: "Is smtpUrl the address of a mail server?",
    };
  } catch (error) {
    signal?.throwIfAborted();
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const why = isLate ? `no answer in ${timeoutMs} ms` : reason(error);
    return {
      check,
      result: "failed",
      found: `${place} is not reached (${why})`,
      advice: "Check smtpUrl, the network and the mail server.",
    };
  }
}

interface MailServerPlace {
  readonly host: string;
  readonly port: number;
  readonly tls?: {
    readonly servername: string;
    readonly ca: string | undefined;
  };
}

function greet(
  { host, port, tls }: MailServerPlace,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls
      ? connectTls({
          host,
          port,
          servername: tls.servername,
          ...(tls.ca !== undefined && { ca: tls.ca }),
        })
      : connectPlain({ host, port });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      settle();
    };
    const abort = () => end(() => reject(signal.reason));
    signal.addEventListener("abort", abort);
    socket.once("error", (error) => end(() => reject(error)));
    const lines = createInterface({ input: socket });
    lines.once("line", (line) => end(() => resolve(line)));
    lines.once("close", () => end(() => reject(new Error("it hung up"))));
    // The interface passes on its input's error, which was handled above.
    lines.on("error", () => {});
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}
