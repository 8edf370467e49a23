/** Templates of texts and mails, as they stand in our own API. */

import { storedChannels, storedTemplateLimits } from "@carillon/core";
import type { TSchema } from "typebox";
import { Type } from "../../../json-schema.ts";
import { failsWith } from "../../validation.ts";
import { givenObjects } from "../message-options-schema.ts";
import { instant } from "../schema-parts.ts";
import { givenAttachments } from "../stored/attachments.ts";

const { bodyLength, subjectLength } = storedTemplateLimits;

const invalid = failsWith("TEMPLATE_INVALID");

export const channel = Type.String({
  description: `What it makes: ${storedChannels.join(" or ")}`,
  ...invalid,
});

const slug = Type.String({
  description: "1 to 100 ASCII letters, digits, dashes or underscores",
});

/** Each member but the body: what it is, and what it is where it is absent. */
const flags = {
  isActive: { description: "What is not active is not sent", default: true },
  isLocked: {
    description: "Tells people to leave it alone; it changes nothing",
    default: false,
  },
  allowsDuplicates: {
    description: "False: it is sent once about the same related objects",
    default: true,
  },
  isStrict: {
    description:
      "A variable that the context lacks is an error; else it is empty",
    default: false,
  },
} as const;

const isHtml = {
  description: "Whether the body is HTML; of mails",
  default: true,
} as const;

const texts = {
  subject: {
    description: `Liquid, of ${subjectLength} characters at most; of mails`,
  },
  sender: { description: "Mail address of the sender; of mails" },
  senderName: { description: "Shown beside the sender; of mails" },
} as const;

/** Null takes a member away, or gives it its default. */
function given<Schema extends TSchema>(
  schema: Schema,
  options: { readonly description: string; readonly default?: boolean },
) {
  return Type.Optional(
    Type.Union([schema, Type.Null()], { ...options, ...invalid }),
  );
}

function shown({ description }: { readonly description: string }) {
  return { description };
}

const shownFlags = {
  isActive: Type.Boolean(shown(flags.isActive)),
  isLocked: Type.Boolean(shown(flags.isLocked)),
  allowsDuplicates: Type.Boolean(shown(flags.allowsDuplicates)),
  isStrict: Type.Boolean(shown(flags.isStrict)),
};

const shownMailParts = {
  subject: Type.Optional(Type.String(texts.subject)),
  isHtml: Type.Optional(Type.Boolean(shown(isHtml))),
  sender: Type.Optional(Type.String(texts.sender)),
  senderName: Type.Optional(Type.String(texts.senderName)),
};

const text = Type.String(invalid);

const givenMembers = {
  isActive: given(Type.Boolean(), flags.isActive),
  isLocked: given(Type.Boolean(), flags.isLocked),
  allowsDuplicates: given(Type.Boolean(), flags.allowsDuplicates),
  isStrict: given(Type.Boolean(), flags.isStrict),
  subject: given(text, texts.subject),
  isHtml: given(Type.Boolean(), isHtml),
  sender: given(text, texts.sender),
  senderName: given(text, texts.senderName),
  attachments: given(givenAttachments("TEMPLATE_INVALID"), {
    description: "Sent with each mail; of mails",
  }),
};

const instants = {
  createdAt: instant("When it was made"),
  changedAt: instant("When it was changed last"),
};

export const SummaryBody = Type.Object(
  { channel, slug, ...shownFlags, ...shownMailParts, ...instants },
  { title: "StoredTemplateSummary" },
);

const AttachmentBody = Type.Object(
  {
    name: Type.String({ description: "File name" }),
    contentType: Type.String({ description: "Media type such as image/png" }),
    contentId: Type.Optional(
      Type.String({
        description: "Of an inline image: what `cid:` in the HTML names",
      }),
    ),
    content: Type.String({ description: "The bytes, in base64" }),
  },
  { title: "TemplateAttachment" },
);

export const TemplateBody = Type.Object(
  {
    channel,
    slug,
    body: Type.String({ description: "Liquid; HTML if it is so" }),
    ...shownFlags,
    ...shownMailParts,
    attachments: Type.Optional(
      Type.Array(AttachmentBody, { description: "Sent with each mail" }),
    ),
    ...instants,
  },
  { title: "StoredTemplate" },
);

export const TemplateList = Type.Object(
  {
    templates: Type.Array(SummaryBody, { description: "By channel and slug" }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "StoredTemplateList" },
);

const givenBody = Type.String({
  maxLength: bodyLength.email,
  description: `Liquid; of texts at most ${bodyLength.sms} characters, of mails ${bodyLength.email}`,
  ...invalid,
});

export const NewTemplate = Type.Object(
  { body: givenBody, ...givenMembers },
  { title: "NewStoredTemplate" },
);

export const TemplateChanges = Type.Object(
  { body: Type.Optional(givenBody), ...givenMembers },
  { title: "StoredTemplateChanges" },
);

export const params = Type.Object({
  channel,
  slug,
});

export const channelParams = Type.Object({
  channel,
});

export const PreviewRequest = Type.Object(
  {
    context: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "What the template is rendered with",
        ...failsWith("TEMPLATE_CONTEXT_INVALID"),
      }),
    ),
    recipient: Type.Optional(
      Type.String({
        maxLength: 320,
        description: "Whom it would go to; only hooks see it",
      }),
    ),
  },
  { title: "TemplatePreviewRequest" },
);

export const PreviewBody = Type.Object(
  {
    text: Type.Optional(
      Type.String({ description: "Of a text, or of a mail without HTML" }),
    ),
    html: Type.Optional(
      Type.String({ description: "Of a mail, within its base template" }),
    ),
    subject: Type.Optional(Type.String({ description: "Of a mail" })),
    sms: Type.Optional(
      Type.Object(
        {
          encoding: Type.String({ description: "gsm7 or ucs2" }),
          segments: Type.Integer({ description: "What is paid for" }),
          characters: Type.Integer({
            description: "Of the encoding, in which some count twice",
          }),
        },
        { description: "How a text would be sent" },
      ),
    ),
  },
  { title: "TemplatePreview" },
);

export const CanSendRequest = Type.Object(
  {
    relatedObjects: Type.Optional(
      givenObjects(
        "What a message would be about in the publisher's own system",
      ),
    ),
  },
  { title: "CanSendRequest" },
);

export const CanSendBody = Type.Object(
  {
    canSend: Type.Boolean({ description: "Whether it would be sent now" }),
    refusals: Type.Array(Type.String(), {
      description:
        "Why not: `inactive`; `duplicate`: it was sent about all these objects; `disallowed`: it may not be sent about one of them",
    }),
  },
  { title: "CanSend" },
);

export const DisallowedRequest = Type.Object(
  { objects: givenObjects("Objects of the publisher's own system") },
  { title: "DisallowedObjects" },
);

export const DisallowedList = Type.Object(
  {
    objects: Type.Array(
      Type.Object({
        type: Type.String({ description: "Kind of the object" }),
        id: Type.String({ description: "Its id" }),
        createdAt: instant("Since when"),
      }),
      { description: "By type and id" },
    ),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "DisallowedObjectList" },
);

export const after = Type.Optional(
  Type.String({ maxLength: 600, description: "`next` of the page before" }),
);
