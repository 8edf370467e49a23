/** What the identity service's routes work with. */

import type { AdministrationWithin } from "../../identity/administration/administration.ts";
import type { AuditLog } from "../../identity/audit-log.ts";
import type { Identity } from "../../identity/identity.ts";
import type { LoginLog } from "../../logging/login-log.ts";
import type { LoginMeter } from "../../metrics/login-meter.ts";
import type { OriginOf } from "../origin.ts";

export interface IdentityPorts {
  readonly identity: Identity;
  readonly administration: AdministrationWithin;
  readonly audit: AuditLog;
  readonly loginLog: LoginLog;
  readonly logins: LoginMeter;
  readonly originOf: OriginOf;
  readonly region: string;
}
