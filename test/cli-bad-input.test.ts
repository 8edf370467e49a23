/**
 * Each command against servers that are not there, are no Carillon or refuse,
 * on narrow terminals, with readers that leave early, and with Ctrl-C: one
 * sentence, the right exit code, nothing half done.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import {
  createServer as createHttpServer,
  type RequestListener,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { EpochMs } from "@carillon/core";
import type { Command } from "commander";
import { createSelfSignedCertificate } from "../packages/channels/src/http/certificate.ts";
import { createProgram } from "../packages/cli/src/program.ts";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import type { Outcome } from "./harness/run-commands.ts";
import { environmentOf, runTogether } from "./harness/run-together.ts";
import { onTerminal, whyNoTerminal } from "./harness/terminal.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const main = join(root, "packages/cli/src/main.ts");

let folder: string;
let data: string;
let server: CarillonProcess;
/** Each command that asks a server, with what it needs. */
let commandLines: readonly (readonly string[])[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "carillon-cli-bad-"));
  data = join(folder, "data");
  server = await CarillonProcess.start({ data, args: ["--sandbox"] });
  commandLines = [...clientCommands(await createProgram("all"))];
});

after(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

test("there are as many commands as were thought of", () => {
  assert.ok(commandLines.length >= 50, String(commandLines.length));
});

test("no server", async () => {
  const url = await closedUrl();
  await allFail(url, /^No server answers at http:\/\/127.*carillon serve/);
});

test("no such host", async () => {
  await allFail(
    "http://nosuch.invalid",
    /^(There is no host nosuch\.invalid|The address of nosuch\.invalid cannot be looked up)/,
  );
});

test("a port that fetch refuses", async () => {
  await allFail("http://127.0.0.1:25", /^127\.0\.0\.1:25 is a port that is /);
});

test("the connection is reset", async (t) => {
  const reset = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  const url = await listen(t, reset);
  await allFail(url, /^http:\S+ closed the connection without an answer/);
});

test("a server of something else than HTTP", async (t) => {
  const ssh = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.write("SSH-2.0-OpenSSH_9.2\r\n");
  });
  await allFail(await listen(t, ssh), /^\S+ does not speak HTTP: /);
});

test("https where http is spoken", async (t) => {
  const url = await listen(t, createHttpServer());
  await allFail(url.replace("http:", "https:"), /^\S+ does not speak TLS: /);
});

