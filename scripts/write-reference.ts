/**
 * Writes the reference pages that come from the code: configuration with its
 * example file, `/api/v2`, the command line, error codes, roles, actions of the
 * audit log, events of the log and metrics. `test/docs.test.ts` fails when they are
 * not up to date.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { createProgram } from "../packages/cli/src/program.ts";
import { smnErrorCodes } from "../packages/server/src/api/smn/error-codes.ts";
import {
  problemCodes,
  problemStatus,
  problemTitle,
} from "../packages/server/src/api/v2/problem-codes.ts";
import {
  type ConfigKey,
  configGroups,
  listConfigKeys,
} from "../packages/server/src/config-schema.ts";
import {
  auditActionNames,
  auditActions,
} from "../packages/server/src/identity/audit-actions.ts";
import {
  credentialProjects,
  operations,
  permissions,
} from "../packages/server/src/identity/permissions.ts";
import { logEvents } from "../packages/server/src/logging/log-events.ts";
import {
  type MetricDefinition,
  metrics,
  processMetrics,
} from "../packages/server/src/metrics/metric-table.ts";
import {
  mailboxOutcomes,
  phoneOutcomes,
  webhookParameters,
} from "../packages/server/src/sandbox/outcomes.ts";
import { renderApiReference } from "./api-reference.ts";
import { listApiRoutes } from "./api-routes.ts";
import { escapeCell, origin, wrap } from "./markdown.ts";

/** Each page's content by its path from the root. */
export async function renderReference(): Promise<ReadonlyMap<string, string>> {
  const keys = listConfigKeys();
  return new Map([
    ["docs/reference/configuration.md", renderConfiguration(keys)],
    ["docs/reference/carillon.example.jsonc", renderExample(keys)],
    ["docs/reference/api-v2.md", renderApiReference(await listApiRoutes())],
    ["docs/reference/cli.md", renderCommands(await createProgram("all"))],
    ["docs/reference/errors.md", renderErrors()],
    ["docs/reference/audit.md", renderAuditActions()],
    ["docs/reference/roles.md", renderRoles()],
    ["docs/reference/log.md", renderLogEvents()],
    ["docs/reference/metrics.md", renderMetrics()],
    ["docs/reference/sandbox.md", renderSandbox()],
  ]);
}

function renderErrors(): string {
  const rows = problemCodes.map((code) => {
    const smn = code === "INTERNAL_ERROR" ? undefined : smnErrorCodes[code];
    return `| \`${code}\` | ${problemStatus(code)} | ${smn ? `${smn.status} ${smn.code}` : "500 SMN.0018"} | ${escapeCell(problemTitle(code))} |`;
  });
  return `${origin}

# Errors

Every failure has a stable code. \`/api/v2\` answers it as problem details (RFC
9457) in \`code\`, SMN's routes as SMN's own codes in both pairs of names. A code
is never reused or renamed within a major version; the sentence beside it may
change. What ends before its path was read is answered as on SMN's routes.

| code | /api/v2 | SMN | meaning |
|---|---|---|---|
${rows.join("\n")}
`;
}

function renderAuditActions(): string {
  const rows = auditActionNames.map(
    (name) => `| \`${name}\` | ${escapeCell(auditActions[name])} |`,
  );
  return `${origin}

# Audit log

The audit log has every log-in with a password, and every change of users,
projects, domains, access keys, signing keys, keys, opt-outs, topic attributes
(access policies among them), filter policies and bindings: when, by whom, from
which address, with the request's id. \`target\` is the path of the request, and
\`details\` says what was made (its \`id\` and \`name\`, the \`role\` and projects of a user, whose access key it is) or set
(\`role\`, \`enabled\`, the key of a binding): no secrets, no texts, phone numbers
masked. Entries stand by their times, newest first.

    carillon audit list
    carillon audit list --action login_refused

\`GET /api/v2/audit\` answers the same. An entry belongs to the domain that it is
about: that of the user who logged in, or of the user, project, key or topic that
was changed. Admins see the entries of their domain, also those of changes that
operators of another one made in it; operators see the whole installation. What is
changed for the whole installation (opt-outs, signing keys) stands in the domain of
who did it. An action that there is not is refused, with those that there are. A
page may be shorter than asked for, or empty, as long as it has \`next\`: a request
looks at 5000 entries at most.

Refused log-ins are counted and written once a minute, and when the server stops:
20 kinds of each domain, the rest of it in one entry. So is a change by PUT or PATCH
that the same user repeats from the same address, when it sets the very same again:
the first one is written at once, those of the next minute as one entry with their
count and the time of the last one. What is counted in the last minute before a
crash is not written. A log-in that was answered 429 was not checked, and is not
counted.

About 100,000 entries are kept. Each domain has an equal share of them, and what one
leaves the others use; within a domain each user has, and refused log-ins together
have, a share in the same way. The oldest entries of who has most give way, so that
many changes or log-ins push out entries of their own, not somebody else's. An
entry that cannot be written is in the log as \`audit_entry_lost\`; the change
stands.

## Actions

What entries are of: \`action\` in \`GET /api/v2/audit\`, and \`--action\` of
\`carillon audit list\`.

| action | what happened |
|---|---|
${rows.join("\n")}
`;
}

