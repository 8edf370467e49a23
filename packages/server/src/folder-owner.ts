/** Whose the files of a data folder are, when root works on it. */

import { lchown, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Gives all in the folder to the folder's owner: what root made there would be
 * closed to the user that the service runs as. Does nothing for other users,
 * who cannot make files of somebody else.
 */
export async function giveToFolderOwner(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  for (const name of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, name), uid, gid);
  }
}
