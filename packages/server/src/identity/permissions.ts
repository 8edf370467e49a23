/**
 * Who may do what: the one table from operations and roles to how far each
 * reaches. Every route names its operation; `api/authorization.ts` holds each
 * request against this table, and docs/reference/roles.md is written from it.
 */

import type { ProjectId, User, UserRole } from "@carillon/core";
import type { Principal } from "./principal.ts";

/**
 * How far an operation reaches: `none` (it is refused), `self` (the caller's
 * own account and tokens), `project` (the project that the credentials are
 * for), `domain` (all projects and users of the caller's domain), `all`.
 */
export type ReachKind = "none" | "self" | "project" | "domain" | "all";

interface Permission extends Readonly<Record<UserRole, ReachKind>> {
  /** For the documentation. */
  readonly meaning: string;
}

/** By operation. */
export const permissions = {
  "session.use": {
    meaning: "Who the caller is, its tokens, and the projects it may act in",
    member: "self",
    admin: "self",
    operator: "self",
  },
  "service.read": {
    meaning: "Regions, protocols, cloud services: the same for everybody",
    member: "all",
    admin: "all",
    operator: "all",
  },
  "topics.read": ownProject(
    "Topics with their attributes, tags, access policies and bindings",
  ),
  "topics.write": ownProject(
    "Creating, changing and deleting topics and what belongs to them",
  ),
  "subscriptions.read": ownProject("Subscriptions, and detections"),
  "subscriptions.write": ownProject(
    "Subscribing, unsubscribing, filter policies, starting a detection",
  ),
  "templates.read": ownProject(
    "Templates, of messages to topics and of stored messages",
  ),
  "templates.write": ownProject(
    "Changing them, and what they may be sent about",
  ),
  "messages.publish": ownProject("Publishing to topics, and direct texts"),
  "messages.read": ownProject(
    "Messages, deliveries, delivery logs, statistics, texts from phones",
  ),
  "publishers.read": ownProject("Publishers that publish by categories"),
  "publishers.write": ownProject(
    "Creating, changing and deleting them, their secrets and categories",
  ),
  "subscribers.read": ownProject(
    "Pull subscribers, how much waits for them, and what they follow",
  ),
  "subscribers.write": ownProject(
    "Creating, changing and deleting them, their secrets and what they follow",
  ),
  "pull.read": ownProject("What pull subscribers did not confirm in time"),
  "pull.receive": ownProject(
    "Fetching messages in a pull subscriber's place, and confirming them",
  ),
  "email-suppressions.read": ownProject("Addresses that get no mails"),
  "email-suppressions.write": ownProject("Changing that list"),
  "deliveries.write": ownProject(
    "Resending, cancelling and settling deliveries, one or by a job",
  ),
  "imports.write": {
    meaning: "Importing messages that another program sent",
    member: "none",
    admin: "project",
    operator: "project",
  },
  "keys.read": ownProject("Keys that messages are sealed with"),
  "keys.write": ownProject("Making, enabling and disabling such keys"),
  "subscription-users.read": {
    meaning: "The address book, and subscribing from it",
    member: "project",
    admin: "domain",
    operator: "all",
  },
  "subscription-users.create": ownProject(
    "Adding to the address book of one's project",
  ),
  "subscription-users.delete": {
    meaning: "Deleting from the address book",
    member: "project",
    admin: "domain",
    operator: "all",
  },
  "sandbox.read": {
    meaning: "What the sandbox's phones, mailboxes and webhooks got",
    member: "project",
    admin: "project",
    operator: "all",
  },
  "sandbox.write": {
    meaning: "Emptying the sandbox, and writing on its phones",
    member: "project",
    admin: "project",
    operator: "all",
  },
  "domains.read": {
    meaning: "Domains",
    member: "none",
    admin: "domain",
    operator: "all",
  },
  "domains.write": operatorsOnly("Creating, disabling and deleting domains"),
  "projects.read": domainAdministration("Projects, with those one is not in"),
  "projects.write": domainAdministration(
    "Creating, disabling and deleting projects",
  ),
  "users.read": domainAdministration("Users"),
  "users.write": domainAdministration(
    "Creating, changing and deleting users, their passwords and assignments; operators are changed by operators only",
  ),
  "access-keys.read": domainAdministration("Access keys without their secrets"),
  "access-keys.write": domainAdministration(
    "Creating, rotating, disabling and deleting access keys; those of operators by operators only",
  ),
  "guards.read": operatorsOnly(
    "Seeing what the guard of texts held, and its limits",
  ),
  "opt-outs.read": operatorsOnly(
    "Who does not want texts, in the whole installation",
  ),
  "opt-outs.write": operatorsOnly("Changing that list"),
  "providers.read": operatorsOnly(
    "How SMS providers fare, and what is left on their accounts",
  ),
  "providers.write": operatorsOnly(
    "Pausing, resuming and testing SMS providers, and seeing where their carriers call",
  ),
  "batches.run": operatorsOnly(
    "Sending what batch mode has stored, and checking for reports of texts that did not come",
  ),
  "sms.explain": operatorsOnly(
    "Where a text would go, with providers, rules and prices",
  ),
  "audit.read": domainAdministration("Who logged in, and who changed what"),
  "metrics.read": operatorsOnly("Metrics for Prometheus"),
  "signing-keys.read": operatorsOnly(
    "The certificates that messages are signed with",
  ),
  "signing-keys.write": operatorsOnly("Signing with a fresh key"),
  "config.write": operatorsOnly("Having the configuration file read again"),
} as const satisfies Readonly<Record<string, Permission>>;

