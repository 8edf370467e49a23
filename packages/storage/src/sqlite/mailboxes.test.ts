import { testMailboxesContract } from "@carillon/testing/mailboxes-contract";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

testMailboxesContract("SqliteStore", ({ clock }) =>
  openSqliteStore({ folder: newFolder(), clock }),
);
