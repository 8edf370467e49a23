/**
 * The walk that finds a page of stored messages: along one index, newest first,
 * over keys alone; what is found is read by its key. What no index has is looked
 * at as the walk goes, some hundred keys in one turn of the event loop.
 */

import type {
  Clock,
  ProjectId,
  StateCondition,
  StoredChannel,
  StoredPosition,
  StoredRecordFilter,
  StoredRecordPage,
} from "@carillon/core";
import {
  audienceCodes,
  errorClassCodes,
  receiptEventCodes,
  stateCodes,
} from "../schema/codes.ts";
import { Conditions } from "./conditions.ts";
import type { Reader } from "./reader.ts";

/** `target` is -1 of a message that names no recipients. */
type KeyRow = readonly [messageSeq: number, target: number, isMeant: 0 | 1];

/** Where a walk goes: `m` is the message, `r` the recipient. */
interface Way {
  readonly from: string;
  /** What its index begins with. */
  readonly lookedUp: Conditions;
  /** What its index goes on with. */
  readonly messageSeq: string;
}

/** Keys that a step looks at where not each of them is meant. */
const keysPerStep = 256;

export async function listStoredKeys(
  reader: Pick<Reader, "prepared">,
  clock: Pick<Clock, "nextTurn">,
  projectId: ProjectId,
  channel: StoredChannel,
  filter: StoredRecordFilter,
  page: Omit<StoredRecordPage, "excerptLength">,
): Promise<{
  readonly keys: readonly StoredPosition[];
  readonly next?: StoredPosition;
}> {
  const { limit, maxScanned = Number.POSITIVE_INFINITY } = page;
  const { way, meant } = planOf(projectId, channel, filter);
  // The protocol is one of them.
  const isExact = meant.size === 1;
  const keys: StoredPosition[] = [];
  let position = page.before;
  for (let scanned = 0; ; ) {
    const room = Math.min(
      isExact ? limit + 1 : Math.max(limit + 1, keysPerStep),
      maxScanned - scanned,
    );
    const rows = readKeys(reader, way, meant, position, room);
    for (const [messageSeq, target, isMeant] of rows) {
      // One more than fits: there is a next page.
      if (isMeant && keys.length === limit) {
        const last = keys.at(-1);
        return { keys, ...(last && { next: last }) };
      }
      position = { messageSeq, target };
      if (isMeant) keys.push(position);
    }
    scanned += rows.length;
    if (rows.length < room) return { keys };
    if (scanned >= maxScanned)
      return { keys, ...(position && { next: position }) };
    await clock.nextTurn();
  }
}

/** The next keys of a way, at most `limit`. */
function readKeys(
  reader: Pick<Reader, "prepared">,
  way: Way,
  meant: Conditions,
  before: StoredPosition | undefined,
  limit: number,
): KeyRow[] {
  if (before === undefined) return read(undefined, limit);
  // Of the message that the walk stands in what is left, then those that are
  // older: two ranges of the index, each without a row too many.
  const { messageSeq, target } = before;
  const rest =
    target > 0
      ? read(
          [`${way.messageSeq} = ? AND r.target < ?`, messageSeq, target],
          limit,
        )
      : [];
  if (rest.length === limit) return rest;
  const older = read(
    [`${way.messageSeq} < ?`, messageSeq],
    limit - rest.length,
  );
  return [...rest, ...older];

  function read(
    position: [term: string, ...values: number[]] | undefined,
    most: number,
  ): KeyRow[] {
    const { from, lookedUp, messageSeq } = way;
    const where = new Conditions().addAll(lookedUp);
    if (position) where.add(...position);
    return reader
      .prepared<KeyRow>(
        `SELECT ${messageSeq}, coalesce(r.target, -1),
           coalesce(${meant.terms}, 0)
         FROM ${from} ${where.sql}
         ORDER BY ${messageSeq} DESC, r.target DESC LIMIT ?`,
      )
      .all(...meant.values, ...where.values, most);
  }
}

