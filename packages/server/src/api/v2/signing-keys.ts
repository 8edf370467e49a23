/** The keys that messages to http subscribers are signed with. */

import type { EpochMs } from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import { instant } from "./schema-parts.ts";

export interface Certificates {
  /** The current one first, then the newest. */
  list(): Promise<readonly Certificate[]>;
  /** Signs with a fresh key from now on; answers its certificate's id. */
  rotate(): Promise<string>;
}

interface Certificate {
  readonly certificateId: string;
  /** PEM. */
  readonly certificate: string;
  readonly current: boolean;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

const SigningKey = Type.Object(
  {
    certificateId: Type.String({
      description: "The last part of a message's signing_cert_url",
    }),
    certificate: Type.String({ description: "PEM" }),
    current: Type.Boolean({ description: "Whether it signs" }),
    notBefore: instant("From when on the certificate is valid"),
    notAfter: instant("Until when"),
  },
  { title: "SigningKey" },
);

export function signingKeyRoutes(
  app: HttpApp,
  certificates: Certificates,
): void {
  const tags = ["Service"];

  app.get(
    "/signing-keys",
    {
      config: { operation: "signing-keys.read" },
      schema: {
        summary: "Lists the certificates that messages are signed with",
        tags,
        response: {
          200: Type.Object({
            signingKeys: Type.Array(SigningKey, {
              description: "The current one first, then the newest",
            }),
          }),
          ...refusals,
        },
      },
    },
    async () => ({ signingKeys: (await certificates.list()).map(toBody) }),
  );

  app.post(
    "/signing-keys/rotate",
    {
      config: { operation: "signing-keys.write" },
      schema: {
        summary: "Signs with a fresh key from now on",
        description:
          "Former certificates stay downloadable, so that what they signed can still be verified.",
        tags,
        response: {
          200: Type.Object({
            certificateId: Type.String({
              description: "Of the certificate that signs from now on",
            }),
          }),
          ...refusals,
        },
      },
    },
    async () => ({ certificateId: await certificates.rotate() }),
  );
}

function toBody(one: Certificate): Static<typeof SigningKey> {
  return {
    ...one,
    notBefore: toMillisecondsText(one.notBefore),
    notAfter: toMillisecondsText(one.notAfter),
  };
}
