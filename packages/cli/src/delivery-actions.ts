/** The commands that send deliveries again, cancel and settle them. */

import {
  type Deliveries,
  type Delivery,
  type DeliveryCount,
  type DeliveryFilter,
  type DeliveryJobs,
  errorClasses,
  type JobAction,
  type Settlement,
} from "@carillon/client";
import { Argument, type Command, Option } from "commander";
import { type ClientOptions, clientCommand } from "./client-options.ts";
import { CommandFailure } from "./command-failure.ts";
import { addYes, type ConfirmOptions, confirm } from "./confirm.ts";
import { deliveryLines } from "./delivery-details.ts";
import { jobText, waitForJob } from "./job-progress.ts";
import { orNoSuch } from "./lookup.ts";
import {
  deliveryNaming,
  findDeliveryId,
  findMessageId,
  isDeliveryId,
} from "./message-id.ts";
import { createOutput, layoutFor, type Output } from "./output.ts";
import { refuseOptions } from "./refuse-options.ts";
import { type Server, withServer } from "./server.ts";
import { parseSince } from "./time-text.ts";
import { topicUrnOf } from "./topic-urn.ts";
import { wholeNumber } from "./whole-number.ts";

interface ActionOptions extends ClientOptions, ConfirmOptions {
  readonly topic?: string;
  readonly state?: readonly string[];
  readonly protocol?: string;
  readonly endpoint?: string;
  readonly errorClass?: string;
  readonly provider?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly reason?: string;
  readonly timeToLive?: number;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

/** The states that a resend leads on from, and a cancellation; see the guide. */
const resendable = [
  "retrying",
  "unknown",
  "failed",
  "rejected",
  "suppressed",
  "expired",
  "cancelled",
] as const;
const cancellable = ["waiting", "retrying"] as const;

/** One of the things that can be done to deliveries. */
interface Action {
  /** In jobs. */
  readonly name: JobAction;
  /** Such as `Send … again?`, with the number in place of the dots. */
  readonly question: (deliveries: string) => string;
  readonly one: (
    deliveries: Deliveries,
    id: string,
    options: ActionOptions,
  ) => Promise<Delivery>;
}

const whom =
  "<delivery> is a delivery's id (a message's, or its beginning, a dash and the number of the target, as carillon deliveries <message> shows it), a message's id for those of the message, or all for those of the project, which options narrow down.";

/** Which of the options say which deliveries are meant, and how a job is run. */
const manyOptions = [
  "topic",
  "state",
  "protocol",
  "endpoint",
  "errorClass",
  "provider",
  "since",
  "until",
  "dryRun",
  "wait",
];

const resendAction: Action = {
  name: "resend",
  question: (deliveries) => `Send ${deliveries} again?`,
  one: (deliveries, id, { reason, timeToLive }) =>
    deliveries.resend(id, { reason, timeToLiveSeconds: timeToLive }),
};

const cancelAction: Action = {
  name: "cancel",
  question: (deliveries) => `Cancel ${deliveries}?`,
  one: (deliveries, id, { reason }) => deliveries.cancel(id, { reason }),
};

function settleAction(as: Settlement): Action {
  return {
    name: `settle_${as}`,
    question: (deliveries) =>
      as === "resend"
        ? `Send ${deliveries} again?`
        : `Count ${deliveries} as ${as}?`,
    one: (deliveries, id, { reason, timeToLive }) =>
      deliveries.settle(id, as, { reason, timeToLiveSeconds: timeToLive }),
  };
}

export function resendCommand(): Command {
  return withActionOptions(
    clientCommand(
      "resend <delivery>",
      `Make another attempt now, at what failed, was rejected or expired, or at what is in the states that are named. ${whom}`,
      [
        "carillon deliveries resend 0198c2f4a1b27c3d-3",
        "carillon deliveries resend 0198c2f4a1b27c3d --dry-run",
        'carillon deliveries resend all --topic alerts --reason "it is back"',
      ],
    ),
    { states: resendable, isResend: true },
  ).action((delivery: string, options: ActionOptions, command: Command) =>
    run(delivery, resendAction, options, command),
  );
}

export function cancelCommand(): Command {
  return withActionOptions(
    clientCommand(
      "cancel <delivery>",
      `Cancel what is waiting or retrying. An attempt that is under way cannot be taken back. ${whom}`,
      [
        "carillon deliveries cancel 0198c2f4a1b27c3d-3",
        'carillon deliveries cancel all --topic alerts --reason "sent by mistake"',
      ],
    ),
    { states: cancellable, isResend: false },
  ).action((delivery: string, options: ActionOptions, command: Command) =>
    run(delivery, cancelAction, options, command),
  );
}

export function settleCommand(): Command {
  return withActionOptions(
    clientCommand(
      "settle <delivery>",
      `Settle what is unknown: send it again, or count it as failed or delivered. ${whom}`,
      [
        "carillon deliveries settle 0198c2f4a1b27c3d-3 delivered",
        'carillon deliveries settle all resend --reason "the carrier lost them"',
      ],
    ).addArgument(
      new Argument("<outcome>").choices(["failed", "delivered", "resend"]),
    ),
    { states: ["unknown"], isResend: true },
  ).action(
    async (
      delivery: string,
      outcome: Settlement,
      options: ActionOptions,
      command: Command,
    ) => {
      if (outcome !== "resend") {
        const where = "for deliveries that are sent again, by outcome resend";
        refuseOptions(command, ["timeToLive"], where);
      }
      await run(delivery, settleAction(outcome), options, command);
    },
  );
}

function withActionOptions(
  command: Command,
  { states, isResend }: { states: readonly string[]; isResend: boolean },
): Command {
  command
    .option("--reason <text>", "why, for the history; needed for many")
    .option("--topic <topic>", "only of messages to this topic, by name or URN")
    .addOption(
      new Option("--state <state...>", "only those in these states").choices(
        states,
      ),
    )
    .option("--protocol <protocol>", "only over this protocol")
    .option("--endpoint <endpoint>", "only to this endpoint, as subscribed")
    .addOption(
      new Option(
        "--error-class <class>",
        "only with this kind of last failure",
      ).choices(errorClasses),
    )
    .option("--provider <provider>", "only those last tried through this one")
    .option(
      "--since <time>",
      "only of messages accepted since: 90s, 30min, 2h, 7d ago, or an instant",
      (text: string) => parseSince(text),
    )
    .option(
      "--until <time>",
      "only of messages accepted before: 90s, 30min, 2h, 7d ago, or an instant",
      (text: string) => parseSince(text),
    );
  if (isResend) {
    command.option(
      "--time-to-live <seconds>",
      "a new life from now on, for those whose life is over",
      wholeNumber(1, 999_999_999, "seconds"),
    );
  }
  return addYes(command)
    .option("--dry-run", "only say how many there are")
    .option("--no-wait", "do not wait until all is done");
}

async function run(
  reference: string,
  action: Action,
  options: ActionOptions,
  command: Command,
): Promise<void> {
  if (isDeliveryId(reference)) {
    refuseOptions(command, manyOptions, "for many deliveries");
  }
  const output = createOutput(options);
  await withServer(options, async (server) => {
    const { messages, deliveries, deliveryJobs } = server.carillon;
    const id = await findDeliveryId(messages, reference);
    if (id !== undefined) {
      const asked = action.one(deliveries, id, options);
      const delivery = await orNoSuch(deliveryNaming, reference, asked);
      output.lines(
        deliveryLines(delivery, layoutFor(process.stdout)),
        delivery,
      );
      return;
    }
    const filter = await filterOf(server, reference, options);
    await runJob(deliveryJobs, action, filter, options, output);
  });
}

async function runJob(
  jobs: DeliveryJobs,
  { name, question }: Action,
  filter: DeliveryFilter,
  options: ActionOptions,
  output: Output,
): Promise<void> {
  const { reason, timeToLive, dryRun, wait } = options;
  const found = await jobs.preview({ action: name, filter });
  const many = countText(found);
  if (dryRun || many === undefined) {
    output.result(
      many === undefined
        ? "There are no such deliveries."
        : `${many} would be changed.`,
      found,
    );
    return;
  }
  if (reason === undefined) {
    throw new CommandFailure(
      `${many} would be changed: say why with --reason.`,
      2,
    );
  }
  await confirm(question(many), options);
  const job = await jobs.create({
    action: name,
    filter,
    reason,
    timeToLiveSeconds: timeToLive,
  });
  const last = wait ? await waitForJob(jobs, job) : job;
  output.result(jobText(last), last);
}

/** `undefined`: there is nothing to act on. */
function countText({
  count,
  isExact,
  messages,
}: DeliveryCount): string | undefined {
  const parts: string[] = [];
  if (count > 0) {
    const noun = count === 1 ? "delivery" : "deliveries";
    parts.push(`${isExact ? "" : "at least "}${count} ${noun}`);
  }
  if (messages > 0) {
    const noun = messages === 1 ? "message" : "messages";
    parts.push(
      `${messages} ${noun} ${messages === 1 ? "that is" : "that are"} not fully fanned out`,
    );
  }
  return parts.length === 0 ? undefined : parts.join(" and ");
}

async function filterOf(
  { smn, carillon }: Server,
  reference: string,
  options: ActionOptions,
): Promise<DeliveryFilter> {
  const { topic, state, protocol, endpoint, provider, since, until } = options;
  return {
    messageId:
      reference === "all"
        ? undefined
        : await findMessageId(carillon.messages, reference),
    topicUrn: topic === undefined ? undefined : await topicUrnOf(smn, topic),
    states: state,
    protocol,
    endpoint,
    errorClass: options.errorClass,
    provider,
    since,
    until,
  };
}
