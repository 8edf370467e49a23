/** Templates between core and our own API. */

import {
  CarillonError,
  type RelatedObject,
  type StoredTemplate,
  type StoredTemplateKey,
  type StoredTemplateSummary,
  storedChannels,
  type TemplatePreview,
} from "@carillon/core";
import type { Static } from "typebox";
import { toMillisecondsText } from "../../timestamps.ts";
import { toAttachments } from "../stored/attachments.ts";
import type {
  NewTemplate,
  PreviewBody,
  SummaryBody,
  TemplateBody,
} from "./schemas.ts";

type Draft = Partial<Static<typeof NewTemplate>>;

/** @throws CarillonError TEMPLATE_INVALID */
export function toDraft<Given extends Draft>({
  attachments,
  ...members
}: Given) {
  return {
    ...members,
    ...(attachments !== undefined && {
      attachments:
        attachments && toAttachments(attachments, "TEMPLATE_INVALID"),
    }),
  };
}

export function toSummaryBody({
  createdAt,
  changedAt,
  ...template
}: StoredTemplateSummary): Static<typeof SummaryBody> {
  return {
    ...template,
    createdAt: toMillisecondsText(createdAt),
    changedAt: toMillisecondsText(changedAt),
  };
}

export function toTemplateBody({
  body,
  attachments,
  ...summary
}: StoredTemplate): Static<typeof TemplateBody> {
  return {
    ...toSummaryBody(summary),
    body,
    ...(attachments && {
      attachments: attachments.map(({ content, ...attachment }) => ({
        ...attachment,
        content: Buffer.from(content).toString("base64"),
      })),
    }),
  };
}

export function toPreviewBody({
  template: _,
  ...preview
}: TemplatePreview): Static<typeof PreviewBody> {
  return preview;
}

/** @throws CarillonError PAGE_INVALID */
export function parseTemplateKey(text: string): StoredTemplateKey {
  const [, name, slug] = /^([a-z]+)\.([\w-]{1,100})$/.exec(text) ?? [];
  const channel = storedChannels.find((it) => it === name);
  if (channel !== undefined && slug !== undefined) return { channel, slug };
  throw invalidMarker();
}

/** @throws CarillonError PAGE_INVALID */
export function parseObject(text: string): RelatedObject {
  const [, type, id] = /^(\S{1,128}) (.{1,128})$/s.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { type, id };
  throw invalidMarker();
}

function invalidMarker(): CarillonError {
  return new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the next of a page before is expected.",
  );
}
