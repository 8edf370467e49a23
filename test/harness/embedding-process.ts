/** A program that embeds the service, through a carrier that never answers. */

import { NullProvider, type OutgoingMessage } from "@carillon/gateway";
import { type Carillon, open } from "@carillon/server";
import { ChildScript, serveParent } from "./child-script.ts";

const handedOver = Promise.withResolvers<void>();

/** Takes a text, and says no more. */
class HangingProvider extends NullProvider {
  override send(): Promise<OutgoingMessage> {
    handedOver.resolve();
    return new Promise(() => {});
  }
}

let carillon: Carillon | undefined;

const api = {
  async open(data: string): Promise<void> {
    carillon = await open({
      data,
      providers: { carrier: new HangingProvider() },
    });
  },
  /** Answers the id as soon as it is on disk. */
  async send(to: string, notBefore?: Date): Promise<string> {
    const text = "Hello";
    const sent = await carillon?.sms.send({ to, text, notBefore, waitMs: 0 });
    return sent?.id ?? "";
  },
  /** Resolves once the carrier has a text. */
  handedOver: (): Promise<void> => handedOver.promise,
};

export type EmbeddingProcess = ChildScript<typeof api>;

export function startEmbeddingProcess(): EmbeddingProcess {
  return new ChildScript<typeof api>(import.meta.url);
}

if (import.meta.main) serveParent(api);
