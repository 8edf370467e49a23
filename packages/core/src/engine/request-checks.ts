/**
 * What is checked of a message before it is kept, whoever gets it and however it
 * was handed over.
 */

import { CarillonError, type ErrorCode } from "../errors.ts";
import type { MessageId, NewId, ProjectId } from "../ids.ts";
import {
  checkSubject,
  checkText,
  checkVariants,
  type MessageContent,
  maxLifeSeconds,
  type NewMessage,
  parseMessageStructure,
  parseTimeToLive,
  selectText,
} from "../messages/message.ts";
import { checkMessageOptions } from "../messages/message-options.ts";
import { checkSmsIsSent, checkSmsProvider } from "../messages/sms-options.ts";
import type { Clock } from "../ports/clock.ts";
import type { TemplateReader } from "../ports/template-store.ts";
import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import {
  checkTemplateName,
  checkTemplateTags,
  renderVariants,
} from "../templates/template.ts";
import type { PublishRequest, TemplateChoice } from "./publish.ts";

/** A message of which all is known but who gets it, and so when it expires. */
export type CheckedMessage = Omit<
  NewMessage,
  "audience" | "expiresAt" | "topic" | "topics"
>;

export interface RequestChecks {
  /**
   * @param content what it says, if that was made already
   * @throws CarillonError those of `Publisher.publish` that do not concern topics
   */
  check(
    projectId: ProjectId,
    request: PublishRequest,
    content?: MessageContent,
  ): Promise<CheckedMessage>;
  /**
   * The same of a message that goes to endpoints of these protocols: each of them
   * can carry it.
   */
  checkFor(
    to: ReadonlySet<Protocol>,
    projectId: ProjectId,
    request: PublishRequest,
    content?: MessageContent,
  ): Promise<CheckedMessage>;
}

export interface RequestCheckPorts {
  readonly store: Pick<TemplateReader, "findTemplateVariants">;
  readonly clock: Pick<Clock, "now">;
  readonly newMessageId: NewId<MessageId>;
  readonly protocols: Protocols;
  /**
   * Refuses status URLs that may not be reached, as far as that is known at once:
   * publishing asks no name server. Default: refuses none.
   *
   * @throws CarillonError ENDPOINT_FORBIDDEN
   */
  readonly checkStatusUrl?: ((url: string) => void) | undefined;
  /** Names of the providers that texts can go through. Default: any is taken. */
  readonly smsProviders?: (() => readonly string[]) | undefined;
}

export function createRequestChecks(ports: RequestCheckPorts): RequestChecks {
  const { store, clock, newMessageId, protocols } = ports;

  /** Resolved now: what becomes of the template later does not matter. */
  async function renderChosen(
    template: TemplateChoice & { readonly projectId: ProjectId },
  ): Promise<MessageContent> {
    const name = checkTemplateName(template.name);
    const tags = checkTemplateTags(template.tags);
    const variants = await store.findTemplateVariants(template.projectId, name);
    const content = renderVariants(variants, tags);
    // Of tags, for the template was looked at when it was written.
    checkTexts(
      content,
      "MESSAGE_INVALID",
      (protocol) =>
        `Invalid message: the template's ${protocol} variant holds, with these tags,`,
    );
    return content;
  }

  function contentOf(request: PublishRequest): MessageContent {
    const { structure, variants, text } = request;
    if (isAbsent(structure) && variants === undefined) {
      return { kind: "text", text: checkText(text, request.names?.text) };
    }
    const content = isAbsent(structure)
      ? checkVariants(variants ?? {})
      : parseMessageStructure(structure);
    checkTexts(
      content,
      "MESSAGE_STRUCTURE_INVALID",
      (protocol) =>
        `Invalid message structure: the value of "${protocol}" holds`,
    );
    return content;
  }

  /** @param begin a sentence that says what of a protocol's variant is wrong */
  function checkTexts(
    content: MessageContent,
    code: ErrorCode,
    begin: (protocol: string) => string,
  ): void {
    if (content.kind !== "structure") return;
    for (const [protocol, text] of Object.entries(content.variants)) {
      const problem = protocols.problemWithText(protocol, text ?? "");
      if (problem === undefined) continue;
      throw new CarillonError(code, `${begin(protocol)} ${problem}.`);
    }
  }

  /** What is checked of each message, whoever gets it. */
  async function check(
    projectId: ProjectId,
    request: PublishRequest,
    given?: MessageContent,
  ): Promise<CheckedMessage> {
    const createdAt = clock.now();
    const subject = checkSubject(request.subject);
    const isRendered =
      isAbsent(request.structure) && request.variants === undefined;
    const content =
      given ??
      (request.template && isRendered
        ? await renderChosen({ projectId, ...request.template })
        : contentOf(request));
    const { names } = request;
    const timeToLiveSeconds = parseTimeToLive(
      request.timeToLive,
      protocols,
      names?.timeToLive,
      request.maxTimeToLiveSeconds ?? maxLifeSeconds,
    );
    const options = checkMessageOptions(request, createdAt, protocols, names);
    const { provider } = options.sms ?? {};
    if (provider !== undefined && ports.smsProviders !== undefined) {
      checkSmsProvider(provider, ports.smsProviders(), names?.sms);
    }
    if (options.statusUrl !== undefined) {
      ports.checkStatusUrl?.(options.statusUrl);
    }
    return {
      id: newMessageId(),
      projectId,
      ...(subject !== undefined && { subject }),
      content,
      ...(request.attributes && { attributes: request.attributes }),
      ...options,
      createdAt,
      ...(timeToLiveSeconds !== undefined && { timeToLiveSeconds }),
    };
  }

  /** One text for all is held against each protocol it goes to. */
  function checkTextFor(text: unknown, to: Iterable<Protocol>): void {
    if (typeof text !== "string") return;
    for (const protocol of to) {
      const problem = protocols.problemWithText(protocol, text);
      if (problem === undefined) continue;
      throw new CarillonError(
        "MESSAGE_INVALID",
        `Invalid message: the text holds ${problem}.`,
      );
    }
  }

  /** What is too long for a recipient's protocol would cost, or never go. */
  function checkLengths(content: MessageContent, to: Iterable<Protocol>): void {
    if (content.kind !== "text" && content.kind !== "structure") return;
    for (const name of to) {
      const definition = protocols.check(name);
      const problem = definition.problemWithLength?.(
        selectText(content, definition).toWellFormed(),
      );
      if (problem === undefined) continue;
      throw new CarillonError(
        "MESSAGE_INVALID",
        `Invalid message: the text for ${name} ${problem}.`,
      );
    }
  }

  return {
    check,
    async checkFor(to, projectId, request, content) {
      checkTextFor(content === undefined ? request.text : textOf(content), to);
      const checked = await check(projectId, request, content);
      checkSmsIsSent(checked.sms, to, request.names?.sms);
      checkLengths(checked.content, to);
      return checked;
    },
  };
}

/** What all get alike. */
function textOf(content: MessageContent): string | undefined {
  return content.kind === "text" || content.kind === "mail"
    ? content.text
    : undefined;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
