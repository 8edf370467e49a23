/** What a program or a module gives as a backend, made a provider. */

import { describeValue } from "../describe-value.ts";
import { ConfigurationError } from "../errors.ts";
import { Provider } from "../provider.ts";
import { redact } from "../redact.ts";
import type { Backend } from "./backend.ts";
import { type BackendErrors, backendErrors } from "./backend-errors.ts";
import {
  BackendProvider,
  type BackendProviderOptions,
} from "./backend-provider.ts";

/** What factories and constructors of backends are given besides settings. */
export interface BackendPorts {
  /** The name that the backend is configured under. */
  readonly name: string;
  /** To be thrown; those of another copy of this package do as well. */
  readonly errors: BackendErrors;
}

/** Makes a backend. It opens nothing: that is done by `start`. */
export type BackendFactory = (
  settings: Readonly<Record<string, unknown>>,
  ports: BackendPorts,
) => Backend | Provider;

/** A class of backends; its constructor opens nothing. */
export type BackendClass = new (
  settings: Readonly<Record<string, unknown>>,
  ports: BackendPorts,
) => Backend | Provider;

/** How a backend is made, and used. */
export interface ToProviderOptions extends BackendProviderOptions {
  /** For the ports. Default "backend". */
  readonly name?: string;
  /** Handed on as they are. Default: none. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * From a backend, a class or a factory of one, or a provider.
 *
 * @throws ConfigurationError, whose message is a clause that says what is wrong
 */
export function toProvider(
  value: Backend | BackendClass | BackendFactory | Provider,
  options?: ToProviderOptions,
): Provider;
export function toProvider(
  value: unknown,
  options?: ToProviderOptions,
): Provider;
export function toProvider(
  value: unknown,
  options: ToProviderOptions = {},
): Provider {
  const made =
    typeof value === "function" ? make(value as Maker, options) : value;
  if (made instanceof Provider) return made;
  const problem = problemWithBackend(made);
  if (problem !== undefined) throw new ConfigurationError(problem);
  // It was just checked.
  return new BackendProvider(made as Backend, options);
}

function make(value: Maker, options: ToProviderOptions): unknown {
  const { name = "backend", settings = {} } = options;
  const ports: BackendPorts = { name, errors: backendErrors };
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  const what = `the ${isClass ? "class" : "function"} ${value.name || "without a name"}`;
  let made: unknown;
  try {
    made = isClass
      ? Reflect.construct(value, [settings, ports])
      : Reflect.apply(value, undefined, [settings, ports]);
  } catch (cause) {
    throw new ConfigurationError(`${what} threw ${wordsOf(cause, options)}`, {
      cause,
    });
  }
  if (made instanceof Provider) return made;
  if (made instanceof Promise) {
    // Its failure is ours to have seen.
    made.catch(() => {});
    throw new ConfigurationError(
      `${what} must not be async: what takes time is done by the backend's start`,
    );
  }
  const problem = problemWithBackend(made);
  if (problem === undefined) return made;
  throw new ConfigurationError(`${what} makes no backend: ${problem}`);
}

/** Whatever the function takes: it is called with what factories take. */
type Maker = (...values: never[]) => unknown;

/** A clause that says what is wrong; `undefined` for a backend. */
function problemWithBackend(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) {
    return `expected an object with publishMessage(message), got ${describeValue(value)}`;
  }
  // Members may be inherited; each is looked at before it is used.
  const members = value as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(expectations).flatMap(([name, expected]) => {
    const member = members[name];
    if (member === undefined && name !== "publishMessage") return [];
    return expected.isRight(member)
      ? []
      : [`${expected.text} as ${name}, got ${describeValue(member)}`];
  });
  return wrong.length > 0 ? `expected ${wrong.join("; ")}` : undefined;
}

interface Expectation {
  readonly text: string;
  isRight(value: unknown): boolean;
}

const method: Expectation = {
  text: "a method",
  isRight: (value) => typeof value === "function",
};

const count = (minimum: number, maximum: number): Expectation => ({
  text: `a whole number from ${minimum} to ${maximum}`,
  isRight: (value) =>
    Number.isSafeInteger(value) &&
    Number(value) >= minimum &&
    Number(value) <= maximum,
});

const expectations: Readonly<Record<keyof Backend, Expectation>> = {
  publishMessage: method,
  publishMessages: method,
  checkStates: method,
  getExtraMessageData: method,
  getExtraSenderData: method,
  chooseId: method,
  describeCode: method,
  start: method,
  stop: method,
  maxBatchSize: count(1, 10_000),
  checkAfterMs: count(0, 86_400_000),
  maxCheckSize: count(1, 10_000),
  timeoutMs: count(1, 30_000),
  textLimits: {
    text: "an object, or null,",
    isRight: (value) => typeof value === "object",
  },
  reachesPhones: {
    text: "true or false",
    isRight: (value) => typeof value === "boolean",
  },
  secrets: {
    text: "a list of texts",
    isRight: (value) =>
      Array.isArray(value) && value.every((it) => typeof it === "string"),
  },
};

/** In its words, without what is secret of the settings. */
function wordsOf(error: unknown, { secrets = [] }: ToProviderOptions): string {
  return error instanceof Error
    ? `${error.name}: ${redact(error.message, secrets)}`
    : describeValue(error);
}
