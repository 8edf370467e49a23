/**
 * How long after a message's life its status URL is still told what comes late: a
 * receipt that says what became of it, or a phone's reply. Milliseconds.
 */
export const lateOutcomesMs = 24 * 3_600_000;
