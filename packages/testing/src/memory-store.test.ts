import { MemoryStore } from "./memory-store.ts";
import { testStoreContract } from "./store-contract.ts";

testStoreContract("MemoryStore", async (options) => new MemoryStore(options));
