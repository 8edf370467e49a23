/** Where mailboxes are fetched from; the rivals have the same paths. */

export const mailboxName = (n: number | string) => `box-${n}`;

export const messagesPath = (mailbox: string) =>
  `/api/v2/subscriptions/${mailbox}/messages`;
