/** Requests as Huawei's SDKs sign and send them, over a socket. */

import { createHash, createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { TestServer } from "./test-server.ts";

export interface SignedRequestOptions {
  readonly method: string;
  /** With its query, whose parameters are in their order. */
  readonly path: string;
  /** What is signed in place of the path. */
  readonly signedPath?: string;
  readonly body?: string;
  /** What is signed in place of the body. */
  readonly signedBody?: string;
  /** When it is signed, in milliseconds; by default now. */
  readonly at?: number;
}

/** Signs with the administrator's key and sends to a port of 127.0.0.1. */
export async function sendSigned(
  { credentials, clock }: TestServer,
  port: number,
  options: SignedRequestOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  const { accessKey, secretKey, project } = credentials;
  const { method, path, body = "" } = options;
  const { signedPath = path, signedBody = body } = options;
  const date = new Date(options.at ?? clock.now())
    .toISOString()
    .replace(/[-:]|\.\d+/g, "");
  const [pathname = "", query = ""] = signedPath.split("?");
  const canonicalPath = pathname.split("/").map(encodeURIComponent).join("/");
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: `127.0.0.1:${port}`,
    "x-project-id": project.id,
    "x-sdk-date": date,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    `${canonicalPath}/`,
    query
      .split("&")
      .map((part) => (part === "" || part.includes("=") ? part : `${part}=`))
      .join("&"),
    names.map((name) => `${name}:${headers[name]}\n`).join(""),
    names.join(";"),
    createHash("sha256").update(signedBody).digest("hex"),
  ].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  const signature = createHmac("sha256", secretKey)
    .update(`SDK-HMAC-SHA256\n${date}\n${digest}`)
    .digest("hex");
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: "127.0.0.1",
        method,
        path,
        headers: {
          ...headers,
          ...(body !== "" && { "content-length": Buffer.byteLength(body) }),
          authorization: `SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
        },
      },
      async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, body: text });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
