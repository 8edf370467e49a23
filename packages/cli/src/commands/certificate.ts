/** `carillon certificate …` */

import type { Certificate } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";

const columns: readonly Column<Certificate>[] = [
  { head: "certificate", cell: (key) => key.certificateId },
  { head: "signs", cell: (key) => (key.current ? "yes" : "no") },
  { head: "valid from", cell: (key) => key.notBefore },
  { head: "until", cell: (key) => key.notAfter },
];

export function certificateCommand(): Command {
  return new Command("certificate")
    .description(
      "List and change the certificates by which receivers verify messages; for operators.",
    )
    .addCommand(list())
    .addCommand(rotate());
}

function list(): Command {
  return clientCommand(
    "list",
    "List all certificates, the current one first.",
    ["carillon certificate list"],
  ).action(async (options: ClientOptions) => {
    createOutput(options).rows(
      await withServer(options, ({ carillon }) => carillon.certificates.list()),
      columns,
      "There are no certificates.",
    );
  });
}

function rotate(): Command {
  return clientCommand(
    "rotate",
    "Sign with a fresh key from now on. Former certificates stay downloadable, so that what they signed can still be verified.",
    ["carillon certificate rotate"],
  ).action(async (options: ClientOptions) => {
    const rotated = await withServer(options, ({ carillon }) =>
      carillon.certificates.rotate(),
    );
    createOutput(options).result(
      `Messages are now signed for ${rotated.certificateId}.`,
      rotated,
    );
  });
}
