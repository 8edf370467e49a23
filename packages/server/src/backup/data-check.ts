/** Whether a database and a key file are whole, and belong together. */

import type { DatabaseFile } from "@carillon/storage";
import { secretKeyPurpose } from "../identity/access-keys.ts";
import { createSecretBox, secretBoxKeyBytes } from "../identity/secret-box.ts";
import { isCheckOf, secretKeyCheckSetting } from "../secret-key.ts";

/**
 * Whether secrets of the database open with the key; true as well when it has
 * none yet.
 */
export function isKeyOf(
  database: Pick<DatabaseFile, "findSealedAccessKey" | "findSetting">,
  key: Uint8Array,
): boolean {
  if (key.length !== secretBoxKeyBytes) return false;
  const check = database.findSetting(secretKeyCheckSetting);
  if (check !== undefined && !isCheckOf(check, key)) return false;
  const sealed = database.findSealedAccessKey();
  if (!sealed) return true;
  try {
    createSecretBox(key).open(
      sealed.encryptedSecret,
      secretKeyPurpose(sealed.accessKey),
    );
    return true;
  } catch {
    return false;
  }
}
