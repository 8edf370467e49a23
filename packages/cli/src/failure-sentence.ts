/** What went wrong between a command and a server, as one sentence each. */

import {
  AuthenticationError,
  CatalogueError,
  ConnectionError,
  InvalidOptionsError,
  InvalidResponseError,
  RequestTimeoutError,
  ResponseError,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { withOptionNames } from "./option-names.ts";

/**
 * The error as a CommandFailure that says what to do.
 *
 * @param url where the server was looked for
 * @param keys where the keys came from, such as `CARILLON_ACCESS_KEY`
 * @param advice how one comes by other keys
 * @returns errors that are not the client's as they are
 */
export function toFailure(
  error: unknown,
  url: string,
  keys: string,
  advice = `log in with carillon login ${url}`,
): unknown {
  const failure = (message: string, exitCode: 1 | 2 = 1) =>
    new CommandFailure(message, exitCode, { cause: error });
  if (error instanceof RequestTimeoutError) {
    return failure(
      `${url} did not answer within ${error.timeoutMs / 1000} s; look at the server's log, or run carillon doctor.`,
    );
  }
  if (error instanceof ConnectionError) {
    return failure(connectionSentence(error, url));
  }
  if (error instanceof InvalidResponseError) {
    return failure(
      isMarkup(error)
        ? `${url} is no Carillon: its answer is not JSON; look whether --url or CARILLON_URL names the server itself.`
        : `${url} answered something that this version of the command does not understand: is it a Carillon of the same version?`,
    );
  }
  if (error instanceof CatalogueError) {
    return failure(
      `${url} does not say where its SMN service is: is it a Carillon?`,
    );
  }
  if (error instanceof InvalidOptionsError) return failure(error.message, 2);
  if (!(error instanceof ResponseError)) return error;
  return failure(responseSentence(error, url, keys, advice));
}

function responseSentence(
  error: ResponseError,
  url: string,
  keys: string,
  advice: string,
): string {
  const { smnCode, status, reason } = error;
  const place = [smnCode, `HTTP ${status}`].filter(Boolean).join(", ");
  if (status === 0) {
    return `${url} leads elsewhere by a redirect: give the URL it leads to, perhaps with https://, by --url or CARILLON_URL.`;
  }
  if (error instanceof AuthenticationError) {
    return `${url} does not accept the keys of ${keys} (${place}): they may be of another server, rotated or disabled; ${advice}.`;
  }
  // Carillon's refusals have a code, those of what is before it have none.
  if (smnCode === undefined) {
    return status === 400 && url.startsWith("http://")
      ? `${url} refused the request without a reason (${place}): if it speaks TLS, its URL begins with https://.`
      : `${url} answered without a reason of Carillon's (${place}): it is another server, or a proxy that does not reach it.`;
  }
  if (smnCode === "ROUTE_NOT_FOUND" || smnCode === "APIGW.0101") {
    return `${url} does not have this operation (${place}): is it a Carillon of the same version as this command?`;
  }
  return reason === undefined
    ? `${url} answered without saying why (${place}).`
    : `${withOptionNames(reason).replace(/\.$/, "")} (${place}).`;
}

/** Sentences by the code of the system's, of OpenSSL's or of undici's error. */
function connectionSentence(error: ConnectionError, url: string): string {
  const { protocol, hostname, host } = new URL(url);
  const code = codeOf(error) ?? "";
  switch (code) {
    case "ECONNREFUSED":
      return `No server answers at ${url}: start one with carillon serve, or say where it is with --url.`;
    case "ENOTFOUND":
      return `There is no host ${hostname}: look at the spelling in --url or CARILLON_URL.`;
    case "EAI_AGAIN":
      return `The address of ${hostname} cannot be looked up at the moment: look at this machine's network and DNS, and try again.`;
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return `${host} does not take connections within the time allowed: look whether the server runs, and whether a firewall is in between.`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `There is no way to ${host} in this network (${code}): look at the network, a VPN or the address.`;
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return protocol === "http:"
        ? `${url} closed the connection without an answer (${code}): if it speaks TLS, its URL begins with https://; else look at the server's log.`
        : `${url} closed the connection without an answer (${code}): look at the log of the server, or of the proxy before it.`;
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return `${host} does not speak TLS: its URL begins with http://.`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return `${host} has a certificate of an authority that this machine does not trust (${code}): name the authority's PEM file in NODE_EXTRA_CA_CERTS.`;
    case "CERT_HAS_EXPIRED":
      return `The certificate of ${host} has expired: renew it on the server, or set this machine's clock.`;
    case "CERT_NOT_YET_VALID":
      return `The certificate of ${host} is not valid yet: set this machine's clock, or the server's.`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `The certificate of ${host} is for another name: give the URL with the name it is for.`;
    default:
      if (isOfParser(error)) {
        return `${host} does not speak HTTP: look at the port in --url or CARILLON_URL.`;
      }
      if (isBadPort(error)) {
        return `${host} is a port that is never used for HTTP: look at the port in --url or CARILLON_URL.`;
      }
      return `${url} was not reached (${code || "no reason is known"}): run carillon doctor on its machine.`;
  }
}

function isMarkup(error: InvalidResponseError): boolean {
  return /JSON (object|list)|stream of events/.test(error.message);
}

/** undici's, which has a code for some answers only. */
function isOfParser(error: ConnectionError): boolean {
  return chain(error).some(
    (one) => one instanceof Error && one.name === "HTTPParserError",
  );
}

/** `fetch` refuses the ports of mail servers and their like. */
function isBadPort(error: ConnectionError): boolean {
  return chain(error).some(
    (one) => one instanceof Error && one.message === "bad port",
  );
}

/** The innermost code; of several addresses the first one's. */
function codeOf(error: unknown): string | undefined {
  const codes = chain(error).flatMap((one) =>
    typeof one === "object" &&
    one !== null &&
    "code" in one &&
    typeof one.code === "string" &&
    !one.code.startsWith("CONNECTION_")
      ? [one.code]
      : [],
  );
  return codes.at(-1);
}

function chain(error: unknown): unknown[] {
  if (error instanceof AggregateError) {
    return [error, ...chain(error.errors[0])];
  }
  return error instanceof Error && error.cause
    ? [error, ...chain(error.cause)]
    : [error];
}
