/** Texts through any carrier over HTTP that a page of JSON describes. */

import type { TextLimits } from "../../encoding/text-limits.ts";
import { ConfigurationError } from "../../errors.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import type { OutgoingMessage } from "../../outgoing-message.ts";
import { Provider, type SendContext } from "../../provider.ts";
import {
  defineProviderType,
  type ProviderField,
  type ProviderType,
  type SettingProblem,
} from "../../provider-type.ts";
import { type Receiver, textResponse } from "../../receiver.ts";
import { secretsOfUrl } from "../../redact.ts";
import { optional, textField, textLike, urlField } from "../setting-fields.ts";
import { meaningOf, readAnswer } from "./answer.ts";
import { type CallReader, compileCallback } from "./callback.ts";
import type { CarrierPage, PageCallback } from "./page.ts";
import {
  isAccountPage,
  problemsWithPage,
  problemWithPage,
} from "./page-check.ts";
import { compileRequest, type RequestTemplate } from "./request.ts";
import type { LookUp } from "./template.ts";

/** A page, and what an account has. */
export interface HttpProviderConfig {
  readonly page: CarrierPage;
  /** What the page asks for. */
  readonly settings?: Readonly<Record<string, string>>;
  /** In place of the page's. */
  readonly baseUrl?: string;
  /**
   * Where the carrier reaches this provider's routes, such as
   * `https://sms.example.com/sms/acme`. Default: as the gateway says; where it
   * says nothing, no receipts are asked for.
   */
  readonly callbackUrl?: string;
}

/** Sends by a page's request, and receives what its callbacks say. */
export class HttpProvider extends Provider {
  override readonly textLimits: TextLimits;
  readonly #config: HttpProviderConfig;
  readonly #request: RequestTemplate;
  readonly #callbacks: readonly (readonly [PageCallback, CallReader])[];
  readonly #lookUp: LookUp;
  readonly #baseUrl: string;

  /** @throws ConfigurationError for a page that is none */
  constructor(config: HttpProviderConfig) {
    super();
    const { page, settings = {} } = config;
    const problem =
      problemWithPage(page) ??
      problemsWithAccount(page, settings).at(0)?.problem;
    if (problem !== undefined) throw new ConfigurationError(problem);
    this.#config = config;
    this.#request = compileRequest(page);
    this.#baseUrl = (config.baseUrl ?? page.baseUrl).replace(/\/+$/, "");
    const { maxSegments } = page;
    this.textLimits = maxSegments === undefined ? {} : { maxSegments };
    this.#lookUp = (name) => {
      if (name === "callbackUrl") return this.#callbackUrl;
      const [kind, key = ""] = name.split(".");
      return kind === "settings" ? settings[key] : undefined;
    };
    this.#callbacks = (page.callbacks ?? []).map((it) => [
      it,
      compileCallback(it, this.#lookUp),
    ]);
  }

  /** What one of the carrier's codes means, in words. */
  override describeCode(code: string | number): string | undefined {
    return meaningOf(this.#config.page, String(code));
  }

  /** Of pages that ask for one, by this name. */
  override get from(): string | undefined {
    return this.#config.settings?.from;
  }

  /** All that an account has: no page says which of it is open. */
  override get secrets(): readonly string[] {
    const { settings = {}, callbackUrl } = this.#config;
    const own = callbackUrl === undefined ? [] : secretsOfUrl(callbackUrl);
    return [...Object.values(settings), ...own];
  }

  override async send(
    message: OutgoingMessage,
    { signal }: SendContext = {},
  ): Promise<OutgoingMessage> {
    // Nobody would be told.
    const { callbacks = [] } = this.#config.page;
    const isTold = this.#callbackUrl !== undefined && callbacks.some(reports);
    if (!isTold) message.providerOptions.statusReport = false;
    const id = this.gateway.newId();
    const request = this.#request.write(message, this.#baseUrl, (name) =>
      name === "id" ? id : this.#lookUp(name),
    );
    const response = await this.gateway.http.request({
      ...request,
      ...(signal && { signal }),
    });
    const { page } = this.#config;
    const now = this.gateway.now();
    const { msgid, meta } = readAnswer(page, response, now);
    // A receipt names an id of the carrier's, or ours if it was told that.
    if (msgid === undefined && !this.#request.tellsId) {
      message.providerOptions.statusReport = false;
    }
    message.msgid = msgid ?? id;
    message.meta = meta;
    return message;
  }

  /** Undefined where the carrier cannot reach us. */
  get #callbackUrl(): string | undefined {
    const own = this.#config.callbackUrl?.replace(/\/+$/, "");
    return own ?? this.gateway.callbackUrl(this.name);
  }

  override receiver(): Receiver | null {
    if (this.#callbacks.length === 0) return null;
    return {
      routes: this.#callbacks.map(([{ methods = ["POST"], path }, reader]) => ({
        methods,
        path,
        handle: async (request) => {
          const now = new Date(this.gateway.now());
          const { said, reply } = await reader.read(request, now);
          if (said instanceof IncomingMessage) {
            await this.receiveMessage(said);
          } else if (said) await this.receiveStatus(said);
          return textResponse(200, reply.body, { "content-type": reply.type });
        },
      })),
    };
  }
}

