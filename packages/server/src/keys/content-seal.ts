/**
 * Seals messages of topics that a key is bound to: content, subject, attributes,
 * extra data and options of texts in one text, under AES-256-GCM bound to the
 * message's id, so that nothing of one message can stand in for another's.
 */

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import {
  type BindingStore,
  CarillonError,
  type ContentSeal,
  type NewMessage,
  topicsOf,
} from "@carillon/core";
import type { Keys } from "./keys.ts";

/** What nobody without the key may read. */
type SealedPart = Pick<NewMessage, "content"> & {
  readonly subject: NewMessage["subject"] | undefined;
  readonly attributes: NewMessage["attributes"] | undefined;
  readonly extraData: NewMessage["extraData"] | undefined;
  readonly sms: NewMessage["sms"] | undefined;
};

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** How long a key that another node disabled may seal on, at most. */
const maxKeysAgeMs = 60_000;

export function createContentSeal(ports: {
  readonly store: Pick<BindingStore, "findBinding">;
  readonly keys: Keys;
}): ContentSeal {
  const { store, keys } = ports;

  /** Of several topics, that of the first which has one. */
  async function findBinding(message: NewMessage) {
    for (const { seq } of topicsOf(message)) {
      const binding = await store.findBinding(seq, "kms");
      if (binding) return binding;
    }
    return undefined;
  }

  return {
    async seal(message) {
      const { id, projectId } = message;
      const binding = await findBinding(message);
      if (!binding) return message;
      const { content, subject, attributes, extraData, sms, ...rest } = message;
      const { keyId } = binding.data;
      // Disabled, or made, on another node that could not tell.
      await keys.refresh({ olderThanMs: maxKeysAgeMs });
      if (keys.find(projectId, keyId)?.status !== "ENABLED") {
        await keys.refresh();
      }
      const material = keys.materialOf(projectId, keyId);
      if (!material || keys.find(projectId, keyId)?.status !== "ENABLED") {
        throw new CarillonError(
          "KEY_UNUSABLE",
          `The topic's messages are sealed with key ${keyId}, which is ${material ? "disabled: enable it" : "not there: create it"}, or remove it from the topic.`,
        );
      }
      const said: SealedPart = { content, subject, attributes, extraData, sms };
      const text = seal(material, id, JSON.stringify(said));
      return { ...rest, content: { kind: "text", text }, sealedBy: keyId };
    },
    open(message) {
      const { sealedBy, ...rest } = message;
      if (sealedBy === undefined) return message;
      const { id, projectId, content } = message;
      const openWith = (material: Uint8Array | undefined): typeof message => {
        if (!material || content.kind !== "text") {
          throw new Error(
            `Message ${id} is sealed with key ${sealedBy}, which is not there.`,
          );
        }
        // What `seal` wrote: the tag says that nobody else did.
        const said = JSON.parse(open(material, id, content.text)) as SealedPart;
        // All of it but the seal.
        return { ...rest, ...said } as typeof message;
      };
      const material = keys.materialOf(projectId, sealedBy);
      if (material) return openWith(material);
      // Another node may have made it a moment ago.
      return keys
        .refresh()
        .then(() => openWith(keys.materialOf(projectId, sealedBy)));
    },
  };
}

function seal(key: Uint8Array, messageId: string, text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(Buffer.from(messageId));
  const body = [cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...body]).toString(
    "base64",
  );
}

/** @throws Error when key or message are others, or it was altered */
function open(key: Uint8Array, messageId: string, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(
    algorithm,
    key,
    bytes.subarray(0, nonceBytes),
    { authTagLength: tagBytes },
  );
  decipher.setAAD(Buffer.from(messageId));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const body = bytes.subarray(nonceBytes + tagBytes);
  return decipher.update(body, undefined, "utf8") + decipher.final("utf8");
}
