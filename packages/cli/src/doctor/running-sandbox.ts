import type { Credentials } from "@carillon/server";
import { type CheckOptions, within } from "./check.ts";

/**
 * Whether the server that runs is a sandbox, which this command's own settings need
 * not say. False where that cannot be found out.
 *
 * @throws the signal's reason
 */
export async function isSandbox(
  credentials: Pick<Credentials, "accessKey" | "secretKey"> | undefined,
  url: string | undefined,
  { signal, timeoutMs = 5000 }: CheckOptions = {},
): Promise<boolean> {
  const { accessKey, secretKey } = credentials ?? {};
  if (url === undefined || secretKey === undefined) return false;
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  try {
    const { status, body } = await fetch(
      `${url}/api/v2/sandbox/mails?limit=1`,
      {
        headers: { authorization: `Basic ${pair}` },
        signal: within(timeoutMs, signal),
      },
    );
    await body?.cancel();
    return status === 200;
  } catch {
    signal?.throwIfAborted();
    // Whether it runs is another check's to say.
    return false;
  }
}
