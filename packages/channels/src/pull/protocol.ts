/** The protocol pull: mailboxes from which subscribers fetch. */

import {
  CarillonError,
  type ExtensionRequest,
  isMailboxName,
  mailboxNameForm,
  type ProtocolDefinition,
  refuseExtension,
} from "@carillon/core";

/** The definition of `pull`. */
export const pullProtocol = {
  name: "pull",
  isSmn: false,
  endpointForm: `the name of a mailbox: ${mailboxNameForm}`,
  problemWithEndpoint: (text) =>
    isMailboxName(text) ? undefined : "it is no such name",
  // A name that its project chose tells people of other projects nothing.
  maskEndpoint: (name) => name,
  checkExtension,
  // Devices may be off for days.
  defaultLifeSeconds: 14 * 86_400,
  confirmation: "none",
} as const satisfies ProtocolDefinition;

/** @throws CarillonError SUBSCRIPTION_INVALID */
function checkExtension({ latest, ...rest }: ExtensionRequest) {
  refuseExtension(rest);
  if (latest === undefined || latest === null || latest === false) return {};
  if (latest === true) return { latest };
  throw new CarillonError(
    "SUBSCRIPTION_INVALID",
    "Invalid extension.latest: true has the topic's newest message put into the mailbox at once; true or false is expected.",
  );
}