test("http where https is spoken", async (t) => {
  const url = await listen(
    t,
    createHttpsServer(await certificate("localhost")),
  );
  await allFail(url, /^http:\S+ closed .* its URL begins with https:\/\//);
});

test("a certificate of an unknown authority", async (t) => {
  const url = await listen(
    t,
    createHttpsServer(await certificate("localhost")),
  );
  await allFail(
    url.replace("http:", "https:"),
    /^\S+ has a certificate of an authority .* NODE_EXTRA_CA_CERTS\.$/,
  );
});

test("a certificate for another name, and one that has expired", async (t) => {
  const other = await certificate("elsewhere.example.com");
  const otherUrl = await listen(t, createHttpsServer(other));
  const trust = { NODE_EXTRA_CA_CERTS: other.path };
  await allFail(
    otherUrl.replace("http:", "https:"),
    /^The certificate of \S+ is for another name: /,
    trust,
  );
  const old = await certificate("localhost", true);
  const oldUrl = await listen(t, createHttpsServer(old));
  await allFail(
    oldUrl.replace("http:", "https:"),
    /^The certificate of \S+ has expired: /,
    { NODE_EXTRA_CA_CERTS: old.path },
  );
});

for (const [title, status, type, body, pattern] of [
  ["a page", 200, "text/html", "<html></html>", /^\S+ is no Carillon: /],
  [
    "a page that is not there",
    404,
    "text/html",
    "<html></html>",
    /^\S+ answered without a reason of Carillon's \(HTTP 404\)/,
  ],
  [
    "a proxy's complaint that it speaks TLS",
    400,
    "text/html",
    "<html>The plain HTTP request was sent to HTTPS port</html>",
    /^\S+ refused .* if it speaks TLS, its URL begins with https:\/\/\.$/,
  ],
  [
    "an operation that this server does not have",
    404,
    "application/problem+json",
    '{"title":"No such route","code":"ROUTE_NOT_FOUND"}',
    /a Carillon of the same version as this command\?$|^This server has no sandbox: /,
  ],
  [
    "a wrong key",
    401,
    "application/problem+json",
    '{"title":"No","code":"AUTHENTICATION_FAILED"}',
    /^\S+ does not accept the keys of CARILLON_ACCESS_KEY /,
  ],
  [
    "no permission",
    403,
    "application/problem+json",
    '{"detail":"Users with the role member may not do this (users.read): it needs admin or operator.","code":"PERMISSION_DENIED"}',
    /it needs admin or operator \(PERMISSION_DENIED, HTTP 403\)\.$/,
  ],
  [
    "a redirect",
    308,
    "text/plain",
    "",
    /^\S+ leads elsewhere by a redirect|without a reason of Carillon's/,
  ],
] as const) {
  test(`the server answers with ${title}`, async (t) => {
    const url = await listen(
      t,
      createHttpServer(answering(status, type, body)),
    );
    await allFail(url, pattern);
  });
}

test("the real server's refusals", async () => {
  const wrong = await runAll(
    // A link is good without keys.
    commandLines.filter(([, verb]) => verb !== "confirm"),
    { ...keys(server.url), CARILLON_SECRET_KEY: "wrong" },
  );
  for (const outcome of wrong) {
    assertFailed(outcome, /does not accept the keys of CARILLON_ACCESS_KEY/);
  }
  const [made] = await done([
    ["user", "create", "plain", "--project", "default"],
    ["key", "create", "plain"],
  ]).then((outcomes) => outcomes.slice(1));
  const member = JSON.parse(made?.stdout ?? "") as {
    accessKey: string;
    secretKey: string;
  };
  const administration = commandLines.filter(([noun = ""]) =>
    ["user", "project", "key", "audit", "certificate"].includes(noun),
  );
  assert.ok(administration.length > 20);
  const refused = await runAll(administration, {
    CARILLON_URL: server.url,
    CARILLON_ACCESS_KEY: member.accessKey,
    CARILLON_SECRET_KEY: member.secretKey,
  });
  for (const outcome of refused) {
    assertFailed(outcome, /role member may not do this .* it needs (admin|op)/);
  }
});

test("what is not there is named, and nothing is advised that makes it", async () => {
  const about = commandLines.filter(([, verb = ""]) =>
    [
      "show",
      "delete",
      "enable",
      "disable",
      "update",
      "role",
      "rotate",
      "cancel",
      "retry",
    ].includes(verb),
  );
  const outcomes = await runAll(
    [
      ...about.filter(
        ([noun, verb]) =>
          noun !== "opt-outs" && `${noun} ${verb}` !== "certificate rotate",
      ),
      // Who opts out is a phone number.
      ["opt-outs", "delete", "+15550100199"],
    ],
    keys(server.url),
  );
  assert.ok(outcomes.length > 25, String(outcomes.length));
  for (const outcome of outcomes) {
    assertFailed(
      outcome,
      /^There is no [a-z -]+ "\S+".*carillon [a-z -]+ list/,
    );
    assert.doesNotMatch(outcome.stderr, /create/);
  }
});

test("what cannot be undone is refused without a yes, and is not done", async () => {
  const deletions: string[][] = [];
  for (const [noun = "", ...words] of [
    ["topic", "doomed"],
    ["user", "doomed"],
    ["project", "doomed"],
    ["domain", "doomed"],
    ["topic-templates", "doomed", "text"],
  ]) {
    await done([[noun, "create", ...words]]);
    deletions.push([noun, "delete", "doomed"]);
  }
  deletions.push(["key", "delete", credentials.accessKey.slice(0, 19)]);
  deletions.push(["key", "disable", credentials.accessKey]);
  await done([["subscription", "create", "doomed", "sms", "+15550100011"]]);
  deletions.push(["subscription", "delete", "doomed", "+15550100011"]);
  const outcomes = await runAll(deletions, keys(server.url));
  for (const { words, code, stdout, stderr } of outcomes) {
    assert.deepEqual([code, stdout], [2, ""], `${words}: ${stderr}`);
    assert.match(
      stderr,
      /^(Delete|Disable) .*\? There is no terminal to ask on: say so with --yes\.\n$/,
    );
  }
  assert.match(
    outcomes[0]?.stderr ?? "",
    /^Delete topic doomed and its subscription\?/,
  );
  assert.match(outcomes[5]?.stderr ?? "", /by which this very command acts/);
  await done([
    ["topic", "show", "doomed"],
    ["subscription", "delete", "doomed", "+15550100011", "--yes"],
    ...["topic", "user", "project", "domain", "topic-templates"].map((noun) => [
      noun,
      "delete",
      "doomed",
      "--yes",
    ]),
  ]);
});

test("a terminal is asked", async (t) => {
  const reason = whyNoTerminal();
  if (reason !== undefined) {
    t.skip(reason);
    return;
  }
  await done([["topic", "create", "asked"]]);
  const remove = (typed: string) =>
    onTerminal(
      [process.execPath, "--conditions=source", main, "topic delete asked"],
      { cwd: folder, env: environmentOf({ folder, env: keys(server.url) }) },
      [["[y/N] ", typed]],
    );
  const no = await remove("n\r");
  assert.match(no.output, /Delete topic asked\? \[y\/N\] /);
  assert.equal(no.code, 1);
  const interrupted = await remove("\x03");
  assert.match(interrupted.output, /Interrupted; nothing was changed\./);
  assert.equal(interrupted.code, 130);
  await done([["topic", "show", "asked"]]);
  const yes = await remove("y\r");
  assert.equal(yes.code, 0, yes.output);
  const [gone] = await runAll([["topic", "show", "asked"]], keys(server.url));
  assert.equal(gone?.code, 1);
});

test("lists fit 80 columns and 40, and have whole names", async () => {
  const name = "alerts-of-the-warehouse";
  await done([
    ["topic", "create", name, "--display-name", `Alerts ${"x".repeat(60)}`],
    [
      ...["subscription", "create", name, "https"],
      `https://hooks.example.com/${"y".repeat(100)}`,
    ],
    ["templates", "create", "sms/code", "Your code is {{ code }}"],
    [
      "topic-templates",
      "create",
      name,
      "The disk of {host} is {percent} % full",
    ],
    ["kms", "create", name],
    ["user", "create", name, "--project", "default"],
    ["key", "create", name],
    ["publisher", "create", name, "--topic", name],
    ["subscriber", "create", name],
  ]);
  const lists = commandLines.filter(([, verb]) => verb === "list");
  assert.ok(lists.length >= 10);
  for (const width of [80, 40]) {
    const outcomes = await runAll(
      lists.map((words) => [...words.slice(0, 2), "-o", "table"]),
      { ...keys(server.url), COLUMNS: String(width) },
    );
    for (const { words, code, stdout, stderr } of outcomes) {
      assert.equal(code, 0, stderr);
      for (const line of stdout.split("\n")) {
        assert.ok(
          [...line].length <= width,
          `${words} is ${line.length} wide: ${line}`,
        );
      }
      assert.ok(!stdout.includes("\x1b"));
    }
    for (const noun of [
      ...["topic", "topic-templates", "kms", "user", "key"],
      ...["publisher", "subscriber"],
    ]) {
      const of = outcomes.find(({ words }) => words[0] === noun);
      assert.ok(of?.stdout.includes(name), of?.stdout);
    }
  }
});

test("what tables show is accepted: names, short ids, topic and endpoint", async () => {
  const [created] = await done([
    ["topic", "create", "short"],
    ["subscription", "create", "short", "sms", "+15550100012"],
  ]).then((outcomes) => outcomes.slice(1));
  const { subscription_urn: urn } = JSON.parse(created?.stdout ?? "") as {
    subscription_urn: string;
  };
  const id = urn.split(":").at(-1) ?? "";
  const shown = await done([
    ["subscription", "show", id.slice(0, 31)],
    ["subscription", "show", urn],
    ["subscription", "show", "short", "+15550100012"],
  ]);
  for (const { stdout } of shown) assert.ok(stdout.includes(urn));
  const [users] = await done([["user", "list"]]);
  const { id: userId } = JSON.parse(users?.stdout.split("\n")[0] ?? "") as {
    id: string;
  };
  const [user] = await done([["user", "show", userId.slice(0, 31)]]);
  assert.equal(JSON.parse(user?.stdout ?? "").id, userId);
});

test("a reader that leaves early is no failure", async () => {
  await done([["topic", "create", "early"]]);
  for (const words of [
    ["topic", "list"],
    ["user", "list", "-o", "table"],
    ["topic", "show", "early"],
    ["topic", "create", "early"],
    ["help"],
  ]) {
    const child = start(words);
    child.stdout.destroy();
    const stderr = await text(child.stderr);
    const [code] =
      child.exitCode === null ? await once(child, "close") : [child.exitCode];
    assert.deepEqual([code, stderr], [0, ""], words.join(" "));
  }
});

test("Ctrl-C while the server is silent ends with one sentence", async (t) => {
  for (const words of [
    ["topic", "list"],
    ["user", "delete", "ann", "--yes"],
    ["publish", "t", "x"],
    ["publish", "t", "x", "--wait"],
  ]) {
    const asked = Promise.withResolvers<void>();
    const url = await listen(
      t,
      createHttpServer(() => asked.resolve()),
    );
    const child = start(words, url);
    await asked.promise;
    child.kill("SIGINT");
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    assert.deepEqual(
      [code, stdout, stderr],
      [130, "", "Interrupted.\n"],
      words.join(" "),
    );
  }
});

/** Runs each command there is against a server; all must fail with that. */
async function allFail(
  url: string,
  pattern: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const outcome of await runAll(commandLines, { ...keys(url), ...env })) {
    assertFailed(outcome, pattern);
  }
}

