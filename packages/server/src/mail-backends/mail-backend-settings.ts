/**
 * What `email.backends` of the configuration may hold, and what is wrong with it in
 * words. Values may be secret: no sentence here shows one.
 */

import {
  problemWithDkimKey,
  problemWithMailBackend,
  problemWithSmtpTls,
  problemWithSmtpUrl,
  type SmtpTlsMode,
  smtpTlsModes,
} from "@carillon/channels/email-settings";
import type { Static } from "typebox";
import { Check } from "typebox/schema";
import type { Config } from "../config.ts";
import { Type } from "../json-schema.ts";
import { unreadFile } from "../provider-entries.ts";
import { makeMailBackend } from "./make-mail-backend.ts";

const name = Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,31}$" });

/** The backend that the other settings of e-mail are. */
export const defaultBackendName = "default";

/** An entry, as far as all have it; see {@link MailBackendEntry}. */
export const MailBackendSetting = Type.Refine(
  Type.Object({ type: Type.String(), name }),
  (entry) => problemsWithEntry(entry).length === 0,
);

export type MailBackendSetting = Static<typeof MailBackendSetting>;

/** An entry that nothing is wrong with. */
export type MailBackendEntry =
  | {
      readonly type: "smtp";
      readonly name: string;
      readonly smtpUrl: string;
      readonly tls?: SmtpTlsMode;
      /** Certificates, in PEM. */
      readonly tlsCa?: string;
      readonly tlsServername?: string;
      readonly connections?: number;
      readonly mailsPerSecond?: number;
      readonly dkim?: {
        readonly domain: string;
        readonly selector: string;
        /** In PEM. */
        readonly key: string;
      };
    }
  | { readonly type: "debug"; readonly name: string }
  | {
      readonly type: "module";
      readonly name: string;
      readonly module: string;
      readonly settings?: Readonly<Record<string, unknown>>;
    };

interface Member {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly expected: string;
  readonly isOptional?: true;
  problem?(value: never): string | undefined;
}

const text = (pattern: string, expected: string): Member => ({
  schema: { type: "string", pattern },
  expected,
  isOptional: true,
});

const count = (maximum: number): Member => ({
  schema: { type: "integer", minimum: 1, maximum },
  expected: `a whole number from 1 to ${maximum}`,
  isOptional: true,
});

const members: Readonly<
  Record<MailBackendEntry["type"], Readonly<Record<string, Member>>>
> = {
  smtp: {
    smtpUrl: {
      schema: { type: "string" },
      expected: "a URL such as smtp://user:password@mail.example.com:587",
      problem: problemWithSmtpUrl,
    },
    tls: {
      schema: { enum: [...smtpTlsModes] },
      expected: `one of ${smtpTlsModes.join(", ")}`,
      isOptional: true,
    },
    tlsCa: text("-----BEGIN CERTIFICATE-----", "certificates in PEM"),
    tlsServername: text("^[A-Za-z0-9.-]{1,253}$", "a host name"),
    connections: count(100),
    mailsPerSecond: count(10_000),
    dkim: {
      schema: {
        type: "object",
        required: ["domain", "selector", "key"],
        additionalProperties: false,
        properties: {
          domain: { type: "string", pattern: "^[A-Za-z0-9.-]{1,253}$" },
          selector: { type: "string", pattern: "^[A-Za-z0-9.-]{1,63}$" },
          key: { type: "string" },
        },
      },
      expected: "an object with domain, selector and key",
      isOptional: true,
      problem: ({ key }: { readonly key: string }) =>
        problemWithDkimKey(key.replaceAll("\\n", "\n")),
    },
  },
  debug: {},
  module: {
    module: {
      schema: { type: "string", minLength: 1 },
      expected: "the path of a module, or the name of a package,",
    },
    settings: {
      schema: { type: "object" },
      expected: "an object",
      isOptional: true,
    },
  },
};

const types = Object.keys(members);

/** Names that a send may give, the default's among them. */
export function mailBackendNames({
  email,
}: Pick<Config, "email">): readonly string[] {
  return [defaultBackendName, ...email.backends.map((it) => it.name)];
}

/** A clause for each thing that is wrong. */
export function problemsWithMailBackends(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return ["expected a list of backends"];
  const names = new Set([defaultBackendName]);
  return value.flatMap((entry: unknown, at) => {
    const problems = [...problemsWithEntry(entry)];
    const given: unknown = Object(entry).name;
    if (typeof given === "string" && names.has(given)) {
      problems.push("another backend has this name, or it is reserved");
    }
    if (typeof given === "string") names.add(given);
    return problems.map((problem) => `entry ${at + 1}: ${problem}`);
  });
}

/** Modules are loaded for it: what is wrong is asked for several times. */
const known = new WeakMap<object, readonly string[]>();

function problemsWithEntry(entry: unknown): readonly string[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return ["expected an object with type and name"];
  }
  const found = known.get(entry) ?? findProblems(entry);
  known.set(entry, found);
  return found;
}

function findProblems(entry: object): readonly string[] {
  // Whatever it is; each member is looked at before it is used.
  const given = entry as Readonly<Record<string, unknown>>;
  const type = types.find((it) => it === given.type);
  if (type === undefined)
    return [`expected one of ${types.join(", ")} as type`];
  const own = members[type as MailBackendEntry["type"]];
  const unknown = Object.keys(given)
    .filter((key) => key !== "type" && key !== "name" && !(key in own))
    .map(
      (key) => `there is no such key as ${key} of a backend of type ${type}`,
    );
  const wrong = Object.entries(own).flatMap(([key, member]) => {
    const value = given[key];
    if (value === undefined && member.isOptional) return [];
    // What could not be read is a mistake already.
    if (value === unreadFile) return [];
    if (!Check(member.schema, value)) {
      return [`expected ${member.expected} as ${key}`];
    }
    const problem = member.problem?.(value as never);
    return problem === undefined ? [] : [`${key}: ${problem}`];
  });
  const nameProblem = Check(name, given.name)
    ? []
    : ["expected 1 to 32 of a-z, 0-9, '-' and '_' as name"];
  const problems = [...nameProblem, ...unknown, ...wrong];
  if (problems.length > 0) return problems;
  return togetherProblems(entry as MailBackendEntry);
}

function togetherProblems(entry: MailBackendEntry): readonly string[] {
  if (entry.type === "smtp") {
    const { smtpUrl, tls } = entry;
    const problem = tls && problemWithSmtpTls(smtpUrl, tls);
    return problem === undefined ? [] : [`tls: ${problem}`];
  }
  if (entry.type !== "module") return [];
  const made = makeMailBackend(entry);
  if ("problem" in made) return [`module: ${made.problem}`];
  const problem = problemWithMailBackend(made.value);
  return problem === undefined ? [] : [`module: ${entry.module}: ${problem}`];
}
