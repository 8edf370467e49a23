/** A topic: the named address that messages are published to. */

import { CarillonError } from "../errors.ts";
import type { ProjectId, TopicId } from "../ids.ts";
import { checkStorable, utf8Length } from "../text.ts";
import type { EpochMs } from "../time.ts";

/** A topic as it is kept. */
export interface Topic {
  /** The store's own number; grows with creation. */
  readonly seq: number;
  readonly id: TopicId;
  readonly projectId: ProjectId;
  readonly name: string;
  readonly displayName: string;
  readonly enterpriseProjectId: string;
  readonly pushPolicy: number;
  /** Shown in confirmation messages; empty when not set. */
  readonly introduction: string;
  /** The policy's text as it was set, byte for byte; empty when not set. */
  readonly accessPolicy: string;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

/** A topic before the store gave it a number. */
export type NewTopic = Omit<Topic, "seq">;

/** Default quota of topics per project (SMN limits). */
export const defaultTopicsPerProject = 3000;

/** @throws CarillonError TOPIC_NAME_INVALID */
export function checkTopicName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/.test(name)) return name;
  throw new CarillonError(
    "TOPIC_NAME_INVALID",
    "Invalid topic name: 1 to 255 letters, digits, '-' or '_', starting with a letter or digit.",
  );
}

/**
 * Checks a topic's display name: at most 192 bytes, no line break.
 *
 * @throws CarillonError DISPLAY_NAME_INVALID
 */
export function checkDisplayName(name: string): string {
  const bytes = utf8Length(name);
  // A line break would let a topic's owner write headers into e-mails.
  if (bytes <= 192 && !/[\r\n]/.test(name)) {
    return checkStorable(name, "DISPLAY_NAME_INVALID", "display name");
  }
  throw new CarillonError(
    "DISPLAY_NAME_INVALID",
    `Invalid display name: at most 192 bytes on one line, this one has ${bytes}.`,
  );
}
