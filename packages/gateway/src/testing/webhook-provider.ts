/** A carrier with plain-text callbacks, for tests of receivers. */

import { IncomingMessage } from "../incoming-message.ts";
import { MessageDelivered } from "../message-status.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import { Provider } from "../provider.ts";
import {
  ForbiddenRequestError,
  MalformedRequestError,
  type Receiver,
  type ReceiverRequest,
  textResponse,
} from "../receiver.ts";

/**
 * `POST /im` with `from=…&text=…`, `GET /status?id=…`. A `signature` header
 * other than `good` is refused.
 */
export class WebhookProvider extends Provider {
  readonly requests: ReceiverRequest[] = [];

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    message.msgid = "1";
    return message;
  }

  override receiver(): Receiver {
    return {
      routes: [
        {
          methods: ["POST"],
          path: "/im",
          handle: async (request) => {
            this.requests.push(request);
            if (request.headers.signature === "bad") {
              throw new ForbiddenRequestError("The signature is wrong");
            }
            const body = new TextDecoder().decode(request.rawBody);
            const form = new URLSearchParams(body);
            const from = form.get("from");
            const text = form.get("text");
            if (from === null || text === null) {
              throw new MalformedRequestError("from and text are needed");
            }
            await this.receiveMessage(new IncomingMessage(from, text));
            return textResponse(200, "OK");
          },
        },
        {
          methods: ["GET"],
          path: "/status",
          handle: async (request) => {
            this.requests.push(request);
            const id = request.query.get("id");
            if (id === null) throw new MalformedRequestError("id is needed");
            await this.receiveStatus(new MessageDelivered(id));
            return textResponse(200, "OK");
          },
        },
      ],
    };
  }
}
