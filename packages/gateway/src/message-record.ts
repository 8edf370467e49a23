/**
 * What an application keeps of a text besides what its carrier needs: what
 * backends and the router of that application see. It never leaves the process.
 */

/** An object in the application that a text is about. */
export interface RecordedObject {
  readonly type: string;
  readonly id: string;
}

/** The application's record of a text. */
export interface MessageRecord {
  /** The same for each attempt, and of no other text. */
  readonly id: string;
  /** The recipient as the application has it, such as `+420777123456`. */
  readonly to: string;
  /** 1 is the highest. */
  readonly priority: number;
  readonly tag?: string;
  readonly extraData?: Readonly<Record<string, unknown>>;
  readonly relatedObjects: readonly RecordedObject[];
}

/** Of a text without a record: the lowest. */
export const unrecordedPriority = 3;
