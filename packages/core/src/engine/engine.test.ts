import { MemoryStore } from "@carillon/testing";
import { testEngineContract } from "@carillon/testing/engine-contract";

testEngineContract("MemoryStore", async (ports) => new MemoryStore(ports), {
  manySubscribers: 2000,
});