function renderSandbox(): string {
  const phones = phoneOutcomes.map(
    ({ ending, meaning, state }) =>
      `| \`…${ending}\` | ${escapeCell(meaning)} | \`${state}\` |`,
  );
  const mailboxes = mailboxOutcomes.map(
    ({ localPart, meaning, state }) =>
      `| \`${localPart}@…\` | ${escapeCell(meaning)} | \`${state}\` |`,
  );
  const parameters = webhookParameters.map(
    ({ name, least, most, meaning }) =>
      `| \`${name}\` | ${least} to ${most} | ${escapeCell(meaning)} |`,
  );
  return `${origin}

# The sandbox

\`carillon serve --sandbox\` has receivers built in: every phone number, every mailbox
and any number of webhooks. What they were sent is under \`/api/v2/sandbox\`, for each
project its own. Some of them force an outcome, so that each state of a delivery can be
seen and tested; [See every state](../tutorial/outcomes.md) goes through them.

- Confirmations of subscriptions, and notices that one has ended, arrive at all of them
  at once: what is forced is the outcome of what is published.
- "Twice" and \`times\` count for each message at each recipient, so that tests beside
  each other do not meet. Requests and mails that belong to no message are counted
  together for their recipient. The last 10,000 counts are kept, in memory.

## Phones

By the last digits of the number, such as \`+15550100003\`. All others get the text, and
a receipt says so.

| number | what happens | state |
|---|---|---|
${phones.join("\n")}

## Mailboxes

By what stands before the \`@\`, at any domain. All others take the mail at once. The
sandbox's own mail server gives these answers after the end of the mail; of several
recipients the first one that forces an outcome decides.

| mailbox | what happens | state |
|---|---|---|
${mailboxes.join("\n")}

A complaint is a report in the Abuse Reporting Format (RFC 5965). It is kept as a mail to
the sender (\`mailFrom\`), where \`/api/v2/sandbox/mails\` shows it. Carillon does not act on
such reports: the delivery stays \`delivered\`, and the subscription confirmed.

## Webhooks

\`/sandbox/webhooks/{name}\`, under any name of up to 128 characters, with parameters in
the address, such as \`?status=503&times=2&delay=3000&retry-after=10\`. Whatever is no whole
number within the bounds is answered 400, says so, and is not kept; so is a parameter
that stands there twice. Other parameters may be there: they make another webhook. An
attempt ends after \`httpTimeoutMs\`, 5 seconds by default, whatever the delay.

| parameter | values | meaning |
|---|---|---|
${parameters.join("\n")}
`;
}

function renderLogEvents(): string {
  const rows = Object.entries(logEvents).map(
    ([name, { levels, meaning }]) =>
      `| \`${name}\` | ${levels.join(", ")} | ${escapeCell(meaning)} |`,
  );
  return `${origin}

# Log

All events of the log. A line is one JSON object with \`level\`, \`time\` and \`event\`,
and fields that say the rest; on a terminal it is a short line for people. No
line has a token, a query, a body, a whole phone number or mail address. How much
is written, and where to: [The log](../guides/operate.md#the-log).

| event | level | what happened |
|---|---|---|
${rows.join("\n")}
`;
}

function renderMetrics(): string {
  const table = (entries: Readonly<Record<string, MetricDefinition>>) =>
    Object.entries(entries)
      .map(
        ([name, { type, labels, help }]) =>
          `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ") || "–"} | ${escapeCell(help)} |`,
      )
      .join("\n");
  return `${origin}

# Metrics

What \`/metrics\` shows, in Prometheus' text format. Who may read it, and how
Prometheus is set up: [Metrics](../guides/operate.md#health-metrics-and-alarms).

| metric | type | labels | meaning |
|---|---|---|---|
${table(metrics)}

Of the process and of Node.js, as prom-client has them, some on Linux only:

| metric | type | labels | meaning |
|---|---|---|---|
${table(processMetrics)}
`;
}

