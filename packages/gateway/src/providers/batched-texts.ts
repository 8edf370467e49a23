/**
 * What carriers have in common that take several texts in one XML document,
 * each under an id of ours, and answer a code for each id. The id is known
 * before the request, so that a text of unknown outcome can be asked for.
 */

import { invalidAnswer } from "../carrier-answer.ts";
import { type CarrierCode, codeOfText } from "../carrier-code.ts";
import {
  ProviderConnectionError,
  ProviderError,
  RequestError,
} from "../errors.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type {
  BatchContext,
  Batching,
  ProviderContext,
  SendContext,
  SendResult,
  StatusPolling,
} from "../provider.ts";
import { type RawParam, rawParams } from "../raw-params.ts";

/** What a carrier answered of each text, by its id. */
export type CodesById = ReadonlyMap<string, CarrierCode>;

/** One carrier's way to take texts. */
export interface BatchWire {
  /** A fresh id, as the carrier will have it. */
  newId(): string;
  /**
   * A text as it stands in the request.
   *
   * @throws RequestError: it cannot be sent; the others can
   */
  write(message: OutgoingMessage, id: string): string;
  /** One request with texts that were written; answers the code of each id. */
  post(texts: readonly string[], ids: readonly string[]): Promise<CodesById>;
  /** `undefined` for a code that says that the text was taken. */
  toError(code: CarrierCode): ProviderError | undefined;
}

/** No carrier says how many it takes; a request of as many has 200 KB at most. */
const maxBatch = 100;

/** These carriers push no reports. */
export const batchPolling: StatusPolling = {
  firstAfterMs: 30_000,
  batchSize: maxBatch,
};

/** What texts wait for each other up to; `undefined`: they are sent alone. */
export function batchingOf(isBatched = true): Batching | undefined {
  return isBatched ? batching : undefined;
}

/** They read a request before they take any of it. */
const batching: Batching = { maxTexts: maxBatch, takesAllOrNone: true };

/**
 * Sends in requests of up to 100 texts, each under the id that was chosen for it,
 * if one was; a request that fails leaves the others.
 */
export async function sendBatches(
  messages: readonly OutgoingMessage[],
  wire: BatchWire,
  context: BatchContext,
): Promise<readonly SendResult[]> {
  const results: SendResult[] = [];
  const { msgids = [] } = context;
  const texts = messages.map((message, at) => ({ message, id: msgids[at] }));
  for (const batch of batchesOf(texts)) {
    results.push(...(await sendBatch(batch, wire, context)));
  }
  return results;
}

/**
 * Sends one, as a batch of its own, under the id that was chosen for it, if one
 * was. Rejects with its error.
 */
export async function sendAlone(
  message: OutgoingMessage,
  wire: BatchWire,
  context: ProviderContext,
): Promise<OutgoingMessage> {
  const text = { message, id: context.msgid };
  const [result] = await sendBatch([text], wire, context);
  if (result?.error) throw result.error;
  return message;
}

/**
 * Asks for up to 100 at once. What was found before a request failed is the
 * answer; the others are asked about again.
 *
 * @throws the error, where nothing was found
 */
export async function askBatches(
  ids: readonly string[],
  ask: (ids: readonly string[]) => Promise<CodesById>,
): Promise<CodesById> {
  const codes = new Map<string, CarrierCode>();
  for (const batch of batchesOf([...new Set(ids)])) {
    try {
      for (const [id, code] of await ask(batch)) codes.set(id, code);
    } catch (error) {
      if (codes.size === 0) throw error;
      break;
    }
  }
  return codes;
}

/** What a request answered, in the order of the answer. */
export type AnsweredCodes = Iterable<
  readonly [id: string | undefined, code: string]
>;

/**
 * The codes of exactly those texts that a request was about.
 *
 * @throws MessageSendError, with its outcome unknown, for anything else: nobody
 * knows then which text an answer is about
 */
export function matchCodes(
  carrier: string,
  asked: readonly string[],
  answered: AnsweredCodes,
): CodesById {
  const open = new Set(asked);
  const codes = new Map<string, CarrierCode>();
  for (const [id = "", text] of answered) {
    if (!open.delete(id)) {
      throw invalidAnswer(carrier, "names a text that was not in the request");
    }
    codes.set(id, codeOfText(text));
  }
  if (open.size > 0) {
    throw invalidAnswer(carrier, "does not name each text of the request");
  }
  return codes;
}

