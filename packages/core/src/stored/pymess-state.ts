/** States of stored messages by the names and numbers that pymess gives them. */

/** A state as pymess calls it. */
export interface PymessState {
  readonly name: string;
  readonly number: number;
}
