import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { rootCertificates } from "node:tls";
import { type ConfigSources, loadConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import {
  dkimRecordOf,
  findOtherFiles,
  toConfiguredEmail,
} from "./email-channel.ts";

const folder = mkdtempSync(join(tmpdir(), "carillon-email-"));
after(() => rmSync(folder, { recursive: true }));

const pemOf = (bits: number) =>
  String(
    generateKeyPairSync("rsa", { modulusLength: bits }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }),
  );
const key = pemOf(2048);
const keyFile = fileWith("dkim.pem", key);
const certificate =
  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

test("nothing configured: the service's own sender, no signature", () => {
  assert.deepEqual(toConfiguredEmail(loadConfig({ flags: {} })), {
    from: "noreply@localhost",
    senders: [],
    connections: 5,
    mailsPerSecond: undefined,
  });
});

test("the key of signatures comes from a file or a variable", () => {
  const env = {
    CARILLON_EMAIL_DKIM_DOMAIN: "example.com",
    CARILLON_EMAIL_DKIM_SELECTOR: "s1",
  };
  for (const variables of [
    { CARILLON_EMAIL_DKIM_KEY_FILE: keyFile },
    { CARILLON_EMAIL_DKIM_KEY: key },
    { CARILLON_EMAIL_DKIM_KEY: key.replaceAll("\n", "\\n") },
  ]) {
    const config = loadConfig({ env: { ...env, ...variables } });
    assert.deepEqual(toConfiguredEmail(config).dkim, {
      domain: "example.com",
      selector: "s1",
      privateKey: key,
    });
  }
});

test("what is said of the mail server's security is not the sandbox's", () => {
  const flags = { emailTls: "required", emailTlsServername: "mail.example" };
  assert.equal(toConfiguredEmail(loadConfig({ flags })).tls, undefined);
  const smtpUrl = "smtp://10.0.0.1";
  assert.deepEqual(
    toConfiguredEmail(loadConfig({ flags: { ...flags, smtpUrl } })).tls,
    { mode: "required", ca: undefined, servername: "mail.example" },
  );
});

test("files that say something else under the same names are found", () => {
  const file = fileWith("changing.pem", key);
  const read = () => {
    const config = loadConfig({
      flags: {
        smtpUrl: "smtp://10.0.0.1",
        emailDkimKeyFile: file,
        emailTlsCaFile: fileWith("root.pem", rootCertificates[0] ?? ""),
        ...dkim,
      },
    });
    return { config, configured: toConfiguredEmail(config) };
  };
  const before = read();
  const compare = (after: ReturnType<typeof read>) =>
    findOtherFiles(
      before.config,
      after.config,
      before.configured,
      after.configured,
    );
  assert.deepEqual(compare(read()), []);
  fileWith("changing.pem", pemOf(1024));
  assert.deepEqual(compare(read()), ["email.dkim.keyFile"]);
  assert.match(dkimRecordOf(read().config)?.text ?? "", /^v=DKIM1; k=rsa; p=/);
  const { configured } = before;
  const other = { ...configured, tls: { ca: "other" } };
  assert.deepEqual(
    findOtherFiles(before.config, before.config, configured, other),
    ["email.tlsCaFile"],
  );
});

const dkim = { emailDkimDomain: "example.com", emailDkimSelector: "s1" };

for (const [what, sources, place, problem] of [
  [
    "a backend that there is not",
    { emailBackend: "pigeon" },
    "email.backend",
    /smtp, debug/,
  ],
  [
    "a sender that is no address",
    { emailSenders: "example.com,*.example.com" },
    "email.senders",
    /^expected mail addresses .* or domains/,
  ],
  ["TLS that there is not", { emailTls: "yes" }, "email.tls", /opportunistic/],
  [
    "TLS that the URL contradicts",
    { smtpUrl: "smtp://u:hush@h?ignoreTLS=true", emailTls: "required" },
    "email.tls",
    /take \?ignoreTLS= out of smtpUrl/,
  ],
  [
    "a CA file that is not there",
    { emailTlsCaFile: join(folder, "none.pem") },
    "email.tlsCaFile",
    /none\.pem: there is no such file/,
  ],
  [
    "a CA file that holds a key",
    { emailTlsCaFile: keyFile },
    "email.tlsCaFile",
    /dkim\.pem: it is none/,
  ],
  [
    "a CA file that holds something else",
    { emailTlsCaFile: fileWith("ca.pem", certificate) },
    "email.tlsCaFile",
    /ca\.pem: it is none/,
  ],
  [
    "a base template that is not there",
    { emailBaseTemplate: join(folder, "none.html") },
    "email.baseTemplate",
    /none\.html: there is no such file/,
  ],
  [
    "a base template that is a folder",
    { emailBaseTemplate: folder },
    "email.baseTemplate",
    /a file of HTML, got .*: it is a folder|EISDIR|directory/,
  ],
  [
    "a base template that is too long",
    { emailBaseTemplate: fileWith("long.html", "x".repeat(65_537)) },
    "email.baseTemplate",
    /long\.html: it has more than 65536 characters/,
  ],
  [
    "too many files",
    { emailMaxAttachmentBytes: "99999999" },
    "email.maxAttachmentBytes",
    /26214400/,
  ],
  [
    "a DKIM domain alone",
    { emailDkimDomain: "example.com" },
    "email.dkim",
    /missing: selector, keyFile \(or key\)/,
  ],
  [
    "a DKIM key alone",
    { emailDkimKeyFile: keyFile },
    "email.dkim",
    /missing: domain, selector$/,
  ],
  [
    "a DKIM key that is not there",
    { ...dkim, emailDkimKeyFile: join(folder, "none.pem") },
    "email.dkim.keyFile",
    /none\.pem: there is no such file/,
  ],
  [
    "a short DKIM key",
    { ...dkim, emailDkimKeyFile: fileWith("short.pem", pemOf(768)) },
    "email.dkim.keyFile",
    /768 bits/,
  ],
  [
    "a DKIM key that is none",
    { ...dkim, emailDkimKeyFile: fileWith("hush.pem", "hush") },
    "email.dkim.keyFile",
    /not shown and is no such key/,
  ],
  [
    "a DKIM domain that is a URL",
    {
      ...dkim,
      emailDkimDomain: "https://example.com",
      emailDkimKeyFile: keyFile,
    },
    "email.dkim.domain",
    /a domain such as/,
  ],
] as const satisfies readonly (readonly [
  string,
  Record<string, string>,
  string,
  RegExp,
])[]) {
  test(`refuses ${what}`, () => {
    const { mistakes, message } = mistakesOf({ flags: sources });
    assert.equal(mistakes[0]?.key, place);
    assert.match(mistakes[0]?.problem ?? "", problem);
    assert.doesNotMatch(message, /hush(?!\.pem)/);
  });
}

test("refuses a key of signatures twice, and shows neither", () => {
  const { mistakes, message } = mistakesOf({
    flags: { ...dkim, emailDkimKeyFile: keyFile },
    env: { CARILLON_EMAIL_DKIM_KEY: key },
  });
  assert.deepEqual(
    mistakes.map((it) => [it.key, it.source]),
    [["email.dkim.key", "CARILLON_EMAIL_DKIM_KEY"]],
  );
  assert.doesNotMatch(message, /PRIVATE/);
});

function mistakesOf(sources: ConfigSources): ConfigError {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  return assert.fail("there is no mistake");
}

function fileWith(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
