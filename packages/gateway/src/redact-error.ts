/**
 * Takes out of a provider's error what its carrier quoted of the request. It is
 * done once, where the gateway catches the error: providers need not think of it.
 */

import { ProviderError } from "./errors.ts";
import type { Provider } from "./provider.ts";
import { redact, secretsOfUrl } from "./redact.ts";

/** An error, and what led to it. */
const maxDepth = 5;

/** A number is known by its last digits, also without its country code. */
const tellingDigits = 9;

/**
 * What of a provider's settings, of its callback URL and of a recipient's number
 * no error may hold.
 */
export function secretsOf(provider: Provider, dst?: string): string[] {
  const callbackUrl = provider.gateway.callbackUrl(provider.name);
  return [
    ...provider.secrets,
    ...(callbackUrl === undefined ? [] : secretsOfUrl(callbackUrl)),
    ...(dst === undefined ? [] : numbersOf(dst)),
  ];
}

/** A recipient's number, whole and by its last digits. */
export function numbersOf(dst: string): string[] {
  return [dst, dst.slice(-tellingDigits)];
}

/** Changes the texts and codes of an error and its causes; see `redact`. */
export function redactError(error: unknown, secrets: readonly string[]): void {
  let current = error;
  for (let depth = 0; depth < maxDepth; depth++) {
    if (!(current instanceof Error)) return;
    const { message } = current;
    const redacted = redact(message, secrets);
    if (redacted !== message) {
      // It begins with the message.
      define(current, "stack", redact(current.stack ?? "", secrets));
      define(current, "message", redacted);
    }
    if (current instanceof ProviderError && typeof current.code === "string") {
      current.code = redact(current.code, secrets);
    }
    current = current.cause;
  }
}

/** Also where it is inherited, as in a `DOMException`. */
function define(error: Error, name: "message" | "stack", value: string): void {
  const options = { configurable: true, writable: true, enumerable: false };
  Reflect.defineProperty(error, name, { ...options, value });
}
