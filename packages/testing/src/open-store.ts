/** How the contracts get the stores they are run over. */

import type { Clock, Store } from "@carillon/core";

/** Answers an empty store, whose leases run on the clock's monotonic time. */
export type OpenStore = (ports: { readonly clock: Clock }) => Promise<Store>;