function reports({ cases }: PageCallback): boolean {
  return cases.some(({ status }) => status !== undefined);
}

/** What is not as the page asks. */
function problemsWithAccount(
  { settings = {}, title }: Pick<CarrierPage, "settings" | "title">,
  given: Readonly<Record<string, unknown>>,
): readonly SettingProblem[] {
  const names = Object.keys(settings).join(", ") || "none";
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(settings, name))
    .map((name) => ({
      setting: `settings.${name}`,
      problem: `${title} has no setting "${name}"; it has ${names}`,
    }));
  const wrong = Object.entries(settings)
    .filter(([name, { optional: mayBeAbsent, pattern }]) => {
      const value = given[name];
      if (value === undefined && mayBeAbsent) return false;
      const isRight =
        typeof value === "string" &&
        value !== "" &&
        new RegExp(`^(?:${pattern ?? ".*"})$`, "s").test(value);
      return !isRight;
    })
    .map(([name, { expected }]) => ({
      setting: `settings.${name}`,
      problem: `${title}: expected ${expected} as ${name}`,
    }));
  return [...unknown, ...wrong];
}

/** A carrier whose page stands in the configuration itself. */
export const httpType: ProviderType = defineProviderType<HttpProviderConfig>({
  type: "http",
  schema: {
    page: {
      schema: { type: "object" },
      problems: problemsWithPage,
      expected: "a page that describes the carrier",
    },
    settings: optional({
      schema: {
        type: "object",
        additionalProperties: { type: "string", minLength: 1 },
      },
      expected: "an object of texts, as the page's settings name them",
    }),
    baseUrl: optional(urlField),
    callbackUrl: optional(urlField),
  },
  problems: ({ page, settings = {} }) =>
    isAccountPage(page) && typeof settings === "object" && settings !== null
      ? problemsWithAccount(page, { ...settings })
      : [],
  create: (settings) => new HttpProvider(settings),
});

/** A carrier whose page comes with the gateway: its settings are its own. */
export function defineCarrierPage(
  type: string,
  page: CarrierPage,
): ProviderType {
  const own = Object.entries(page.settings ?? {}).map(([name, setting]) => [
    name,
    fieldOf(setting),
  ]);
  const schema: Readonly<Record<string, ProviderField>> = {
    ...Object.fromEntries(own),
    callbackUrl: optional(urlField),
    baseUrl: optional(urlField),
  };
  return defineProviderType<Readonly<Record<string, string>>>({
    type,
    schema,
    create: (given) => {
      const { baseUrl, callbackUrl } = given;
      const names = Object.keys(page.settings ?? {});
      const settings = names.flatMap((name) => {
        const value = given[name];
        return value === undefined ? [] : [[name, value] as const];
      });
      return new HttpProvider({
        page,
        settings: Object.fromEntries(settings),
        ...(baseUrl !== undefined && { baseUrl }),
        ...(callbackUrl !== undefined && { callbackUrl }),
      });
    },
  });
}

function fieldOf({
  expected,
  pattern,
  optional: mayBeAbsent,
}: NonNullable<CarrierPage["settings"]>[string]): ProviderField {
  const field =
    pattern === undefined
      ? { ...textField, expected }
      : textLike(new RegExp(`^(?:${pattern})$`), expected);
  return mayBeAbsent ? optional(field) : field;
}
