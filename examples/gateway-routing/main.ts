/** Which provider sends which message: default, named, routed. */

import {
  Gateway,
  NullProvider,
  OutgoingMessage,
  UnknownProviderError,
} from "@carillon/gateway";

type Kind = "code" | "news";

const gateway = new Gateway<[kind: Kind, urgent?: boolean]>({
  router(message, kind, urgent = false) {
    if (kind === "code") {
      // The place to say once what a kind of message needs.
      message.options({ escalate: true, expires: 10 });
      return urgent ? "express" : "reliable";
    }
    return null; // the default provider
  },
});
for (const name of ["cheap", "reliable", "express"]) {
  gateway.addProvider(name, new NullProvider());
}

const text = () => new OutgoingMessage<[Kind, boolean?]>("420777123456", "Hi");

for (const message of [
  text(),
  text().route("news"),
  text().route("code"),
  text().route("code", true),
]) {
  await gateway.send(message);
  const { provider, choice, providerOptions } = message;
  console.log(provider, "by", choice?.by, "expires", providerOptions.expires);
}

const named = text();
named.provider = "pigeon";
try {
  await gateway.send(named);
} catch (error) {
  if (!(error instanceof UnknownProviderError)) throw error;
  console.log(error.message);
}
