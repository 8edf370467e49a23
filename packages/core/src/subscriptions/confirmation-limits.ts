/**
 * How many confirmation messages an endpoint may be sent for one project, so
 * that nobody can be flooded by being subscribed again and again.
 */

/**
 * A window opens with the first message and lasts `windowMs`. With its last
 * allowed message a pause begins in which none is sent: it lasts `pauseMs`, and
 * at least until the window's end.
 */
export interface ConfirmationLimit {
  readonly max: number;
  readonly windowMs: number;
  /** 0: the pause ends with the window. */
  readonly pauseMs: number;
}
