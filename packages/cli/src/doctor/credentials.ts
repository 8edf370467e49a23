import type { Credentials } from "@carillon/server";
import { type CheckOptions, type Finding, within } from "./check.ts";

/**
 * Does the running server accept the key of `credentials.json`?
 *
 * @param url where it answers; `undefined`: none runs
 * @throws the signal's reason
 */
export async function checkCredentials(
  credentials: Pick<Credentials, "accessKey" | "secretKey"> | undefined,
  url: string | undefined,
  { signal, timeoutMs = 5000 }: CheckOptions = {},
): Promise<Finding> {
  const check = "credentials";
  if (!credentials) {
    return { check, result: "skipped", found: "there is no credentials.json" };
  }
  if (url === undefined) {
    return { check, result: "skipped", found: "no server runs to try them at" };
  }
  const { accessKey, secretKey } = credentials;
  if (accessKey === undefined || secretKey === undefined) {
    return {
      check,
      result: "warning",
      found:
        accessKey === undefined
          ? "the key of credentials.json was deleted"
          : `the key ${accessKey} of credentials.json is disabled`,
      advice,
    };
  }
  const pair = Buffer.from(`${accessKey}:${secretKey}`).toString("base64");
  let status: number;
  try {
    const response = await fetch(`${url}/api/v2/whoami`, {
      headers: { authorization: `Basic ${pair}` },
      signal: within(timeoutMs, signal),
    });
    await response.arrayBuffer();
    ({ status } = response);
  } catch (error) {
    signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return { check, result: "skipped", found: `they were not tried (${why})` };
  }
  if (status === 200) {
    return { check, result: "ok", found: "the server accepts their key" };
  }
  return status === 401
    ? {
        check,
        result: "warning",
        found: "the server does not accept the key of credentials.json",
        advice,
      }
    : { check, result: "skipped", found: `the server answers ${status}` };
}

const advice =
  "Commands on this machine fail: set CARILLON_ACCESS_KEY and CARILLON_SECRET_KEY to a key that is enabled, or stop the server and make one with carillon recover.";