/** Exit code 1, one sentence on stderr, nothing on stdout. */
function assertFailed(
  { words, code, stdout, stderr }: Outcome,
  pattern: RegExp,
): void {
  const line = words.join(" ");
  assert.deepEqual([code, stdout], [1, ""], `${line}: ${stderr}`);
  assert.match(stderr, /^[^\n]+[.?]\n$/, line);
  assert.match(stderr.trimEnd(), pattern, line);
}

/** Runs commands on the real server that must succeed. */
async function done(
  lines: readonly (readonly string[])[],
): Promise<readonly Outcome[]> {
  const outcomes = await runAll(lines, keys(server.url));
  for (const { words, code, stderr } of outcomes) {
    assert.equal(code, 0, `carillon ${words.join(" ")}: ${stderr}`);
  }
  return outcomes;
}

function runAll(
  lines: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Outcome[]> {
  return runTogether(lines, { folder, env });
}

function start(words: readonly string[], url = server.url) {
  const child = spawn(
    process.execPath,
    ["--conditions=source", main, ...words],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: environmentOf({ folder, env: keys(url) }),
    },
  );
  return child;
}

function keys(url: string): Record<string, string> {
  return {
    CARILLON_URL: url,
    CARILLON_ACCESS_KEY: credentials.accessKey,
    CARILLON_SECRET_KEY: credentials.secretKey,
    CARILLON_PROJECT_ID: credentials.projectId,
  };
}

