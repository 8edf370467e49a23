/** SMS providers: how they fare, pausing and testing them; for operators. */

import type { Publisher } from "@carillon/core";
import type { AttemptCounts } from "@carillon/gateway";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { BalanceAnswer } from "../../providers/provider-balances.ts";
import type {
  ProviderErrorReport,
  ProviderReport,
  Providers,
} from "../../providers/providers.ts";
import { principalOf, projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import {
  type BalanceBody,
  CallbackList,
  ProviderBody,
  type ProviderErrorBody,
  ProviderList,
  ProviderSummary,
} from "./provider-schemas.ts";

export interface ProviderPorts {
  readonly providers: Providers;
  readonly publisher: Publisher;
}

const tags = ["Providers"];

const params = Type.Object({
  name: Type.String({ description: "Its name in the configuration" }),
});

/** What is left of a test that was never sent. */
const testSeconds = 600;

export function providerRoutes(
  app: HttpApp,
  { providers, publisher }: ProviderPorts,
): void {
  app.get(
    "/providers",
    {
      config: { operation: "providers.read" },
      schema: {
        summary: "Lists SMS providers",
        description:
          "Counts are those of the node that answers, since its start. With `balance` each carrier is asked, which takes some seconds at most; what it said is kept a minute.",
        tags,
        querystring: Type.Object({
          balance: Type.Optional(
            Type.Enum(["true", "false"], {
              description: "Whether to ask what is left on the accounts",
              default: "false",
            }),
          ),
        }),
        response: { 200: ProviderList, ...refusals },
      },
    },
    async (request) => {
      const asks = request.query.balance === "true";
      return {
        providers: await Promise.all(
          providers.list().map(async (report) => {
            const balance = asks && (await providers.balanceOf(report.name));
            return {
              ...toSummary(report),
              ...(balance && { balance: toBalance(balance) }),
            };
          }),
        ),
      };
    },
  );

  app.get(
    "/providers/:name",
    {
      config: { operation: "providers.read" },
      schema: {
        summary: "Shows all of an SMS provider",
        description:
          "Asks its carrier what is left on the account; a failure of that is told in words. Addresses that carriers call have `***` for their secret.",
        tags,
        params,
        response: { 200: ProviderBody, ...refusals },
      },
    },
    async (request) => {
      const { name } = request.params;
      const report = providers.get(name);
      const balance = await providers.balanceOf(name);
      const callbacks = providers.callbacksOf(name, false);
      const { settings, errors, reports } = report;
      return {
        ...toSummary(report),
        ...(balance && { balance: toBalance(balance) }),
        errors: errors.map(toError),
        callbacks: callbacks.map(({ methods, url }) => ({
          methods: [...methods],
          url,
        })),
        reports: { ...reports },
        settings: { ...settings },
      };
    },
  );

  app.post(
    "/providers/:name/reveal",
    {
      config: { operation: "providers.write" },
      schema: {
        summary: "Shows where the carrier of an SMS provider calls",
        description:
          "With the secret that lets carriers in: who knows it can make up receipts and texts. No GET, because it stands in the audit log. Changes nothing.",
        tags,
        params,
        response: { 200: CallbackList, ...refusals },
      },
    },
    async (request) => {
      const { name } = request.params;
      providers.get(name);
      const callbacks = providers.callbacksOf(name, true);
      return {
        callbacks: callbacks.map(({ methods, url }) => ({
          methods: [...methods],
          url,
        })),
      };
    },
  );

  app.post(
    "/providers/:name/test",
    {
      config: { operation: "providers.write" },
      schema: {
        summary: "Sends a text through exactly this SMS provider",
        description:
          "A real one, which may cost money: a direct message of the caller's project, with all that belongs to one. It is given up after ten minutes.",
        tags,
        params,
        body: Type.Object(
          {
            recipient: Type.String({
              description: "A phone number in international form",
            }),
            text: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 1000,
                description: "What it says; by default that it is a test",
              }),
            ),
          },
          { title: "ProviderTest" },
        ),
        response: {
          202: Type.Object(
            {
              messageId: Type.String({
                description: "What became of it is asked for by this id",
              }),
            },
            { title: "ProviderTestSent" },
          ),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      providers.checkCanSend(name);
      const {
        recipient: endpoint,
        text = `This is a test of the provider ${name}.`,
      } = request.body;
      const { messageId } = await publisher.send(
        projectOf(request),
        [{ protocol: "sms", endpoint }],
        { text, timeToLive: testSeconds, sms: { provider: name } },
      );
      reply.code(202);
      return { messageId };
    },
  );

  app.post(
    "/providers/:name/pause",
    {
      config: { operation: "providers.write" },
      schema: {
        summary: "Pauses an SMS provider",
        description:
          "It gets no new text, on no node, until it is resumed. Policies pass it over; what only it may send waits. Receipts and texts from phones go on coming in. One that is paused stays so since when it was; a reason takes the place of the one before.",
        tags,
        params,
        body: Type.Optional(
          Type.Object(
            {
              reason: Type.Optional(
                Type.String({
                  minLength: 1,
                  maxLength: 200,
                  description: "For people",
                }),
              ),
            },
            { title: "ProviderPauseRequest" },
          ),
        ),
        response: { 200: ProviderSummary, ...refusals },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { userId, userName } = principalOf(request);
      const reason = request.body?.reason;
      return toSummary(
        await providers.pause({
          provider: name,
          userId,
          userName,
          ...(reason !== undefined && { reason }),
        }),
      );
    },
  );

  app.post(
    "/providers/:name/resume",
    {
      config: { operation: "providers.write" },
      schema: {
        summary: "Resumes an SMS provider",
        description:
          "What waited for it goes on at once. Changes nothing when it is not paused; one that was removed meanwhile is not shown any more.",
        tags,
        params,
        response: {
          200: Type.Object(
            {
              wasPaused: Type.Boolean({
                description: "false: it was not paused, and nothing changed",
              }),
              provider: Type.Optional(ProviderSummary),
            },
            { title: "ResumedProvider" },
          ),
          ...refusals,
        },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { wasPaused, report } = await providers.resume(name);
      return { wasPaused, ...(report && { provider: toSummary(report) }) };
    },
  );
}

function toSummary(report: ProviderReport): Static<typeof ProviderSummary> {
  const { name, type, state, isDefault, rules, breaker, pause } = report;
  const { health, errors } = report;
  const { lastAcceptedAt, latencyMs, receipts, receiptShare } = health;
  const [last] = errors;
  return {
    name,
    type,
    state,
    isDefault,
    rules: [...rules],
    ...(breaker && { breaker }),
    ...(pause && {
      pause: {
        at: toMillisecondsText(pause.at),
        userName: pause.userName,
        ...(pause.reason !== undefined && { reason: pause.reason }),
      },
    }),
    lastFiveMinutes: toCounts(health.lastFiveMinutes),
    lastHour: toCounts(health.lastHour),
    sinceStart: toCounts(health.sinceStart),
    ...(lastAcceptedAt !== undefined && {
      lastAcceptedAt: new Date(lastAcceptedAt).toISOString(),
    }),
    ...(latencyMs && { latencyMs: { ...latencyMs } }),
    receipts: { seen: receipts, ...receiptShare },
    ...(last && { lastError: toError(last) }),
  };
}

function toCounts({ attempts, accepted, failed, unknown }: AttemptCounts) {
  return { attempts, accepted, failed, unknown };
}

function toError({
  lastAt,
  ...error
}: ProviderErrorReport): Static<typeof ProviderErrorBody> {
  return { ...error, lastAt: toMillisecondsText(lastAt) };
}

function toBalance({
  at,
  ...answer
}: BalanceAnswer): Static<typeof BalanceBody> {
  return { ...answer, at: toMillisecondsText(at) };
}
