import { testEngineContract } from "@carillon/testing/engine-contract";
import { openSqliteStore } from "./sqlite-store.ts";
import { temporaryFolders } from "./temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

testEngineContract("SqliteStore", ({ clock }) =>
  openSqliteStore({ folder: newFolder(), clock }),
);
