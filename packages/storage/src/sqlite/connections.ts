/** What the parts of a store work with. */

import type { Reader } from "./read/reader.ts";
import type { Writer } from "./write/writer.ts";

export interface Connections {
  readonly reader: Reader;
  readonly writer: Writer;
}
