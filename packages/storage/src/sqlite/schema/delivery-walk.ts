/**
 * Walks a project's deliveries that match a filter, newest message first, so
 * many at a time. The reader counts with it, and the writer acts on what it
 * finds.
 *
 * What it costs: a look at each message of the project that is as new as the
 * filter says, and at each of its deliveries in one of the states; what went
 * well is not looked at.
 */

import type {
  ActionFacts,
  DeliveryFilter,
  DeliveryState,
  EpochMs,
  WalkLimits,
  WalkPosition,
} from "@carillon/core";
import { isByMessage, isEpochMs } from "@carillon/core/rules";
import { code, computed, epochMs, integer, optional, text } from "./codec.ts";
import { audienceCodes, errorClassCodes, stateCodes } from "./codes.ts";
import { claimFacts, dueTables } from "./due-row.ts";
import { messageLife, toMessageLife } from "./message-table.ts";
import type { Query, Row } from "./query.ts";
import { defineTable, type RowOf } from "./table.ts";

type MessageRow = readonly [
  seq: number,
  createdAt: number,
  newestAt: number,
  audience: number,
  topicSeq: number | null,
  // A count for each state; NULL when there is no delivery.
  ...counts: (number | null)[],
];

const key = { messageSeq: integer, target: integer };

const factsShape = {
  state: code(stateCodes),
  nextAttemptAt: optional(epochMs),
  expiresAt: optional(epochMs),
  protocol: computed("coalesce(r.protocol, s.protocol)", text),
  ...claimFacts,
};

const filtered = {
  endpoint: computed("coalesce(r.endpoint, s.endpoint)", text),
  errorClass: computed("d.last_error_class", optional(integer)),
  lastProvider: computed("d.last_provider", optional(text)),
  lastAttemptAt: computed("d.last_at", optional(epochMs)),
  topicSeq: computed("coalesce(s.topic_seq, m.topic_seq)", optional(integer)),
};

const keys = defineTable("deliveries", key);
const facts = defineTable("deliveries", factsShape);
const lives = defineTable("messages", messageLife);
const filters = defineTable("deliveries", filtered);

/** A delivery with what decides about an action, and what filters look at. */
export type WalkRow = readonly [
  messageSeq: number,
  target: number,
  state: number,
  ...Row,
];

/** Selects {@link WalkRow}s of deliveries (d); the caller adds the WHERE. */
export const walkSelect = (index: string) => `SELECT
    ${[keys, facts, filters].map((it) => it.columns("d")).join(", ")},
    ${lives.columns("m")}
  FROM deliveries AS d ${index} ${dueTables}`;

/** @throws Error when a column holds what nothing of ours writes */
export function toActionFacts(row: WalkRow): ActionFacts {
  const { nextAttemptAt, expiresAt, status, ...rest } = facts.fromRow(
    row as RowOf<ReturnType<typeof facts.fromRow>>,
    keys.width,
  );
  const life = row as RowOf<ReturnType<typeof lives.fromRow>>;
  return {
    ...rest,
    nextAttemptAt,
    expiresAt,
    status,
    message: toMessageLife(lives.fromRow(life, livesFrom)),
  };
}

/** When the last attempt began; `undefined`: there was none. */
export function lastAttemptOf(row: WalkRow): EpochMs | undefined {
  const at = row[filtersFrom + filters.indexOf("lastAttemptAt")];
  return isEpochMs(at) ? at : undefined;
}

const protocolAt = keys.width + facts.indexOf("protocol");
const filtersFrom = keys.width + facts.width;
const livesFrom = filtersFrom + filters.width;

/** Answers whether a row passes the filters that are not walked by. */
function createRowFilter(filter: DeliveryFilter): (row: WalkRow) => boolean {
  const wanted: (readonly [place: number, value: string | number])[] = [];
  const { protocol, endpoint, errorClass, provider, topicSeq } = filter;
  if (protocol) wanted.push([protocolAt, protocol]);
  const at = (name: Parameters<typeof filters.indexOf>[0]) =>
    filtersFrom + filters.indexOf(name);
  if (endpoint !== undefined) wanted.push([at("endpoint"), endpoint]);
  if (errorClass) wanted.push([at("errorClass"), errorClassCodes[errorClass]]);
  if (provider !== undefined) wanted.push([at("lastProvider"), provider]);
  if (topicSeq !== undefined) wanted.push([at("topicSeq"), topicSeq]);
  return (row) => wanted.every(([place, value]) => row[place] === value);
}

export interface DeliveryWalk {
  /** The next that match; without `next` there are no more. */
  find(
    projectId: string,
    filter: DeliveryFilter,
    from: WalkPosition | undefined,
    limits: WalkLimits,
  ): { readonly rows: readonly WalkRow[]; readonly next?: WalkPosition };
  /** The same, counted; by the counts of messages where these are enough. */
  count(
    projectId: string,
    filter: DeliveryFilter,
    from: WalkPosition | undefined,
    limits: WalkLimits,
  ): { readonly count: number; readonly next?: WalkPosition };
}

/** Where a walk begins that is to see messages before one of this number. */
export function startOfWalk(
  { messageSeq }: DeliveryFilter,
  beforeMessage: number = Number.MAX_SAFE_INTEGER,
): WalkPosition {
  const upto = (messageSeq ?? Number.MAX_SAFE_INTEGER - 1) + 1;
  return { beforeMessage: Math.min(beforeMessage, upto) };
}