/** Every command that has `--url`, with words for what it must be given. */
function* clientCommands(
  command: Command,
  path: readonly string[] = [],
): Generator<readonly string[]> {
  for (const inner of command.commands) {
    const words = [...path, inner.name()];
    yield* clientCommands(inner, words);
    const asksServer = inner.options.some(({ long }) => long === "--url");
    // The first says where it would ask, the others have no file to ask about.
    const asksNothing = ["context show", "templates sync", "import pymess"];
    if (!asksServer || asksNothing.includes(words.join(" "))) continue;
    yield [
      ...words,
      ...inner.registeredArguments
        // Without a text publish reads standard input, which has none.
        .filter(
          (argument) =>
            argument.required ||
            ["topic", "text", "body"].includes(argument.name()),
        )
        .map(
          (argument) =>
            argument.argChoices?.[0] ??
            wordFor(`${words[0]} ${argument.name()}`),
        ),
      ...inner.options
        .filter(({ mandatory }) => mandatory)
        .flatMap(({ long }) => [long ?? "", "x"]),
      // One option of several is expected.
      ...(words.join(" ") === "emails send" ? ["--text", "x"] : []),
      ...(words.join(" ") === "subscriber set" ? ["--quota", "1"] : []),
      ...(inner.options.some(({ long }) => long === "--yes") ? ["--yes"] : []),
    ];
  }
}

/** What fits an argument, and is nowhere. */
function wordFor(argument: string): string {
  switch (argument) {
    case "templates template":
      return "sms/nosuchthing";
    case "templates objects":
      return "order=nosuchthing";
    case "templates folder":
      return ".";
    case "sms text":
    case "emails mail":
      // `sms send` and `sms explain` take it as their text.
      return `${"0".repeat(32)}-0`;
    default:
      return "nosuchthing";
  }
}

async function listen(
  t: TestContext,
  listener: {
    listen(port: number, host: string): unknown;
    address(): unknown;
    close(): unknown;
  } & NodeJS.EventEmitter,
): Promise<string> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    if ("closeAllConnections" in listener) {
      (listener.closeAllConnections as () => void)();
    }
    listener.close();
  });
  const { port } = listener.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

async function closedUrl(): Promise<string> {
  const gone = createTcpServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  return `http://127.0.0.1:${port}`;
}

function answering(
  status: number,
  type: string,
  body: string,
): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(status, {
      "content-type": type,
      ...(status === 308 && { location: "https://elsewhere.example.com/" }),
    });
    response.end(body);
  };
}

let certificates = 0;

/** A certificate of its own authority, for a name. */
async function certificate(name: string, isExpired = false) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const day = 24 * 60 * 60 * 1000;
  const notBefore = Date.now() - (isExpired ? 3 : 1) * day;
  const cert = await createSelfSignedCertificate({
    privateKey,
    commonName: name,
    notBefore: notBefore as EpochMs,
    notAfter: (notBefore + 2 * day) as EpochMs,
  });
  const path = join(folder, `certificate-${certificates++}.pem`);
  await writeFile(path, cert);
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  return { path, key, cert };
}
