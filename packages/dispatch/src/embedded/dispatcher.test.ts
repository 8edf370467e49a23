import { testDispatcherContract } from "@carillon/testing/dispatcher-contract";
import { createEmbeddedDispatcher } from "./dispatcher.ts";

testDispatcherContract("The embedded dispatcher", async () =>
  createEmbeddedDispatcher(),
);