export function createDeliveryWalk(
  prepare: <Columns extends Row>(sql: string) => Query<Columns>,
): DeliveryWalk {
  const states = Object.entries(stateCodes).sort(([, a], [, b]) => a - b);
  /** Parameters: project, before, limit. Index: messages_of_project. */
  const messages = prepare<MessageRow>(
    `SELECT m.seq, m.created_at, m.newest_at, m.audience, m.topic_seq,
       ${states.map(([name]) => `c.${name}`).join(", ")}
     FROM messages AS m INDEXED BY messages_of_project
     LEFT JOIN message_counts AS c ON c.message_seq = m.seq
     WHERE m.project_id = ? AND m.seq < ?
     ORDER BY m.seq DESC LIMIT ?`,
  );
  /**
   * Of one message in one state. Index: deliveries_exceptional.
   * Parameters: message, state, after target, limit.
   */
  const deliveries = prepare<WalkRow>(
    `${walkSelect("INDEXED BY deliveries_exceptional")}
     WHERE d.message_seq = ? AND d.state = ? AND d.target > ?
       AND d.state NOT IN (4, 5)
     ORDER BY d.target LIMIT ?`,
  );

  /** Deliveries of a message; calls `visit`, answers where it ran out of room. */
  function walkMessage(
    filter: DeliveryFilter,
    within: NonNullable<WalkPosition["within"]>,
    room: number,
    visit: (row: WalkRow) => void,
  ): { looked: number; rest: WalkPosition["within"] } {
    const { messageSeq } = within;
    let { stateIndex, afterTarget } = within;
    let looked = 0;
    while (stateIndex < filter.states.length) {
      const left = room - looked;
      if (left <= 0) {
        return { looked, rest: { messageSeq, stateIndex, afterTarget } };
      }
      const state = stateCodes[filter.states[stateIndex] as DeliveryState];
      const rows = deliveries.all(messageSeq, state, afterTarget, left);
      for (const row of rows) visit(row);
      looked += rows.length;
      if (rows.length < left) {
        stateIndex++;
        afterTarget = -1;
      } else afterTarget = rows.at(-1)?.[1] ?? afterTarget;
    }
    return { looked, rest: undefined };
  }

  function walk(
    projectId: string,
    filter: DeliveryFilter,
    from: WalkPosition,
    limits: WalkLimits,
    onMessage: (matching: number, ofSeveral: boolean) => "enter" | "pass",
    visit: (row: WalkRow) => void,
  ): WalkPosition | undefined {
    let { beforeMessage } = from;
    let room = limits.maxDeliveries;
    if (from.within) {
      const { looked, rest } = walkMessage(filter, from.within, room, visit);
      if (rest) return { beforeMessage, within: rest };
      room -= looked;
    }
    // A walk over one message begins at it, and the next row would end it.
    const isOne = filter.messageSeq !== undefined;
    const maxMessages = isOne ? 1 : limits.maxMessages;
    const page = messages.all(projectId, beforeMessage, maxMessages);
    const { since = 0 } = filter;
    for (const row of page) {
      const [seq, createdAt, newestAt, audience, topicSeq, ...counts] = row;
      if (filter.messageSeq !== undefined && seq < filter.messageSeq) return;
      if (newestAt < since) return;
      if (room <= 0) return { beforeMessage };
      beforeMessage = seq;
      // Imported: there may be newer ones before it.
      if (createdAt < since) continue;
      if (filter.until !== undefined && createdAt >= filter.until) continue;
      // Of a message to several topics each delivery tells which one it is of.
      const ofSeveral = audience === audienceCodes.topics;
      const isTopic = topicSeq === filter.topicSeq || ofSeveral;
      if (filter.topicSeq !== undefined && !isTopic) continue;
      let matching = 0;
      for (const state of filter.states) {
        matching += counts[stateCodes[state]] ?? 0;
      }
      if (matching === 0 || onMessage(matching, ofSeveral) === "pass") continue;
      const start = { messageSeq: seq, stateIndex: 0, afterTarget: -1 };
      const { looked, rest } = walkMessage(filter, start, room, visit);
      if (rest) return { beforeMessage, within: rest };
      room -= looked;
    }
    return isOne || page.length < maxMessages ? undefined : { beforeMessage };
  }

  return {
    find(projectId, filter, from = startOfWalk(filter), limits) {
      const passes = createRowFilter(filter);
      const rows: WalkRow[] = [];
      const next = walk(
        projectId,
        filter,
        from,
        limits,
        () => "enter",
        (row) => {
          if (passes(row)) rows.push(row);
        },
      );
      return { rows, ...(next && { next }) };
    },
    count(projectId, filter, from = startOfWalk(filter), limits) {
      const passes = createRowFilter(filter);
      // The counts of a message say how many match.
      const isCounted = isByMessage(filter);
      let count = 0;
      const next = walk(
        projectId,
        filter,
        from,
        limits,
        (matching, ofSeveral) => {
          const isByDelivery = ofSeveral && filter.topicSeq !== undefined;
          if (!isCounted || isByDelivery) return "enter";
          count += matching;
          return "pass";
        },
        (row) => {
          if (passes(row)) count++;
        },
      );
      return { count, ...(next && { next }) };
    },
  };
}
