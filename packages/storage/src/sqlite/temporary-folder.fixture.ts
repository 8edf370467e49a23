/** Folders for tests, gone when the test file ends. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** Answers a function that makes an empty folder each time. */
export function temporaryFolders(): () => string {
  const root = mkdtempSync(join(tmpdir(), "carillon-test-"));
  after(() => rmSync(root, { recursive: true }));
  return () => mkdtempSync(join(root, "store-"));
}
