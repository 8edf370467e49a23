/** A request of an XML document that is answered by another. */

import { answerXml, invalidAnswer, isSuccess } from "../carrier-answer.ts";
import { errorFromHttpStatus } from "../http-status-error.ts";
import type { ProviderHost, SendContext } from "../provider.ts";
import { parseRetryAfter } from "../retry-after.ts";
import type { XmlElement } from "../xml.ts";

/**
 * Posts a document; answers the root of the one that comes back.
 *
 * @throws ProviderError for any other answer than one of success; with its
 * outcome unknown for one of success that is no document
 */
export async function postXml(
  host: Pick<ProviderHost, "http" | "now">,
  request: {
    readonly carrier: string;
    readonly url: string;
    readonly document: string;
  },
  { signal }: SendContext,
): Promise<XmlElement> {
  const { carrier, url, document } = request;
  const response = await host.http.request({
    method: "POST",
    url,
    headers: { "content-type": "text/xml" },
    body: document,
    ...(signal && { signal }),
  });
  const { status, headers } = response;
  if (!isSuccess(response)) {
    const retryAfterMs = parseRetryAfter(headers["retry-after"], host.now());
    throw errorFromHttpStatus(
      status,
      `${carrier} refused the request: HTTP ${status}`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
  }
  const root = answerXml(response);
  // Whoever writes pages for people stands in front of the carrier.
  if (root && root.name.toLowerCase() !== "html") return root;
  throw invalidAnswer(carrier);
}
