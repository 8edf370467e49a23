import type { ProjectId } from "../ids.ts";
import type { RelatedObject } from "../messages/message.ts";
import type { StoredChannel } from "../stored/stored-message.ts";
import type { StoredTemplate } from "../stored/stored-templates.ts";
import type { EpochMs } from "../time.ts";

/** What finds one template. */
export interface StoredTemplateKey {
  readonly channel: StoredChannel;
  readonly slug: string;
}

/** Lists leave out what may be long. */
export type StoredTemplateSummary = Omit<
  StoredTemplate,
  "body" | "attachments"
>;

/** An object that one template, or all of a channel, may not be sent about. */
export interface DisallowedObject extends RelatedObject {
  readonly createdAt: EpochMs;
}

/** Which templates an object is disallowed for: one, or all of a channel. */
export interface DisallowedScope {
  readonly channel: StoredChannel;
  readonly slug?: string;
}

/** What must hold of the template that is there when one is put. */
export type StoredTemplateCondition =
  | { readonly kind: "absent" }
  | { readonly kind: "unchanged"; readonly changedAt: EpochMs };

/** Keeps templates of stored messages. */
export interface StoredTemplateStore {
  findStoredTemplate(
    projectId: ProjectId,
    key: StoredTemplateKey,
  ): Promise<StoredTemplate | undefined>;
  /** By channel, then by slug; both by code unit. */
  listStoredTemplates(
    projectId: ProjectId,
    channel: StoredChannel | undefined,
    page: { readonly limit: number; readonly after?: StoredTemplateKey },
  ): Promise<readonly StoredTemplateSummary[]>;
  /**
   * Adds it, or puts it in place of the one there was. False, and nothing is
   * changed, when the condition does not hold.
   *
   * @param quota templates that a project may have
   * @throws CarillonError TEMPLATE_QUOTA_EXCEEDED, PROJECT_DELETED
   */
  putStoredTemplate(
    projectId: ProjectId,
    template: StoredTemplate,
    condition: StoredTemplateCondition,
    quota: number,
  ): Promise<boolean>;
  /**
   * With what is disallowed for it. Messages keep its slug. False when there is
   * none.
   */
  deleteStoredTemplate(
    projectId: ProjectId,
    key: StoredTemplateKey,
  ): Promise<boolean>;
  /**
   * What is disallowed already stays as it is.
   *
   * @throws CarillonError PROJECT_DELETED
   */
  disallowObjects(
    projectId: ProjectId,
    scope: DisallowedScope,
    objects: readonly RelatedObject[],
    at: EpochMs,
  ): Promise<void>;
  /** Answers how many were disallowed. */
  allowObjects(
    projectId: ProjectId,
    scope: DisallowedScope,
    objects: readonly RelatedObject[],
  ): Promise<number>;
  /** By type, then id, by code unit; those of this scope alone. */
  listDisallowedObjects(
    projectId: ProjectId,
    scope: DisallowedScope,
    page: { readonly limit: number; readonly after?: RelatedObject },
  ): Promise<readonly DisallowedObject[]>;
  /** Whether any is disallowed for the template, or for all of its channel. */
  isDisallowed(
    projectId: ProjectId,
    key: StoredTemplateKey,
    objects: readonly RelatedObject[],
  ): Promise<boolean>;
}
