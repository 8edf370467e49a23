import { createRequire } from "node:module";

/** This package's own manifest, from source and from dist. */
export const manifest = createRequire(import.meta.url)(
  "carillon/package.json",
) as {
  readonly version: string;
  readonly engines: { readonly node: string };
};
