/**
 * What a carrier says later about a message it had accepted. The class says
 * how far it got; `kind` is the same for a `switch`.
 */

/**
 * What a report says, for a `switch`; `unknown` for one that is not understood.
 */
export type MessageStatusKind =
  | "unknown"
  | "accepted"
  | "delivered"
  | "expired"
  | "error";

/** How far a message got, where the carrier's report says so. */
export type MessageState = "accepted" | "delivered" | "expired" | "error";

/** What is known of a report besides the message's id. */
export interface MessageStatusInit {
  /** When it was received; now by default. */
  readonly rtime?: Date;
  readonly meta?: Record<string, unknown>;
  readonly provider?: string | null;
  /** The carrier's own code, of any type. */
  readonly statusCode?: unknown;
  /** The carrier's own text. */
  readonly status?: string | null;
}

/** A report that says nothing we understand. */
export class MessageStatus {
  msgid: string;
  rtime: Date;
  meta: Record<string, unknown>;
  /** Behind a forward server, that server's own name of its provider. */
  provider: string | null;
  /**
   * The name in this gateway of the provider that took it. What somebody else
   * calls his provider proves nothing: with ids, only this one counts.
   */
  entry: string | null = null;
  statusCode: unknown;
  status: string | null;

  constructor(msgid: string, init: MessageStatusInit = {}) {
    this.msgid = msgid;
    this.rtime = init.rtime ?? new Date();
    this.meta = init.meta ?? {};
    this.provider = init.provider ?? null;
    this.statusCode = init.statusCode ?? null;
    this.status = init.status ?? null;
  }

  get kind(): MessageStatusKind {
    return "unknown";
  }
  /** Null when the report leaves it open. */
  get accepted(): boolean | null {
    return null;
  }
  /** Null when the report leaves it open. */
  get delivered(): boolean | null {
    return null;
  }
  get expired(): boolean {
    return false;
  }
  get error(): boolean {
    return false;
  }
  /** No later report can change it. */
  get isFinal(): boolean {
    return this.delivered === true || this.expired || this.error;
  }
  /** The names of everything that is true of the message. */
  get states(): ReadonlySet<MessageState> {
    const states = new Set<MessageState>();
    if (this.accepted === true) states.add("accepted");
    if (this.delivered === true) states.add("delivered");
    if (this.expired) states.add("expired");
    if (this.error) states.add("error");
    return states;
  }
}

/** Taken for processing. Not every carrier reports it. */
export class MessageAccepted extends MessageStatus {
  override get kind(): MessageStatusKind {
    return "accepted";
  }
  override get accepted(): boolean | null {
    return true;
  }
  override get delivered(): boolean | null {
    return false;
  }
}

/** On the phone. Final. */
export class MessageDelivered extends MessageAccepted {
  override get kind(): MessageStatusKind {
    return "delivered";
  }
  override get delivered(): boolean | null {
    return true;
  }
}

/** Waited too long to be delivered. Final. */
export class MessageExpired extends MessageAccepted {
  override get kind(): MessageStatusKind {
    return "expired";
  }
  override get expired(): boolean {
    return true;
  }
}

/** Failed after it had been accepted for sending. Final. */
export class MessageError extends MessageStatus {
  override get kind(): MessageStatusKind {
    return "error";
  }
  override get accepted(): boolean | null {
    return true;
  }
  override get delivered(): boolean | null {
    return false;
  }
  override get error(): boolean {
    return true;
  }
}
