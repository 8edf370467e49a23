/** A thread that signs; the main thread's side of it is `signing-threads.ts`. */

import type { KeyObject } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { signText } from "./signature.ts";

/** Texts to sign with one key. */
export interface SigningBatch {
  readonly key: KeyObject;
  readonly texts: readonly string[];
}

/** The signatures in the order of the texts, or why there are none. */
export type SigningAnswer =
  | { readonly signatures: readonly string[] }
  | { readonly error: unknown };

parentPort?.on("message", (batch: SigningBatch) => {
  parentPort?.postMessage(answerTo(batch));
});

function answerTo({ key, texts }: SigningBatch): SigningAnswer {
  const signatures: string[] = [];
  try {
    // Pushed: what `map` makes is copied between threads as if it had gaps.
    for (const text of texts) signatures.push(signText(text, key));
    return { signatures };
  } catch (error) {
    return { error };
  }
}
