/** The certificates by which receivers verify messages; for operators. */

import type { Api } from "../api.ts";
import {
  type JsonObject,
  readBoolean,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** A certificate that messages are or were signed with. */
export interface Certificate extends JsonObject {
  readonly certificateId: string;
  /** PEM. */
  readonly certificate: string;
  /** Whether it signs. */
  readonly current: boolean;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`, as `notAfter`. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/** The certificate that messages are signed with from now on. */
export interface RotatedCertificate extends JsonObject {
  readonly certificateId: string;
}

/** Lists the certificates of signing keys, and makes a new one. */
export interface Certificates {
  /** The current one first, then the newest. */
  list(options?: RequestOptions): Promise<readonly Certificate[]>;
  /** Signs with a fresh key from now on; former certificates stay. */
  rotate(options?: RequestOptions): Promise<RotatedCertificate>;
}

export function createCertificates(api: Api): Certificates {
  return {
    async list(options) {
      const path = ["signing-keys"];
      const { body } = await api({ method: "GET", path }, options);
      return readObjects(body, "signingKeys").map(toCertificate);
    },
    async rotate(options) {
      const path = ["signing-keys", "rotate"];
      const { body } = await api({ method: "POST", path }, options);
      return { ...body, certificateId: readText(body, "certificateId") };
    },
  };
}

function toCertificate(body: JsonObject): Certificate {
  return {
    ...body,
    certificateId: readText(body, "certificateId"),
    certificate: readText(body, "certificate"),
    current: readBoolean(body, "current"),
    notBefore: readText(body, "notBefore"),
    notAfter: readText(body, "notAfter"),
  };
}
