import { MemoryStore } from "@carillon/testing";
import { testMailboxesContract } from "@carillon/testing/mailboxes-contract";

testMailboxesContract("MemoryStore", async (ports) => new MemoryStore(ports));
