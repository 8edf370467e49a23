/** `carillon topic …` */

import { Command } from "commander";
import { type Answer, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { type Column, createOutput } from "../output.ts";
import { connect } from "../service.ts";

const columns: readonly Column<Answer>[] = [
  { head: "name", cell: (topic) => shown(topic.name) },
  { head: "display name", cell: (topic) => shown(topic.display_name), max: 40 },
  { head: "created", cell: (topic) => shown(topic.create_time) },
  { head: "URN", cell: (topic) => shown(topic.topic_urn) },
];

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
        const service = await connect(options);
        const topic = await service.createTopic(name, options.displayName);
        createOutput(options).result(
          `Topic ${name} is ${textOf(topic, "topic_urn")}.`,
          topic,
        );
      },
    );
}

function list(): Command {
  return clientCommand("list", "List the project's topics, newest first.", [
    "carillon topic list",
    "carillon topic list --json | jq -r .topic_urn",
  ]).action(async (options: ClientOptions) => {
    const topics = await (await connect(options)).listTopics();
    createOutput(options).rows(
      topics,
      columns,
      "There are no topics: create one with carillon topic create <name>.",
    );
  });
}

function show(): Command {
  return clientCommand("show <topic>", "Show one topic.", [
    "carillon topic show alerts",
  ]).action(async (topic: string, options: ClientOptions) => {
    const answer = await (await connect(options)).showTopic(topic);
    createOutput(options).rows([answer], columns, "");
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
        const service = await connect(options);
        await service.updateTopic(topic, options.displayName);
        createOutput(options).result(
          `Topic ${topic} now shows "${options.displayName}".`,
          { topic, display_name: options.displayName },
        );
      },
    );
}

function remove(): Command {
  return clientCommand(
    "delete <topic>",
    "Delete a topic and its subscriptions; what was not delivered yet is cancelled.",
    ["carillon topic delete alerts"],
  ).action(async (topic: string, options: ClientOptions) => {
    await (await connect(options)).deleteTopic(topic);
    createOutput(options).result(`Topic ${topic} is deleted.`, {
      topic,
      deleted: true,
    });
  });
}