/** The index that is walked, and what is looked at on the way. */
function planOf(
  projectId: ProjectId,
  channel: StoredChannel,
  filter: StoredRecordFilter,
): { readonly way: Way; readonly meant: Conditions } {
  const { states, tag, templateSlug, to, since, until } = filter;
  const [object, ...otherObjects] = filter.relatedObjects ?? [];
  const lookedUp = new Conditions();
  const meant = new Conditions().add("r.protocol = ?", channel);
  let way: Way;
  if (object !== undefined) {
    lookedUp
      .add("o.project_id = ?", projectId)
      .add("o.type = ?", object.type)
      .add("o.id = ?", object.id);
    meant
      .addIfSet("r.endpoint = ?", to)
      .addIfSet("m.template_slug = ?", templateSlug)
      .addIfSet("m.tag = ?", tag);
    way = {
      from: `related_objects AS o INDEXED BY related_objects_of_project
        CROSS JOIN messages AS m ON m.seq = o.message_seq ${withRecipients}`,
      lookedUp,
      messageSeq: "o.message_seq",
    };
  } else if (to !== undefined) {
    lookedUp
      .add("r.project_id = ?", projectId)
      .add("r.endpoint = ?", to)
      .add("r.protocol = ?", channel);
    meant
      .addIfSet("m.template_slug = ?", templateSlug)
      .addIfSet("m.tag = ?", tag);
    way = {
      from: `recipients AS r INDEXED BY recipients_of_project
        CROSS JOIN messages AS m ON m.seq = r.message_seq`,
      lookedUp,
      messageSeq: "r.message_seq",
    };
  } else {
    lookedUp.add("m.project_id = ?", projectId);
    let index = "messages_direct";
    if (templateSlug !== undefined) {
      index = "messages_of_template";
      lookedUp.add("m.template_slug = ?", templateSlug);
      meant.addIfSet("m.tag = ?", tag);
    } else if (tag !== undefined) {
      index = "messages_of_tag";
      lookedUp.add("m.tag = ?", tag);
    } else {
      lookedUp.add(`m.audience = ${audienceCodes.direct}`);
    }
    way = {
      from: `messages AS m INDEXED BY ${index} ${withRecipients}`,
      lookedUp,
      messageSeq: "m.seq",
    };
  }
  for (const { type, id } of otherObjects) {
    meant.add(isAlsoAbout, projectId, type, id);
  }
  meant
    .addIfSet("m.created_at >= ?", since)
    .addIfSet("m.created_at < ?", until);
  if (states) meant.add(...meetsOneOf(states));
  return { way, meant };
}

/**
 * One row of a message that names none, too: so each message that is met counts as
 * looked at. Index: the primary key.
 */
const withRecipients = "LEFT JOIN recipients AS r ON r.message_seq = m.seq";

/** Parameters: project, type, id. Index: related_objects_of_project. */
const isAlsoAbout = `EXISTS (
  SELECT 1 FROM related_objects AS a INDEXED BY related_objects_of_project
  WHERE a.project_id = ? AND a.type = ? AND a.id = ? AND a.message_seq = m.seq)`;

/**
 * A term of the conditions, and its values. One look at the delivery, by its
 * primary key; where a receipt decides, one at receipts_of_delivery. What the
 * conditions are stands in core's `meetsCondition`.
 */
function meetsOneOf(
  conditions: readonly StateCondition[],
): readonly [term: string, ...values: number[]] {
  const values: number[] = [];
  const terms = conditions.map(
    ({ state, receiptExpected, isExpiredByReceipt }) => {
      const all = new Conditions()
        .add("d.state = ?", stateCodes[state])
        .addIfSet("d.receipt_expected = ?", toFlag(receiptExpected))
        .addIfSet(`${isByReceipt} = ?`, toFlag(isExpiredByReceipt));
      values.push(...(all.values as number[]));
      return `(${all.terms})`;
    },
  );
  if (terms.length === 0) return ["0"];
  return [
    `EXISTS (SELECT 1 FROM deliveries AS d
      WHERE d.message_seq = m.seq AND d.target = r.target
        AND (${terms.join(" OR ")}))`,
    ...values,
  ];
}

/** Of a delivery that has expired. */
const isByReceipt = `(d.last_error_class IS NOT ${errorClassCodes.expired}
  AND EXISTS (
    SELECT 1 FROM receipts AS e INDEXED BY receipts_of_delivery
    WHERE e.message_seq = d.message_seq AND e.target = d.target
      AND e.event = ${receiptEventCodes.expire}))`;

function toFlag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
