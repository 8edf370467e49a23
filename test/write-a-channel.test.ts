/** Follows the guide on channels, in a copy of the sources. */

import { test } from "node:test";
import { followGuide } from "./harness/own-code.ts";

test("the guide on channels does what it says", { timeout: 180_000 }, (t) =>
  followGuide(t, "docs/guides/write-a-channel.md"),
);
