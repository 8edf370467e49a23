/** `carillon certificate …` */

import { Command } from "commander";
import { type Answer, listOf, shown, textOf } from "../answer.ts";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { connectHttp } from "../identity.ts";
import { type Column, createOutput } from "../output.ts";

const columns: readonly Column<Answer>[] = [
  { head: "certificate", cell: (key) => shown(key.certificateId) },
  { head: "signs", cell: (key) => (key.current === true ? "yes" : "no") },
  { head: "valid from", cell: (key) => shown(key.notBefore) },
  { head: "until", cell: (key) => shown(key.notAfter) },
];

export function certificateCommand(): Command {
  return new Command("certificate")
    .description(
      "List and change the certificates by which receivers verify messages; for administrators.",
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
    const http = await connectHttp(options);
    const answer = await http.request("GET", "/api/v2/signing-keys");
    createOutput(options).rows(
      listOf(answer, "signingKeys"),
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
    const http = await connectHttp(options);
    const answer = await http.request("POST", "/api/v2/signing-keys/rotate");
    createOutput(options).result(
      `Messages are now signed for ${textOf(answer, "certificateId")}.`,
      answer,
    );
  });
}