/**
 * The codes of those texts of a question that its answer names. Others are
 * dropped; so is one of which it says two things.
 */
export function findCodes(
  asked: readonly string[],
  answered: AnsweredCodes,
): CodesById {
  const open = new Set(asked);
  const codes = new Map<string, CarrierCode>();
  for (const [id = "", text] of answered) {
    if (!open.has(id)) continue;
    const code = codeOfText(text);
    if ((codes.get(id) ?? code) === code) codes.set(id, code);
    else {
      codes.delete(id);
      open.delete(id);
    }
  }
  return codes;
}

/**
 * The raw parameters of a text, as `rawParams` answers them.
 *
 * @throws RequestError for a name that would end the element it stands in
 */
export function parametersOf(
  message: Pick<OutgoingMessage, "providerParams">,
  carrier: string,
  fixed: readonly string[],
): readonly RawParam[] {
  const given = rawParams(message, fixed);
  if (given.every(([name]) => /^[a-z_][\w.-]*$/i.test(name))) return given;
  throw new RequestError(`${carrier} takes no parameter of such a name`, {
    code: "INVALID_PARAMETER",
  });
}

function* batchesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += maxBatch) {
    yield items.slice(start, start + maxBatch);
  }
}

/** One request at most. */
async function sendBatch(
  batch: readonly TextToWrite[],
  wire: BatchWire,
  { signal }: SendContext,
): Promise<readonly SendResult[]> {
  const written = batch.map((text) => write(text, wire));
  const ready = written.filter((it) => "text" in it);
  const request = await codesOf(ready, wire, signal);
  return written.map((it) => {
    if ("error" in it) return failed(it.message, it.error);
    if (request instanceof ProviderError) {
      // Of one that did not arrive the carrier refused nothing.
      const isAnswered = !(request instanceof ProviderConnectionError);
      if (isAnswered) request.refused = "request";
      return failed(it.message, request);
    }
    // `matchCodes` answers a code for each.
    const code = request.get(it.id) ?? "";
    const error = wire.toError(code);
    if (error) {
      error.refused = "message";
      return failed(it.message, error);
    }
    it.message.meta = { code };
    return { message: it.message };
  });
}

interface TextToWrite {
  readonly message: OutgoingMessage;
  /** Chosen before. */
  readonly id: string | undefined;
}

type WrittenText =
  | {
      readonly message: OutgoingMessage;
      readonly id: string;
      readonly text: string;
    }
  | { readonly message: OutgoingMessage; readonly error: ProviderError };

function write(
  { message, id: chosen }: TextToWrite,
  wire: BatchWire,
): WrittenText {
  const id = chosen ?? wire.newId();
  try {
    const text = wire.write(message, id);
    // From here on it may go out, whoever is told of it.
    message.msgid = id;
    return { message, id, text };
  } catch (error) {
    if (error instanceof ProviderError) return { message, error };
    throw error;
  }
}

async function codesOf(
  ready: readonly Extract<WrittenText, { readonly id: string }>[],
  wire: BatchWire,
  signal: AbortSignal | undefined,
): Promise<CodesById | ProviderError> {
  if (ready.length === 0) return new Map();
  if (signal?.aborted) return givenUp(false, signal.reason);
  try {
    return await wire.post(
      ready.map(({ text }) => text),
      ready.map(({ id }) => id),
    );
  } catch (error) {
    return error instanceof ProviderError ? error : givenUp(true, error);
  }
}

function givenUp(outcomeUnknown: boolean, cause: unknown): ProviderError {
  return new ProviderConnectionError(
    outcomeUnknown
      ? "The request ended without an answer"
      : "The request was given up before it was made",
    { code: "ABORTED", outcomeUnknown, cause },
  );
}

function failed(message: OutgoingMessage, error: ProviderError): SendResult {
  // Nobody has it under this id.
  if (!error.outcomeUnknown) message.msgid = null;
  return { message, error };
}