function renderRoles(): string {
  const rows = operations.map((operation) => {
    const { meaning, member, admin, operator } = permissions[operation];
    const reaches = [member, admin, operator].map((reach) =>
      reach === "none" ? "–" : reach,
    );
    return `| \`${operation}\` | ${escapeCell(meaning)} | ${reaches.join(" | ")} |`;
  });
  return `${origin}

# Roles

A user has one role:

- **member**: acts in the projects it is assigned to.
- **admin**: manages the projects, users and access keys of its domain, and acts
  in each of its projects. Other domains are not there for it.
- **operator**: manages all domains and the installation, and acts in each
  project. The user \`admin\` of the first start is one, and so is the command line
  on the data folder, which reads that user's key from \`credentials.json\`.
  Operators and their keys are made and changed by operators only. One that works
  is always left.

Credentials are for one project, or for none; a token can be for a domain
instead, the user's own, with operators any. Such a token does what the role
reaches without a project. Members get credentials for
${credentialWords.member}, admins for ${credentialWords.admin}, operators for
${credentialWords.operator}: without saying so their own domain's are meant, others
are named by their id, or by name and domain.

Each route does one operation; the table says how far it reaches. A request beyond
answers 403 if the path says whose it is, and otherwise as if nothing were there.
Access policies of a topic may let other projects use it
([access policies](../guides/access-policies.md)).

- **self**: the caller's own account, and the projects it may act in
- **project**: the project that the credentials are for
- **domain**: all projects and users of the caller's domain
- **all**: everything in the installation
- **–**: refused

| operation | what it is | member | admin | operator |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

const credentialWords = {
  member: words(credentialProjects.member),
  admin: words(credentialProjects.admin),
  operator: words(credentialProjects.operator),
};

function words(projects: "assigned" | "domain" | "all"): string {
  switch (projects) {
    case "assigned":
      return "the projects they are assigned to";
    case "domain":
      return "each project of their domain";
    case "all":
      return "each project there is";
    default:
      return projects satisfies never;
  }
}

function renderConfiguration(keys: readonly ConfigKey[]): string {
  const sections = configGroups.map((group) => {
    const rows = keys
      .filter((key) => key.group === group)
      .map(
        (key) =>
          `| \`${key.path}\` | \`${key.variable}\` | ${key.flag ? `\`${key.flag}\`` : "–"} | ${defaultOf(key)} | ${changesBy(key)} | ${escapeCell(`${key.description} Expects ${key.expected}.`)} |`,
      );
    return `## ${group}

| key | variable | flag | default | changes by | meaning |
|---|---|---|---|---|---|
${rows.join("\n")}`;
  });
  return `${origin}

# Configuration

Every key can be set in a file, by an environment variable and by a flag of
\`carillon serve\`. A flag goes over the environment, that over the file, that over
the default. All mistakes are reported at once, with their places, and the exit
code is 2; unknown keys and misspelt \`CARILLON_…\` variables are mistakes.

The file is named by \`--config\` or \`CARILLON_CONFIG\`. It is JSON, in which comments
and trailing commas are allowed; keys with a dot are in an object
(\`"sms": { "providers": […] }\`). [carillon.example.jsonc](carillon.example.jsonc)
has all keys with their defaults. An empty variable counts as unset. Lists are
separated by commas; a flag may also be given several times. What is true or false
is \`true\`, \`1\`, \`yes\` or \`on\`, else \`false\`, \`0\`, \`no\` or \`off\`; as a flag also
\`--sandbox\` and \`--no-sandbox\`, of which the last one counts. Passwords and keys
have no flag, because everybody on the machine can read command lines; neither have
guards (\`sms.guard\`), which belong into a file.

Keys of the group *First start* are presets for what is otherwise made up and
written to \`credentials.json\` in the data folder, readable by its owner only. They
count at the first start alone; later ones name them in a warning. \`carillon config
show\` lists what is set, and where each value is from.

What *changes by* reload is read again from the file by SIGHUP and by \`carillon config
reload\`, while the server runs; see [Changing the configuration while it
runs](../guides/operate.md#changing-the-configuration-while-it-runs). The rest needs a
restart.

${sections.join("\n\n")}

The command-line clients also read \`CARILLON_URL\`: where the server is.
`;
}

function changesBy({ group, reloadable }: ConfigKey): string {
  if (group === "First start") return "–";
  return reloadable ? "reload" : "restart";
}

function defaultOf(key: ConfigKey): string {
  const plain =
    key.default === undefined
      ? "unset"
      : `\`${Array.isArray(key.default) ? key.default.join(",") : String(key.default)}\``;
  return plain === "``" ? "none" : plain;
}

