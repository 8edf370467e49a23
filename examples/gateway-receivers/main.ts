/** A provider of one's own, and its callbacks served over HTTP. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  bodyText,
  errorFromHttpStatus,
  ForbiddenRequestError,
  Gateway,
  IncomingMessage,
  MalformedRequestError,
  MessageDelivered,
  MessageError,
  OutgoingMessage,
  Provider,
  type Receiver,
  type SendContext,
  textResponse,
  toE164,
} from "@carillon/gateway";
import { toNodeListener } from "@carillon/gateway/node-http";

interface AcmeConfig {
  readonly url: string;
  readonly token: string;
}

class AcmeProvider extends Provider {
  readonly #config: AcmeConfig;

  constructor(config: AcmeConfig) {
    super();
    this.#config = config;
  }

  override async send(
    message: OutgoingMessage,
    { signal }: SendContext = {},
  ): Promise<OutgoingMessage> {
    const { url, token } = this.#config;
    const { senderId, statusReport } = message.providerOptions;
    const response = await this.gateway.http.request({
      method: "POST",
      url: `${url}/messages`,
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams({
        to: toE164(message.dst),
        from: senderId ?? message.src ?? "ACME",
        text: message.body,
        receipt: statusReport ? "1" : "0",
      }).toString(),
      ...(signal ? { signal } : {}),
    });
    const answer = bodyText(response);
    if (response.status !== 201) {
      throw errorFromHttpStatus(response.status, `ACME: ${answer}`);
    }
    message.msgid = answer;
    return message;
  }

  /** Something only this carrier has; see `getProvider` below. */
  async balance(): Promise<number> {
    const { url } = this.#config;
    const response = await this.gateway.http.request({
      method: "GET",
      url: `${url}/balance`,
    });
    return Number(bodyText(response));
  }

  override receiver(): Receiver {
    const readForm = (
      headers: Record<string, string | undefined>,
      raw: Uint8Array,
    ) => {
      if (headers["x-acme-token"] !== this.#config.token) {
        throw new ForbiddenRequestError("The token is wrong");
      }
      const form = new URLSearchParams(new TextDecoder().decode(raw));
      return (name: string): string => {
        const value = form.get(name);
        if (value === null)
          throw new MalformedRequestError(`${name} is missing`);
        return value;
      };
    };
    return {
      routes: [
        {
          methods: ["POST"],
          path: "/im",
          handle: async ({ headers, rawBody }) => {
            const field = readForm(headers, rawBody);
            await this.receiveMessage(
              new IncomingMessage(field("from"), field("text"), {
                msgid: field("id"),
                dst: field("to"),
              }),
            );
            return textResponse(200, "OK");
          },
        },
        {
          methods: ["POST"],
          path: "/status",
          handle: async ({ headers, rawBody }) => {
            const field = readForm(headers, rawBody);
            const status = field("status");
            const Status =
              status === "DELIVERED" ? MessageDelivered : MessageError;
            await this.receiveStatus(new Status(field("id"), { status }));
            return textResponse(200, "OK");
          },
        },
      ],
    };
  }
}

/** The carrier, as far as this program needs one. */
const carrier = createServer((request, response) => {
  if (request.url === "/balance") response.writeHead(200).end("12.5");
  else response.writeHead(201).end("acme-1");
});
const urlOf = (server: typeof carrier) =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
await new Promise<void>((done) => carrier.listen(0, "127.0.0.1", done));

const gateway = new Gateway();
const token = "s3cret";
gateway.addProvider("acme", new AcmeProvider({ url: urlOf(carrier), token }));
gateway.onReceive.add((m) => console.log(`${m.src} to ${m.dst}: ${m.body}`));
gateway.onStatus.add((s) => console.log(`${s.msgid} is ${s.kind}`));

// Hard to guess, for who knows the address could make up messages.
const prefix = "/24fb0d6963f";
const receivers = createServer(
  toNodeListener(gateway.receiverHandler({ prefix })),
);
await new Promise<void>((done) => receivers.listen(0, "127.0.0.1", done));

const sent = await gateway.send(new OutgoingMessage("420777123456", "Hi"));
console.log(`sent as ${sent.msgid}`);
console.log(
  `balance: ${await gateway.getProvider("acme", AcmeProvider).balance()}`,
);

/** What the carrier calls us with. */
const call = async (
  path: string,
  form: Record<string, string>,
  secret = token,
) => {
  const response = await fetch(urlOf(receivers) + prefix + path, {
    method: "POST",
    body: new URLSearchParams(form),
    headers: { "x-acme-token": secret },
  });
  console.log(`${path}: ${response.status}`);
};
await call("/acme/status", { id: "acme-1", status: "DELIVERED" });
const text = {
  id: "7",
  from: "+420777123456",
  to: "+420900100",
  text: "Hello",
};
await call("/acme/im", text);
await call("/acme/im", { from: "+420777123456" });
await call("/acme/im", text, "wrong");

receivers.close();
carrier.close();