/** What a route does; `public`: it answers anybody, without credentials. */
export type Operation = keyof typeof permissions | "public";

/** Those that need credentials. */
export const operations = Object.keys(permissions) as readonly Exclude<
  Operation,
  "public"
>[];

export function isOperation(text: unknown): text is Operation {
  return (
    text === "public" ||
    (typeof text === "string" && Object.hasOwn(permissions, text))
  );
}

/** The projects that credentials can be for, by role. */
export const credentialProjects = {
  member: "assigned",
  admin: "domain",
  operator: "all",
} as const satisfies Readonly<Record<UserRole, "assigned" | "domain" | "all">>;

/** Whether a user's tokens can be for the domain. */
export function mayActInDomain(
  { role, domainId }: Pick<User, "role" | "domainId">,
  domain: { readonly id: string },
): boolean {
  return credentialProjects[role] === "all" || domain.id === domainId;
}

export function mayActIn(
  user: Pick<User, "role" | "domainId" | "projectIds">,
  project: { readonly id: ProjectId; readonly domainId: string },
): boolean {
  const projects = credentialProjects[user.role];
  switch (projects) {
    case "assigned":
      return (
        project.domainId === user.domainId &&
        user.projectIds.includes(project.id)
      );
    case "domain":
      return project.domainId === user.domainId;
    case "all":
      return true;
    default:
      return projects satisfies never;
  }
}

/** Whose things a caller reaches. */
export type Reach =
  | {
      readonly kind: "project";
      readonly projectId: ProjectId;
      readonly domainId: string;
    }
  | { readonly kind: "domain"; readonly domainId: string }
  | { readonly kind: "all" };

/**
 * How far this caller's operation reaches; `undefined`: it is refused, or needs
 * a project that the credentials do not have.
 */
export function reachOf(
  { role, domainId, project }: Principal,
  operation: Exclude<Operation, "public">,
): Reach | undefined {
  const kind: ReachKind = permissions[operation][role];
  switch (kind) {
    case "none":
      return undefined;
    case "project":
      return (
        project && {
          kind,
          projectId: project.id,
          domainId: project.domainId,
        }
      );
    case "self":
    case "domain":
      return { kind: "domain", domainId };
    case "all":
      return { kind };
    default:
      return kind satisfies never;
  }
}

/** Whether something of that project or domain is reached. */
export function isReached(
  reach: Reach,
  thing: {
    readonly domainId?: string | undefined;
    readonly projectId?: string | undefined;
  },
): boolean {
  switch (reach.kind) {
    case "project":
      return reach.projectId === thing.projectId;
    case "domain":
      return reach.domainId === thing.domainId;
    case "all":
      return true;
    default:
      return reach satisfies never;
  }
}

function ownProject(meaning: string) {
  return {
    meaning,
    member: "project",
    admin: "project",
    operator: "project",
  } as const;
}

function domainAdministration(meaning: string) {
  return { meaning, member: "none", admin: "domain", operator: "all" } as const;
}

function operatorsOnly(meaning: string) {
  return { meaning, member: "none", admin: "none", operator: "all" } as const;
}