function renderExample(keys: readonly ConfigKey[]): string {
  const lines: string[] = [];
  /** The sections that the last line is in, outermost first. */
  let open: readonly string[] = [];
  const indent = (depth: number) => "  ".repeat(depth + 1);
  const enter = (sections: readonly string[]) => {
    let shared = 0;
    while (shared < open.length && open[shared] === sections[shared]) shared++;
    for (let depth = open.length; depth > shared; depth--) {
      lines.push(`${indent(depth - 1)}},`);
    }
    for (const [depth, name] of sections.entries()) {
      if (depth >= shared) lines.push(`${indent(depth)}"${name}": {`);
    }
    open = sections;
  };
  for (const key of keys) {
    // What this version refuses has no place in an example.
    if (key.unsupported) continue;
    const path = key.path.split(".");
    const sections = path.slice(0, -1);
    enter(sections);
    const before = indent(sections.length);
    lines.push(
      ...wrap(key.description, 76).map((line) => `${before}// ${line}`),
      `${before}${setting(path.at(-1) ?? "", key)}`,
    );
  }
  enter([]);
  return `// All keys of the configuration. Written by scripts/write-reference.ts.
{
${lines.join("\n")}
}
`;
}

/** The default; where there is none an example that is commented out. */
function setting(name: string, key: ConfigKey): string {
  const value = JSON.stringify(key.default ?? key.example ?? "…");
  return `${key.default === undefined ? "// " : ""}"${name}": ${value},`;
}

function renderCommands(program: Command): string {
  const sections = allCommands(program).map(
    ([name, command]) => `## ${name}

\`\`\`text
${helpOf(command)}
\`\`\``,
  );
  return `${origin}

# Command line

Results go to stdout: tables on a terminal, one JSON object per line when stdout
is no terminal; \`-o table\` and \`-o json\` choose. Failures and questions are on
stderr, a failure as one sentence. Colours are for terminals, and not with
\`NO_COLOR\`; on terminals sentences are broken between words. An option that does not
apply to what was asked for is refused.

A table fits the terminal; in a pipe it is as wide as \`COLUMNS\` says, or as its
cells are. Long endpoints and texts are cut in the middle or wrapped, and where
that is not enough each row is a block of \`head: value\` lines. Names are whole
everywhere; of ids there is as much as is unique, eight characters or
more. Commands take both: a thing is given by its name, its id, or the start of
its id; topics and subscriptions also by URN, subscriptions also by topic and
endpoint; a delivery by its message's, a dash and its number. What may mean several is refused with the candidates. \`show\` and
\`-o json\` have all fields whole.

What cannot be undone is asked for first, on the terminal, with what goes with it.
Where there is no terminal such a command needs \`--yes\`.

| exit code | what happened |
|---|---|
| 0 | done; a reader of stdout that left early counts as this |
| 1 | it failed, or the answer to a question was no |
| 2 | it was asked for in the wrong way: an unknown command or option, a mistake in the configuration, no \`--yes\` where there is no terminal |
| 3 | \`sms send --wait\`, \`emails send --wait\`: it is not sent yet, and attempted again |
| 130 | interrupted by Ctrl-C (other signals: 128 and their number) |

Server and keys come from one place, the first of these that is there:

1. \`--data\`: the \`credentials.json\` in a server's data folder; or \`--context\`: what
   \`carillon login\` kept.
2. \`CARILLON_URL\` with \`CARILLON_ACCESS_KEY\` and \`CARILLON_SECRET_KEY\` (and
   \`CARILLON_PROJECT_ID\`), or \`CARILLON_DATA\`. Some of the keys without both are
   refused, and so are misspelt \`CARILLON_\` variables.
3. The context that \`carillon login\` or \`carillon context use\` chose.
4. \`./carillon-data\`.

\`--url\` goes over the URL of any of them, \`CARILLON_URL\` over those of 2 to 4; but
keys that the command does not name are sent to no other server than their own
(those of a data folder also to this machine). \`carillon context show\` says which
server and keys a command would use, and why.

\`carillon login\` keeps a key pair, because a token would end after a day. With
\`--user\` it creates one by the user's password, which administrators may; members
are given a key (\`carillon key create\`). Secrets are typed hidden or read from
stdin, so that none is on a command line, in the shell's history or in the list of
processes.

A switch such as \`--sandbox\` is off with \`--no-sandbox\` or \`--sandbox=false\`, also
where the environment or the file has it on.

${sections.join("\n\n")}
`;
}

function allCommands(command: Command, prefix = ""): [string, Command][] {
  const name = `${prefix}${command.name()}`;
  return [
    [name, command],
    ...command.commands.flatMap((inner) => allCommands(inner, `${name} `)),
  ];
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}

if (import.meta.main) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  for (const [path, content] of await renderReference()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
