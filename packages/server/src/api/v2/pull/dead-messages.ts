/** What was handed out in vain, or found no room: the dead-letter list. */

import {
  addMs,
  CarillonError,
  type DeadMessage,
  isHexId,
  type MailboxAccount,
  type Message,
  type MessageId,
  maxTimeToLiveSeconds,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../../json-schema.ts";
import type { HttpApp } from "../../http-app.ts";
import { toMillisecondsText } from "../../timestamps.ts";
import { failsWith } from "../../validation.ts";
import { refusals } from "../error-answers.ts";
import { instant, limitParameter, readLimit } from "../schema-parts.ts";
import { mailboxOf, mailboxParams } from "./mailbox-access.ts";
import type { PullPorts } from "./ports.ts";
import { tags } from "./schemas.ts";

/** Messages that one request names. */
const maxNamed = 100;

/** Messages that wait again by one transaction. */
const redriveStep = 500;

const DeadMessageBody = Type.Object(
  {
    id: Type.String({ description: "Of the message" }),
    deliveryId: Type.String({ description: "Of its delivery to this mailbox" }),
    deliveryCount: Type.Integer({
      description: "How often it was handed out; 0: the mailbox took it never",
    }),
    reason: Type.String({ description: "Why it is here, in words" }),
    diedAt: instant("Since when it is here"),
    createdAt: instant("When it was accepted"),
  },
  { title: "DeadMessage" },
);

const DeadMessageList = Type.Object(
  {
    dead: Type.Array(DeadMessageBody, { description: "Oldest first" }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "DeadMessageList" },
);

const RedriveRequest = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ ...failsWith("MESSAGE_NOT_FOUND") }), {
        maxItems: maxNamed,
        description: `Ids of messages on the list, ${maxNamed} at most; those that are not on it are passed over. Absent: all`,
        ...failsWith("PULL_OPTION_INVALID"),
      }),
    ),
  },
  { title: "RedriveRequest" },
);

const Redriven = Type.Object(
  { redriven: Type.Integer({ description: "How many wait again" }) },
  { title: "Redriven" },
);

const path = "/subscriptions/:mailbox/dead";

export function deadMessageRoutes(app: HttpApp, ports: PullPorts): void {
  const { deadMessages, pullSubscribers, clock, lives } = ports;

  app.get(
    path,
    {
      config: { operation: "pull.read", account: "subscriber" },
      schema: {
        summary: "Lists messages that were not confirmed in time",
        description:
          "The dead letters of a mailbox: handed out as often as `pull.maxDeliveries` allows, or come when the mailbox was full or disabled. They stay until they are redriven, for `pull.deadLetterDays` at most.",
        tags,
        params: mailboxParams,
        querystring: Type.Object({
          limit: limitParameter,
          after: Type.Optional(
            Type.String({
              maxLength: 16,
              description: "`next` of the page before",
              ...failsWith("PAGE_INVALID"),
            }),
          ),
        }),
        response: { 200: DeadMessageList, ...refusals },
      },
    },
    async (request) => {
      const limit = readLimit(request.query.limit);
      const after = readMarker(request.query.after);
      const { mailbox: reference } = request.params;
      const mailbox = await mailboxOf(request, reference, pullSubscribers);
      const found = await deadMessages.listDeadMessages(mailbox.seq, {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const dead: Static<typeof DeadMessageBody>[] = [];
      for (const one of page) {
        const message = await deadMessages.findMessageBySeq(one.messageSeq);
        // Its retention may have ended in between.
        if (message) dead.push(toBody(one, message));
      }
      return {
        dead,
        ...(last && found.length > limit && { next: String(last.messageSeq) }),
      };
    },
  );

  app.post(
    `${path}::redrive`,
    {
      config: { operation: "pull.receive", account: "subscriber" },
      schema: {
        summary: "Puts dead messages back: they wait again",
        description:
          "As if never handed out, for as long as a new message would wait.",
        tags,
        params: mailboxParams,
        body: RedriveRequest,
        response: { 200: Redriven, ...refusals },
      },
    },
    async (request) => {
      const { mailbox: reference } = request.params;
      const mailbox = await mailboxOf(request, reference, pullSubscribers);
      const { ids } = request.body;
      const redriven =
        ids === undefined
          ? await redriveAll(mailbox)
          : await redrive(mailbox, { messageSeqs: await seqsOf(mailbox, ids) });
      return { redriven };
    },
  );

  async function redriveAll(mailbox: MailboxAccount): Promise<number> {
    // As many as there are now: what dies again meanwhile is not run after.
    const { dead } = await pullSubscribers.counts(mailbox);
    let redriven = 0;
    while (redriven < dead) {
      const limit = Math.min(redriveStep, dead - redriven);
      const count = await redrive(mailbox, { limit });
      redriven += count;
      if (count < limit) break;
      await new Promise(setImmediate);
    }
    return redriven;
  }

  async function redrive(
    { seq }: MailboxAccount,
    choice: Parameters<typeof deadMessages.redriveMessages>[1],
  ): Promise<number> {
    const now = clock.now();
    const lifeSeconds = lives.pull ?? maxTimeToLiveSeconds;
    return await deadMessages.redriveMessages(
      seq,
      choice,
      addMs(now, lifeSeconds * 1000),
      now,
    );
  }

  /** @throws CarillonError MESSAGE_NOT_FOUND for what is no id of a message */
  async function seqsOf(
    { projectId }: MailboxAccount,
    ids: readonly string[],
  ): Promise<number[]> {
    const seqs: number[] = [];
    for (const id of new Set(ids)) {
      if (!isHexId(id)) {
        throw new CarillonError(
          "MESSAGE_NOT_FOUND",
          "There is no such message: ids as the dead-letter list has them are expected.",
        );
      }
      // Just looked at.
      const report = await deadMessages.findMessage(projectId, id as MessageId);
      if (report) seqs.push(report.message.seq);
    }
    return seqs;
  }
}

function toBody(
  { target, deliveryCount, reason, diedAt }: DeadMessage,
  { id, createdAt }: Message,
): Static<typeof DeadMessageBody> {
  return {
    id,
    deliveryId: `${id}-${target}`,
    deliveryCount,
    reason,
    diedAt: toMillisecondsText(diedAt),
    createdAt: toMillisecondsText(createdAt),
  };
}

/** @throws CarillonError PAGE_INVALID */
function readMarker(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new CarillonError(
    "PAGE_INVALID",
    "Invalid after: `next` of the page before is expected.",
  );
}
