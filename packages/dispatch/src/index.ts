/** Public surface of `@carillon/dispatch`. */

export { createEmbeddedDispatcher } from "./embedded/dispatcher.ts";
