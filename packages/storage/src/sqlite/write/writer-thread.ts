/**
 * The thread that owns the writing connection: takes commands, answers once
 * they are on disk, or committed where that is enough. It starts while the main thread still looks at the folder, so
 * it opens nothing before the first command.
 */

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { openForWriting } from "../connection.ts";
import { type Failure, toFailure } from "../failure.ts";
import { ChangeJournal } from "./change-journal.ts";
import { ChangeNotices } from "./change-notices.ts";
import { createOperations, type OperationName } from "./operations.ts";
import type { StateRules } from "./state-rules.ts";
import {
  type Answer,
  type Command,
  createTransactions,
} from "./transactions.ts";

export interface WriterData {
  readonly rules: StateRules;
}

export type WriterRequest =
  | { readonly kind: "open"; readonly file: string }
  | { readonly kind: "write"; readonly commands: readonly Command[] }
  /** From now on answers say in which mailboxes there may be something. */
  | { readonly kind: "watch" }
  | { readonly kind: "close" };

export type WriterReply =
  | { readonly kind: "opened" }
  | { readonly kind: "refused"; readonly failure: Failure }
  | { readonly kind: "written"; readonly answer: Answer };

if (!isMainThread && parentPort) {
  const port = parentPort;
  // The main thread's side of this is writer.ts.
  const { rules } = workerData as WriterData;
  let connection: ReturnType<typeof open> | undefined;
  port.on("message", (request: WriterRequest) => {
    switch (request.kind) {
      case "open":
        try {
          connection = open(request.file, rules);
          reply({ kind: "opened" });
        } catch (error) {
          reply({ kind: "refused", failure: toFailure(error) });
        }
        break;
      case "write":
        connection?.write(request.commands, (answer) => {
          reply({ kind: "written", answer });
        });
        break;
      case "watch":
        connection?.watch();
        break;
      case "close":
        connection?.db.close();
        port.close();
        break;
      default:
        request satisfies never;
    }
  });
  const reply = (message: WriterReply) => port.postMessage(message);
}

function open(file: string, rules: StateRules) {
  const db = openForWriting(file);
  const journal = new ChangeJournal(db);
  const notices = new ChangeNotices();
  const operations = createOperations(db, rules, { journal, notices });
  const execute = ([name, args]: Command) => {
    // The main thread's side is typed: it names an operation with its own
    // arguments.
    const operation = operations[name as OperationName] as (
      ...args: readonly unknown[]
    ) => unknown;
    return operation(...args);
  };
  const run = createTransactions(db, execute, { journal, notices });
  return {
    db,
    watch(): void {
      journal.readyMailboxes.isWatched = true;
      journal.queueOutcomes.isWatched = true;
    },
    write(commands: readonly Command[], reply: (answer: Answer) => void): void {
      for (let done = 0; done < commands.length; ) {
        const answer = run(commands, done);
        done += answer.results.length;
        reply(answer);
      }
    },
  };
}
