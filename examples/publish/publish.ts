/** Publishes a message to a topic: `node publish.ts TOPIC MESSAGE`. */

import { connect, SmnError } from "@carillon/client";

const [topicName, message] = process.argv.slice(2);
if (!topicName || !message) {
  console.error("Usage: node publish.ts TOPIC MESSAGE");
  process.exit(2);
}

try {
  const { smn } = connect({
    endpoint: process.env.CARILLON_URL ?? "http://127.0.0.1:7070",
    // Carillon is asked for the key's own when there is none.
    projectId: process.env.CARILLON_PROJECT_ID || undefined,
    accessKey: process.env.CARILLON_ACCESS_KEY ?? "",
    secretKey: process.env.CARILLON_SECRET_KEY ?? "",
  });
  // Answers the topic that has the name, or makes it.
  const topic = await smn.createTopic({ name: topicName });
  const { messageId } = await smn.publishMessage(topic, { message });
  console.log(`Message ${messageId} is on its way to ${topic.topicUrn}`);
} catch (error) {
  if (!(error instanceof SmnError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
