/** The commands that send deliveries again, cancel and settle them. */

import {
  type Deliveries,
  type Delivery,
  type DeliveryCount,
  type DeliveryFilter,
  type DeliveryJobs,
  deliveryStates,
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
import { findMessageId } from "./message-id.ts";
import { createOutput, hasColours, type Output } from "./output.ts";
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
  "<delivery> is a delivery's id (carillon deliveries <message> -o json shows them), a message's id for those of the message, or all for those of the project, which options narrow down.";

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
        "carillon deliveries resend 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f-3",
        "carillon deliveries resend 0198c2f4a1b27c3d --dry-run",
        'carillon deliveries resend all --topic alerts --reason "it is back"',
      ],
    ),
    { isResend: true },
  ).action((delivery: string, options: ActionOptions) =>
    run(delivery, resendAction, options),
  );
}

export function cancelCommand(): Command {
  return withActionOptions(
    clientCommand(
      "cancel <delivery>",
      `Cancel what is waiting or retrying. An attempt that is under way cannot be taken back. ${whom}`,
      [
        "carillon deliveries cancel 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f-3",
        'carillon deliveries cancel all --topic alerts --reason "sent by mistake"',
      ],
    ),
    { isResend: false },
  ).action((delivery: string, options: ActionOptions) =>
    run(delivery, cancelAction, options),
  );
}

export function settleCommand(): Command {
  return withActionOptions(
    clientCommand(
      "settle <delivery>",
      `Settle what is unknown: send it again, or count it as failed or delivered. ${whom}`,
      [
        "carillon deliveries settle 0198c2f4a1b27c3d8e4f5a6b7c8d9e0f-3 delivered",
        'carillon deliveries settle all resend --reason "the carrier lost them"',
      ],
    ).addArgument(
      new Argument("<outcome>").choices(["failed", "delivered", "resend"]),
    ),
    { isResend: true },
  ).action((delivery: string, outcome: Settlement, options: ActionOptions) =>
    run(delivery, settleAction(outcome), options),
  );
}

function withActionOptions(
  command: Command,
  { isResend }: { isResend: boolean },
): Command {
  command
    .option("--reason <text>", "why, for the history; needed for many")
    .option("--topic <topic>", "only of messages to this topic, by name or URN")
    .addOption(
      new Option("--state <state...>", "only those in these states").choices(
        deliveryStates,
      ),
    )
    .option("--protocol <protocol>", "only over this protocol")
    .option("--endpoint <endpoint>", "only to this endpoint, as subscribed")
    .option("--error-class <class>", "only with this kind of last failure")
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
): Promise<void> {
  const output = createOutput(options);
  await withServer(options, async (server) => {
    const { deliveries, deliveryJobs } = server.carillon;
    if (/^[0-9a-f]{32}-\d+$/.test(reference)) {
      if (options.dryRun) {
        throw new CommandFailure("--dry-run is for many deliveries.", 2);
      }
      const naming = { noun: "deliveries", word: "delivery" };
      const asked = action.one(deliveries, reference, options);
      const delivery = await orNoSuch(naming, reference, asked);
      const colours = hasColours(process.stdout);
      output.result(deliveryLines(delivery, { colours }).join("\n"), delivery);
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
    parts.push(`${messages} ${noun} that did not begin to go out`);
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
