/** `carillon subscription signature …` */

import type { Signature, SignatureKey, Signatures } from "@carillon/client";
import { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { findSubscription } from "../find-subscription.ts";
import { type Column, createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { instantText } from "../time-text.ts";
import { wholeNumber } from "../whole-number.ts";

/** A signature with the subscription that it is of. */
interface SignatureRecord extends Signature {
  readonly subscription_urn: string;
}

/** A line for each key, newest first. */
export function fieldsOf({
  keys,
}: SignatureRecord): readonly Column<SignatureRecord>[] {
  return [
    { head: "subscription", cell: (one) => one.subscription_urn },
    { head: "scheme", cell: ({ scheme }) => scheme },
    ...keys.map((key) => ({
      head: `key ${key.number}`,
      cell: () => describeKey(key),
      wraps: true,
    })),
  ];
}

export function signatureCommand(): Command {
  return new Command("signature")
    .description(
      "Show, choose and rotate what messages to a subscription over http or https are signed with. It is given by its id, or by topic and endpoint.",
    )
    .addCommand(show())
    .addCommand(set())
    .addCommand(rotate());
}

interface ShowOptions extends ClientOptions {
  readonly reveal?: true;
}

function show(): Command {
  return clientCommand(
    "show <id> [endpoint]",
    "Show how messages to a subscription are signed.",
    [
      "carillon subscription signature show 9d81c2f0",
      "carillon subscription signature show alerts https://a.example --reveal",
    ],
  )
    .option("--reveal", "with the secrets; stands in the audit log")
    .action(
      (reference: string, endpoint: string | undefined, options: ShowOptions) =>
        run(reference, endpoint, options, (signatures, urn) =>
          options.reveal ? signatures.reveal(urn) : signatures.get(urn),
        ),
    );
}

interface SetOptions extends ClientOptions {
  readonly algorithm?: string;
}

function set(): Command {
  return clientCommand(
    "set <scheme> <id> [endpoint]",
    "Choose how messages to a subscription are signed from now on: smn, standard-webhooks or none. All keys there are end at once, also when the same is set again; standard-webhooks gets a fresh one, which is shown.",
    [
      "carillon subscription signature set standard-webhooks 9d81c2f0",
      "carillon subscription signature set none alerts https://a.example/hook",
    ],
  )
    .option(
      "--algorithm <name>",
      "of standard-webhooks: hmac-sha256, the default, or ed25519",
    )
    .action(
      (
        scheme: string,
        reference: string,
        endpoint: string | undefined,
        options: SetOptions,
      ) =>
        run(reference, endpoint, options, (signatures, urn) =>
          signatures.set(urn, { scheme, algorithm: options.algorithm }),
        ),
    );
}

const maxOverlapSeconds = 30 * 24 * 3600;

interface RotateOptions extends SetOptions {
  readonly overlap?: number;
}

function rotate(): Command {
  return clientCommand(
    "rotate <id> [endpoint]",
    "Sign with a fresh key from now on; earlier ones sign too for a day. Shows the secrets.",
    [
      "carillon subscription signature rotate 9d81c2f0",
      "carillon subscription signature rotate 9d81c2f0 --overlap 0",
    ],
  )
    .option(
      "--overlap <seconds>",
      "how long earlier keys sign too; 0: they end at once",
      wholeNumber(0, maxOverlapSeconds, "seconds"),
    )
    .option(
      "--algorithm <name>",
      "hmac-sha256 or ed25519; default: that of the newest key",
    )
    .action(
      (
        reference: string,
        endpoint: string | undefined,
        { overlap, algorithm, ...options }: RotateOptions,
      ) =>
        run(reference, endpoint, options, (signatures, urn) =>
          signatures.rotate(urn, { algorithm, overlapSeconds: overlap }),
        ),
    );
}

async function run(
  reference: string,
  endpoint: string | undefined,
  options: ClientOptions,
  act: (signatures: Signatures, urn: string) => Promise<Signature>,
): Promise<void> {
  const record = await withServer(options, async (server) => {
    const { subscriptionUrn } = await findSubscription(
      server,
      reference,
      endpoint,
    );
    const signature = await act(server.carillon.signatures, subscriptionUrn);
    return { ...signature, subscription_urn: subscriptionUrn };
  });
  createOutput(options).record(record, fieldsOf(record));
}

/** Algorithm, until when it signs, and what receivers verify with. */
function describeKey(key: SignatureKey): string {
  const { algorithm, until, secret, publicKey } = key;
  return [
    algorithm,
    ...(until === undefined ? [] : [`until ${instantText(until)} UTC`]),
    secret ??
      (publicKey === undefined
        ? "secret hidden; --reveal shows it"
        : `public key ${publicKey}`),
  ].join(", ");
}
