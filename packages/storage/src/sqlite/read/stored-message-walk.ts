/**
 * The walk that finds a page of stored messages: along one index, newest first,
 * over keys alone, to the first message that is new enough; what is found is read
 * by its key. What no index has is looked
 * at as the walk goes, some hundred keys in one turn of the event loop.
 */

import {
  type Clock,
  type DeliveryState,
  isCommonState,
  type ProjectId,
  type StateCondition,
  type StoredChannel,
  type StoredPosition,
  type StoredRecordFilter,
  type StoredRecordPage,
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
  /** What its index begins with: several ranges of it are walked at once. */
  readonly lookedUp: readonly Conditions[];
  /** What its index goes on with. */
  readonly messageSeq: string;
  readonly target: string;
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
  if (filter.states?.length === 0) return { keys: [] };
  const first =
    filter.since === undefined ? 0 : findFirstSince(reader, filter.since);
  if (first === undefined) return { keys: [] };
  const { way, meant } = planOf(projectId, channel, filter, first);
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
          [`${way.messageSeq} = ? AND ${way.target} < ?`, messageSeq, target],
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
    const { from, messageSeq, target } = way;
    const ranges = way.lookedUp.map((lookedUp) => {
      const where = new Conditions().addAll(lookedUp);
      if (position) where.add(...position);
      return reader
        .prepared<KeyRow>(
          `SELECT ${messageSeq}, coalesce(${target}, -1),
             coalesce(${meant.terms}, 0)
           FROM ${from} ${where.sql}
           ORDER BY ${messageSeq} DESC, ${target} DESC LIMIT ?`,
        )
        .all(...meant.values, ...where.values, most);
    });
    if (ranges.length === 1) return ranges[0] ?? [];
    return ranges
      .flat()
      .sort(([a, aTarget], [b, bTarget]) => b - a || bTarget - aTarget)
      .slice(0, most);
  }
}

/**
 * The first message that was created then or later, of whatever project: none
 * before it was. Halves what is left, some 25 times, for `newest_at` never falls
 * from one message to the next.
 */
function findFirstSince(
  reader: Pick<Reader, "prepared">,
  since: number,
): number | undefined {
  /** Parameter: message. Index: the primary key. */
  const upto = reader.prepared<[seq: number, newestAt: number]>(
    `SELECT seq, newest_at FROM messages WHERE seq <= ?
     ORDER BY seq DESC LIMIT 1`,
  );
  const isIn = (newestAt = -1) => newestAt >= since;
  let [first, newestAt] = upto.get(Number.MAX_SAFE_INTEGER) ?? [];
  if (first === undefined || !isIn(newestAt)) return undefined;
  // No message up to `before` is.
  for (let before = 0; before < first - 1; ) {
    const middle = Math.floor((before + first) / 2);
    const [seq = middle, at] = upto.get(middle) ?? [];
    if (isIn(at)) first = seq;
    else before = middle;
  }
  return first;
}

/** The index that is walked, and what is looked at on the way. */
function planOf(
  projectId: ProjectId,
  channel: StoredChannel,
  filter: StoredRecordFilter,
  /** What is older is not looked at. */
  first: number,
): { readonly way: Way; readonly meant: Conditions } {
  const { states, tag, templateSlug, to, since, until } = filter;
  const [object, ...otherObjects] = filter.relatedObjects ?? [];
  const meant = new Conditions().add("r.protocol = ?", channel);
  let way: Way;
  /** Conditions that the index does not meet already. */
  let narrowing = states;
  if (object !== undefined) {
    meant
      .addIfSet("r.endpoint = ?", to)
      .addIfSet("m.template_slug = ?", templateSlug)
      .addIfSet("m.tag = ?", tag);
    way = {
      from: `related_objects AS o INDEXED BY related_objects_of_project
        CROSS JOIN messages AS m ON m.seq = o.message_seq ${withRecipients}`,
      lookedUp: [
        new Conditions()
          .add("o.project_id = ?", projectId)
          .add("o.type = ?", object.type)
          .add("o.id = ?", object.id),
      ],
      messageSeq: "o.message_seq",
      target: "r.target",
    };
  } else if (to !== undefined) {
    meant
      .addIfSet("m.template_slug = ?", templateSlug)
      .addIfSet("m.tag = ?", tag);
    way = {
      from: `recipients AS r INDEXED BY recipients_of_project
        CROSS JOIN messages AS m ON m.seq = r.message_seq`,
      lookedUp: [
        new Conditions()
          .add("r.project_id = ?", projectId)
          .add("r.endpoint = ?", to)
          .add("r.protocol = ?", channel),
      ],
      messageSeq: "r.message_seq",
      target: "r.target",
    };
  } else if (templateSlug !== undefined || tag !== undefined) {
    const lookedUp = new Conditions().add("m.project_id = ?", projectId);
    if (templateSlug === undefined) lookedUp.addIfSet("m.tag = ?", tag);
    else {
      lookedUp.add("m.template_slug = ?", templateSlug);
      meant.addIfSet("m.tag = ?", tag);
    }
    const index =
      templateSlug === undefined ? "messages_of_tag" : "messages_of_template";
    way = {
      from: `messages AS m INDEXED BY ${index} ${withRecipients}`,
      lookedUp: [lookedUp],
      messageSeq: "m.seq",
      target: "r.target",
    };
  } else if (states?.every(({ state }) => !isCommonState(state))) {
    way = wayOfStates(projectId, new Set(states.map(({ state }) => state)));
    if (states.every((it) => Object.keys(it).length === 1))
      narrowing = undefined;
  } else {
    way = {
      from: `messages AS m INDEXED BY messages_direct ${withRecipients}`,
      lookedUp: [
        new Conditions()
          .add("m.project_id = ?", projectId)
          .add(`m.audience = ${audienceCodes.direct}`),
      ],
      messageSeq: "m.seq",
      target: "r.target",
    };
  }
  if (first > 0) {
    for (const it of way.lookedUp) it.add(`${way.messageSeq} >= ?`, first);
  }
  for (const { type, id } of otherObjects) {
    meant.add(isAlsoAbout, projectId, type, id);
  }
  meant
    .addIfSet("m.created_at >= ?", since)
    .addIfSet("m.created_at < ?", until);
  if (narrowing) meant.add(...meetsOneOf(narrowing));
  return { way, meant };
}

/** A range of the index for each state; there are few. */
function wayOfStates(
  projectId: ProjectId,
  states: ReadonlySet<DeliveryState>,
): Way {
  return {
    from: `deliveries AS s INDEXED BY deliveries_of_project
      CROSS JOIN messages AS m ON m.seq = s.message_seq
      LEFT JOIN recipients AS r
        ON r.message_seq = s.message_seq AND r.target = s.target`,
    lookedUp: [...states].map((state) =>
      new Conditions()
        .add("s.project_id = ?", projectId)
        .add("s.state = ?", stateCodes[state])
        // The index's own condition: it is used only if the text is the same.
        .add("s.state NOT IN (4, 5)"),
    ),
    messageSeq: "s.message_seq",
    target: "s.target",
  };
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
