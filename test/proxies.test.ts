/** The proxy recipes of deploy/ in front of a real server, with TLS. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { connect } from "@carillon/client";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { findFreePort } from "./harness/free-port.ts";
import { root, run } from "./harness/npm.ts";
import { SandboxReader } from "./harness/sandbox-reader.ts";
import { findSystemProgram } from "./harness/system-program.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

interface Place {
  /** Where the proxy listens, on 127.0.0.1. */
  readonly port: number;
  /** Where it passes requests on to. */
  readonly upstream: string;
  /** For its files; empty. */
  readonly folder: string;
}

interface RunningProxy extends AsyncDisposable {
  readonly hasEnded: () => boolean;
  /** Answers the certificate to trust, once there is one. */
  readonly authority: () => Promise<string>;
}

const nginx = findSystemProgram("nginx", "nginx-light");
const openssl = findSystemProgram("openssl", "openssl");
const caddy = findSystemProgram("caddy", "caddy");

describe("nginx.conf", { skip: nginx.missing || openssl.missing }, () => {
  test("passes requests and addresses on", () => checkProxy(startNginx));
});

describe("Caddyfile", { skip: caddy.missing }, () => {
  test("passes requests and addresses on", () => checkProxy(startCaddy));
});

async function checkProxy(
  start: (place: Place) => Promise<RunningProxy>,
): Promise<void> {
  await using folder = await createFolder();
  await using data = await createFolder();
  const port = await findFreePort();
  const url = `https://localhost:${port}`;
  await using server = await CarillonProcess.start({
    data: data.path,
    args: ["--sandbox", "--public-url", url],
    env: { CARILLON_TRUSTED_PROXIES: "127.0.0.1/32" },
  });
  const upstream = new URL(server.url).host;
  await using proxy = await start({ port, upstream, folder: folder.path });
  await until(async () => {
    assert.equal(proxy.hasEnded(), false);
    try {
      setDefaultCACertificates([
        ...getCACertificates("default"),
        await proxy.authority(),
      ]);
      return (await fetch(`${url}/readyz`)).ok;
    } catch {
      return false;
    }
  }, "the proxy passes requests on");

  // Signed for the address that clients see.
  const { accessKey, secretKey, projectId } = credentials;
  const { smn, carillon } = connect({
    endpoint: url,
    accessKey,
    secretKey,
    projectId,
  });
  const sandbox = new SandboxReader({ url, authorization: basicAuthorization });
  const topic = await smn.createTopic({ name: "alerts" });
  await smn.createSubscription(topic, {
    protocol: "email",
    endpoint: "ada@example.org",
  });
  const invitation = await sandbox.mail(({ subject }) =>
    /^Confirm/.test(subject),
  );
  const confirmed = await sandbox.press(sandbox.linkIn(invitation.text, "c"));
  assert.match(confirmed, /Subscription confirmed/);
  await smn.publishMessage(topic, { message: "x".repeat(200_000) });
  await sandbox.mail(({ text }) => text.includes("xxx"));

  // The client's address is the one that the proxy saw, whatever it claims.
  await logIn(url, { from: "127.0.0.2", claiming: "203.0.113.9" });
  const [login] = await Array.fromAsync(
    carillon.audit.list({ action: "login" }),
  );
  assert.equal(login?.address, "127.0.0.2");
}

async function startNginx(place: Place): Promise<RunningProxy> {
  const { folder, port, upstream } = place;
  const certificate = join(folder, "fullchain.pem");
  const key = join(folder, "privkey.pem");
  const environment = { cwd: folder, env: process.env };
  await run(
    openssl.path,
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-keyout", key, "-out", certificate],
    ],
    environment,
  );
  const recipe = await readRecipe("nginx.conf", [
    ["listen 80;", `listen 127.0.0.1:${await findFreePort()};`],
    ["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`],
    ["server 127.0.0.1:7070;", `server ${upstream};`],
    ["/etc/ssl/carillon.example/", `${folder}/`],
    ["server_name carillon.example;", "server_name localhost;"],
  ]);
  const main = join(folder, "main.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    main,
    `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
${recipe}
}
`,
  );
  const settings = ["-c", main, "-e", "stderr"];
  const check = spawn(nginx.path, ["-t", ...settings]);
  assert.doesNotMatch(await text(check.stderr), /\[(warn|error|emerg)\]/);
  return toRunning(
    spawn(nginx.path, settings, { stdio: ["ignore", 2, 2] }),
    certificate,
  );
}

async function startCaddy(place: Place): Promise<RunningProxy> {
  const { folder, port, upstream } = place;
  const main = join(folder, "Caddyfile");
  const recipe = await readRecipe("Caddyfile", []);
  // Certificates of an authority of its own, as for any name in no public DNS.
  await writeFile(
    main,
    `{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
	skip_install_trust
	log {
		level ERROR
	}
}
${recipe}`,
  );
  const child = spawn(caddy.path, ["run", "--config", main], {
    stdio: ["ignore", 2, 2],
    env: {
      ...process.env,
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      DOMAIN: `https://localhost:${port}`,
      UPSTREAM: upstream,
    },
  });
  return toRunning(child, join(folder, "caddy/pki/authorities/local/root.crt"));
}

/** Disposing stops it, and waits for that. */
function toRunning(child: ChildProcess, certificate: string): RunningProxy {
  const ended = once(child, "exit");
  return {
    hasEnded: () => child.exitCode !== null,
    authority: () => readFile(certificate, "utf8"),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** A recipe with what has to be another on this machine, all of it found. */
async function readRecipe(
  name: string,
  replacements: readonly (readonly [found: string, other: string])[],
): Promise<string> {
  let recipe = await readFile(join(root, "deploy", name), "utf8");
  for (const [found, other] of replacements) {
    assert.ok(recipe.includes(found), `${name}: ${found}`);
    recipe = recipe.replaceAll(found, other);
  }
  return recipe;
}

/** Logs in with the password, from an address of this machine. */
async function logIn(
  url: string,
  { from, claiming }: { readonly from: string; readonly claiming: string },
): Promise<void> {
  const user = {
    name: "admin",
    domain: { name: "default" },
    password: credentials.adminPassword,
  };
  const sent = request(`${url}/v3/auth/tokens`, {
    method: "POST",
    localAddress: from,
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": claiming,
    },
  });
  sent.end(
    JSON.stringify({
      auth: {
        identity: { methods: ["password"], password: { user } },
        scope: { project: { id: credentials.projectId } },
      },
    }),
  );
  const [response] = await once(sent, "response");
  response.resume();
  assert.equal(response.statusCode, 201);
}
