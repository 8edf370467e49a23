/** SMS providers on the wire. */

import { Type } from "../../json-schema.ts";
import { providerStates } from "../../providers/providers.ts";
import { instant } from "./schema-parts.ts";

function counts(description: string) {
  return Type.Object(
    {
      attempts: Type.Integer({ description: "Requests to the carrier" }),
      accepted: Type.Integer({ description: "Texts that it took" }),
      failed: Type.Integer({
        description: "Texts that it refused, or never got",
      }),
      unknown: Type.Integer({ description: "Texts that may have gone out" }),
    },
    { description },
  );
}

export const ProviderErrorBody = Type.Object(
  {
    code: Type.Optional(Type.String({ description: "The carrier's own" })),
    errorClass: Type.String({
      description:
        "Such as AuthError; `receipt`: of texts that were accepted before; `unknown`: they may have gone out",
    }),
    meaning: Type.String({ description: "In words" }),
    count: Type.Integer({ description: "How often" }),
    lastAt: instant("When it came last"),
  },
  {
    title: "ProviderError",
    description: "What went wrong, as often as the carrier said the same",
  },
);

export const BalanceBody = Type.Object(
  {
    amount: Type.Optional(Type.Number({ description: "What is left" })),
    currency: Type.Optional(
      Type.String({ description: "Absent: credits of the carrier's own" }),
    ),
    problem: Type.Optional(
      Type.String({ description: "Why it is not known, in words" }),
    ),
    at: instant("When the carrier was asked"),
  },
  { title: "ProviderBalance", description: "Absent: the carrier cannot say" },
);

const summary = {
  name: Type.String({ description: "In the configuration" }),
  type: Type.String({ description: "Such as twilio" }),
  state: Type.Enum([...providerStates], {
    description:
      "ok; failing: its breaker is not closed, or as many texts failed for its sake in the last five minutes as it took; paused; not_started: it could not be started, or is being; removed: it is paused, and not configured any more",
  }),
  isDefault: Type.Boolean({
    description: "Texts go through it where neither they nor a policy choose",
  }),
  rules: Type.Array(Type.String(), {
    description: "Rules of the delivery policy that name it",
  }),
  breaker: Type.Optional(
    Type.Enum(["closed", "open", "half-open"], {
      description:
        "Of the delivery policy, on this node; absent: there is no policy",
    }),
  ),
  pause: Type.Optional(
    Type.Object(
      {
        at: instant("Since when"),
        userName: Type.String({ description: "Who paused it" }),
        reason: Type.Optional(Type.String({ description: "Why" })),
      },
      { description: "Absent: it is not paused" },
    ),
  ),
  lastFiveMinutes: counts("The minute that runs, and four before it"),
  lastHour: counts("The minute that runs, and 59 before it"),
  sinceStart: counts("Since the node's start"),
  lastAcceptedAt: Type.Optional(instant("When it last took a text")),
  latencyMs: Type.Optional(
    Type.Object(
      {
        p50: Type.Integer({ description: "Half of them took no longer" }),
        p95: Type.Integer({ description: "19 of 20 took no longer" }),
        max: Type.Integer({ description: "The longest" }),
      },
      {
        description:
          "How long the last 256 texts took that it accepted, in milliseconds",
      },
    ),
  ),
  receipts: Type.Object(
    {
      seen: Type.Integer({ description: "Reports that came in" }),
      expected: Type.Integer({
        description: "Of the newest 2,000 texts, those with a receipt to come",
      }),
      final: Type.Integer({
        description: "Those of them that got one after which none comes",
      }),
    },
    { description: "What carriers report, to this node" },
  ),
  lastError: Type.Optional(ProviderErrorBody),
  balance: Type.Optional(BalanceBody),
};

export const ProviderSummary = Type.Object(summary, {
  title: "ProviderSummary",
  description: "How a provider fares",
});

export const ProviderList = Type.Object(
  {
    providers: Type.Array(ProviderSummary, {
      description: "As configured; then those that are removed and paused",
    }),
  },
  { title: "ProviderList" },
);

const callbacks = Type.Array(
  Type.Object({
    methods: Type.Array(Type.String(), { description: "Of HTTP" }),
    url: Type.String({ description: "What is set up at the carrier" }),
  }),
  {
    description:
      "Where its carrier is told to call; empty: nowhere, see `reports`",
  },
);

export const CallbackList = Type.Object(
  { callbacks },
  { title: "ProviderCallbacks" },
);

export const ProviderBody = Type.Object(
  {
    ...summary,
    errors: Type.Array(ProviderErrorBody, {
      description: "By code, the one seen last first; 50 at most",
    }),
    callbacks,
    reports: Type.Object(
      {
        callbacks: Type.Enum(["known", "unknown", "none"], {
          description:
            "known: its carrier can call; unknown: it could, if `publicUrl` or the provider's `callbackUrl` said where; none: it never calls",
        }),
        askedAfterMs: Type.Optional(
          Type.Integer({
            description:
              "How long after it took a text its carrier is asked about it, in milliseconds; absent: it is not asked",
          }),
        ),
      },
      { description: "How it is heard what became of texts" },
    ),
    settings: Type.Record(Type.String(), Type.Unknown(), {
      description: "As configured, `***` for what is secret",
    }),
  },
  { title: "Provider", description: "How the provider fares" },
);
