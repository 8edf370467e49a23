/**
 * Seals what messages say while they are kept. Which topics want it, and with
 * which key, is the adapter's knowledge.
 */

import type { NewMessage } from "../messages/message.ts";

/**
 * Encrypts content, subject, attributes, extra data and options of texts of
 * messages before they are kept, and decrypts them for their delivery.
 */
export interface ContentSeal {
  /**
   * The message as it is to be kept: with what it says sealed, or as it is.
   *
   * @throws CarillonError KEY_UNUSABLE
   */
  seal(message: NewMessage): Promise<NewMessage>;
  /**
   * The message as it was published; one that is not sealed as it is. A promise
   * only while its key is looked for in the store.
   *
   * @throws Error when the key is not there, or the content was altered
   */
  open<Kept extends NewMessage>(message: Kept): Kept | Promise<Kept>;
}

/** Keeps everything as it is. */
export const noSeal: ContentSeal = {
  seal: async (message) => message,
  open: (message) => message,
};
