/** Which of the sandbox's things a caller is shown. */

import type { ProjectId } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { requestReach } from "../../api/authorization.ts";
import { isReached } from "../../identity/permissions.ts";

/** Something that came to the sandbox. */
interface Received {
  /** Absent when nothing says whose it is: then only operators see it. */
  readonly projectId?: ProjectId | undefined;
}

/** For the lists of the sandbox. */
export function seenBy(request: FastifyRequest): (item: Received) => boolean {
  const reach = requestReach(request);
  return ({ projectId }) => isReached(reach, { projectId });
}
