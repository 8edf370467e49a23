/** What the parts of a store work with. */

import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export interface Connections {
  readonly reader: Reader;
  readonly writer: Writer;
}
