/** `carillon certificate …` */

import type { Certificate } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { chooseOne, type Naming } from "../lookup.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { shortTime } from "../table.ts";

const naming: Naming<Certificate> = {
  noun: "certificate",
  idOf: ({ certificateId }) => idIn(certificateId),
  nameOf: ({ certificateId }) => certificateId,
};

const columns: readonly Column<Certificate>[] = [
  { head: "id", cell: (key) => idIn(key.certificateId), isId: true },
  { head: "signs", cell: (key) => (key.current ? "yes" : "no") },
  { head: "valid from", cell: (key) => shortTime(key.notBefore) },
  { head: "until", cell: (key) => shortTime(key.notAfter) },
];

const fields: readonly Column<Certificate>[] = [
  { head: "certificate", cell: (key) => key.certificateId },
  ...columns,
];

export function certificateCommand(): Command {
  return new Command("certificate")
    .description(
      "List, show and change the certificates by which receivers verify messages; for operators. A certificate is given by its name, its id or the start of its id.",
    )
    .addCommand(list())
    .addCommand(show())
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

function show(): Command {
  return clientCommand(
    "show <certificate>",
    "Show one certificate; its PEM is in the output as JSON.",
    [
      "carillon certificate show 39f27439",
      "carillon certificate show 39f27439 -o json | jq -r .certificate",
    ],
  ).action(async (certificate: string, options: ClientOptions) => {
    const all = await withServer(options, ({ carillon }) =>
      carillon.certificates.list(),
    );
    createOutput(options).record(chooseOne(all, naming, certificate), fields);
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

/** The unique part of `SMN_{region}_{id}.pem`. */
function idIn(certificateId: string): string {
  return /([0-9a-f]+)\.pem$/.exec(certificateId)?.[1] ?? certificateId;
}
