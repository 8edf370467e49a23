/** `carillon topic …` */

import type { Smn, Topic } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { addYes, type ConfirmOptions, confirm } from "../confirm.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";
import { findTopic, topicUrnOf } from "../topic-urn.ts";

/** What is printed as JSON: named as SMN names it. */
type TopicRecord = ReturnType<typeof toRecord>;

const columns: readonly Column<TopicRecord>[] = [
  { head: "name", cell: (topic) => topic.name },
  { head: "display name", cell: (topic) => topic.display_name, max: 40 },
  { head: "created", cell: (topic) => shortTime(topic.create_time) },
];

/** The URN is for `show`: in a table it would leave no room for the rest. */
const fields: readonly Column<TopicRecord>[] = [
  ...columns,
  { head: "updated", cell: (topic) => shortTime(topic.update_time) },
  { head: "URN", cell: (topic) => topic.topic_urn },
];

/** A topic's subscriptions are counted up to here. */
const maxCounted = 1000;

export function topicCommand(): Command {
  return new Command("topic")
    .description(
      "Create, list, show, update and delete topics. A topic is given by its name or its URN.",
    )
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(update())
    .addCommand(remove());
}

function create(): Command {
  return clientCommand(
    "create <name>",
    "Create a topic; one that is there already is left as it is.",
    ['carillon topic create alerts --display-name "Alerts of Example Ltd"'],
  )
    .option("--display-name <text>", "sender name of e-mails", "")
    .action(
      async (
        name: string,
        options: ClientOptions & { readonly displayName: string },
      ) => {
        const { displayName } = options;
        const { topicUrn, requestId } = await withServer(options, ({ smn }) =>
          smn.createTopic({ name, displayName }),
        );
        createOutput(options).result(`Topic ${name} is ${topicUrn}.`, {
          request_id: requestId,
          topic_urn: topicUrn,
        });
      },
    );
}

function list(): Command {
  return clientCommand("list", "List the project's topics, newest first.", [
    "carillon topic list",
    "carillon topic list -o json | jq -r .topic_urn",
  ]).action(async (options: ClientOptions) => {
    const topics = await withServer(options, ({ smn }) =>
      Array.fromAsync(smn.topics()),
    );
    createOutput(options).rows(
      topics.map(toRecord),
      columns,
      "There are no topics: create one with carillon topic create <name>.",
    );
  });
}

function show(): Command {
  return clientCommand("show <topic>", "Show one topic.", [
    "carillon topic show alerts",
  ]).action(async (topic: string, options: ClientOptions) => {
    const found = await withServer(options, ({ smn }) => findTopic(smn, topic));
    createOutput(options).record(toRecord(found), fields);
  });
}

function update(): Command {
  return clientCommand("update <topic>", "Change a topic's display name.", [
    'carillon topic update alerts --display-name "Alerts"',
  ])
    .requiredOption("--display-name <text>", "sender name of e-mails")
    .action(
      async (
        topic: string,
        options: ClientOptions & { readonly displayName: string },
      ) => {
        const { displayName } = options;
        await withServer(options, async ({ smn }) =>
          smn.updateTopic(await topicUrnOf(smn, topic), { displayName }),
        );
        createOutput(options).result(
          `Topic ${topic} now shows "${displayName}".`,
          { topic, display_name: displayName },
        );
      },
    );
}

function remove(): Command {
  return addYes(
    clientCommand(
      "delete <topic>",
      "Delete a topic and its subscriptions; what was not delivered yet is cancelled.",
      ["carillon topic delete alerts", "carillon topic delete alerts --yes"],
    ),
  ).action(async (topic: string, options: ClientOptions & ConfirmOptions) => {
    await withServer(options, async ({ smn }) => {
      const { topicUrn, name } = await findTopic(smn, topic);
      if (!options.yes) {
        const subscriptions = await countSubscriptions(smn, topicUrn);
        await confirm(`Delete topic ${name}${subscriptions}?`, options);
      }
      await smn.deleteTopic(topicUrn, { ignoreMissing: false });
    });
    createOutput(options).result(`Topic ${topic} is deleted.`, {
      topic,
      deleted: true,
    });
  });
}

async function countSubscriptions(smn: Smn, topicUrn: string): Promise<string> {
  let count = 0;
  for await (const _ of smn.subscriptions(topicUrn)) {
    count++;
    if (count > maxCounted) {
      return ` and its subscriptions, more than ${maxCounted}`;
    }
  }
  if (count === 0) return "";
  return ` and its ${count === 1 ? "subscription" : `${count} subscriptions`}`;
}

function toRecord(topic: Topic) {
  return {
    topic_urn: topic.topicUrn,
    name: topic.name,
    display_name: topic.displayName,
    push_policy: topic.pushPolicy,
    enterprise_project_id: topic.enterpriseProjectId,
    topic_id: topic.topicId,
    create_time: topic.createTime,
    update_time: topic.updateTime,
  };
}
