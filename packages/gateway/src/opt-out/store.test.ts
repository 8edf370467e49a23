import { testOptOutStoreContract } from "@carillon/testing/opt-out-contract";
import { MemoryOptOutStore } from "./store.ts";

testOptOutStoreContract(
  "MemoryOptOutStore",
  async () => new MemoryOptOutStore(),
);
