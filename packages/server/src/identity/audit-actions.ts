/**
 * What the audit log has entries of: the one table of actions, from which the
 * API, `carillon audit list` and docs/reference/audit.md are made. Imports
 * nothing: the command line loads it on its own.
 */

/** By action; the texts are for people. */
export const auditActions = {
  login: "A user logged in with a password",
  login_refused: "Log-ins whose user, password or scope was wrong, counted",
  "token.revoke": "A token was revoked",
  "domain.create": "A domain was created",
  "domain.change": "A domain was enabled or disabled",
  "domain.delete": "A domain was deleted",
  "project.create": "A project was created",
  "project.change": "A project was enabled or disabled",
  "project.delete": "A project was deleted",
  "user.create": "A user was created",
  "user.change": "A user was enabled, disabled or given another role",
  "user.assign": "A user was assigned to a project",
  "user.unassign": "A project was taken from a user",
  "user.rotate": "A user was given another password",
  "user.delete": "A user was deleted",
  "access-key.create": "An access key was created",
  "access-key.change": "An access key was enabled or disabled",
  "access-key.rotate": "An access key was given another secret",
  "access-key.delete": "An access key was deleted",
  "operator.recover":
    "An operator was given an access key in the data folder (`carillon recover`)",
  "signing-key.rotate": "Messages are signed with a fresh key",
  "provider.test": "A text was sent to test an SMS provider",
  "provider.pause": "An SMS provider was paused",
  "provider.resume": "An SMS provider was resumed",
  "provider.reveal":
    "Where carriers call was shown, with the secret that lets them in",
  "config.reload": "The configuration file was read again by a request",
  "key.create": "A key that messages are sealed with was made",
  "key.enable": "Such a key was enabled",
  "key.disable": "Such a key was disabled",
  "opt-out.add": "A phone was opted out",
  "opt-out.remove": "An opt-out was removed",
  "email-suppression.add": "An address was kept from mails",
  "email-suppression.remove": "An address may get mails again",
  "publisher.create": "A publisher was created; its secret was shown",
  "publisher.change": "A publisher was enabled or disabled",
  "publisher.rotate": "A publisher was given another secret",
  "publisher.delete": "A publisher was deleted",
  "category.add": "A publisher was given a category",
  "category.remove": "A category was taken from a publisher",
  "subscriber.create": "A pull subscriber was created; its secret was shown",
  "subscriber.change":
    "A pull subscriber was enabled, disabled or given another quota",
  "subscriber.rotate": "A pull subscriber was given another secret",
  "subscriber.delete": "A pull subscriber was deleted",
  "subscriber.follow": "A pull subscriber follows a publisher's categories",
  "subscriber.unfollow": "A pull subscriber left a publisher's categories",
  "subscriber.redrive":
    "Messages that a pull subscriber did not confirm in time wait again",
  "delivery.resend": "A delivery was sent again",
  "delivery.cancel": "A delivery was cancelled",
  "delivery.settle": "A delivery whose outcome was unknown was settled",
  "message.cancel": "A message was cancelled",
  "delivery-job.create": "A job for all deliveries of a filter was started",
  "delivery-job.cancel": "Such a job was cancelled",
  "topic-attribute.set":
    "A topic's attribute was set; its access policy is one",
  "topic-attribute.delete": "Attributes of a topic were made empty",
  "filter-policy.create": "Subscriptions were given filter policies",
  "filter-policy.change": "Filter policies of subscriptions were changed",
  "filter-policy.delete": "Filter policies of subscriptions were deleted",
  "key-binding.create": "A topic's messages are sealed from now on",
  "key-binding.change": "A topic's messages are sealed with another key",
  "key-binding.delete": "A topic's messages are not sealed any more",
  "logtank.create": "Deliveries of a topic are logged",
  "logtank.change": "Where deliveries of a topic are logged was changed",
  "logtank.delete": "Deliveries of a topic are not logged any more",
  "notify-policy.create": "A topic was given a notify policy",
  "notify-policy.change": "A topic's notify policy was set or changed",
  "notify-policy.delete": "A topic's notify policy was deleted",
  "subscription.delete": "A subscription was deleted over `/api/v2`",
  "signature.set":
    "How messages to a subscription are signed was chosen; the secrets were shown",
  "signature.rotate":
    "Messages to a subscription are signed with a fresh key; the secrets were shown",
  "signature.reveal":
    "The secrets that messages to a subscription are signed with were shown",
} as const satisfies Readonly<Record<string, string>>;

export type AuditAction = keyof typeof auditActions;

/** In the order of the table. */
export const auditActionNames = Object.keys(
  auditActions,
) as readonly AuditAction[];

export function isAuditAction(text: string): text is AuditAction {
  return Object.hasOwn(auditActions, text);
}
