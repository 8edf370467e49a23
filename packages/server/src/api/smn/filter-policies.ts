/**
 * Filter policies of subscriptions, many at once. SMN spells them `polices`
 * throughout.
 */

import {
  CarillonError,
  type FilterPolicy,
  maxFilterPolicyBatch,
} from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes, messageBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import { readFilterPolicies } from "./bodies/filter-policy.ts";
import type { SmnPorts } from "./ports.ts";

const invalid = failsWith("FILTER_POLICY_INVALID");
const batch = { minItems: 1, maxItems: maxFilterPolicyBatch };

const setBody = Type.Object(
  {
    polices: Type.Array(
      Type.Object(
        { subscription_urn: Type.String(), filter_polices: Type.Unknown() },
        invalid,
      ),
      { ...batch, ...invalid },
    ),
  },
  invalid,
);

const removeBody = Type.Object(
  {
    // Plain texts here, unlike in the batches of subscriptions.
    subscription_urns: Type.Array(Type.String(), { ...batch, ...invalid }),
  },
  invalid,
);

/** What SMN calls a subscription of a batch that it cannot find. */
const subscriptionUnusable = "SMN.00011027";

const errorCodes = {
  BODY_MALFORMED: "FILTER_POLICY_INVALID",
  BODY_TOO_LARGE: "FILTER_POLICY_INVALID",
} as const;

export function filterPolicyRoutes(app: HttpApp, ports: SmnPorts): void {
  const { subscriptions } = ports;
  const path = "/subscriptions/filter_polices";

  // To create and to replace is the same: a client that repeats a request
  // whose answer was lost finds what it asked for.
  for (const method of ["POST", "PUT"] as const) {
    app.route({
      method,
      url: path,
      schema: { body: setBody },
      config: { operation: "subscriptions.write", errorCodes },
      bodyLimit: messageBodyBytes,
      handler: async (request) => {
        // A policy that is wrong is wrong before anything was changed.
        const read = request.body.polices.map(
          ({ subscription_urn, filter_polices }): [string, FilterPolicy[]] => [
            subscription_urn,
            readFilterPolicies(filter_polices),
          ],
        );
        const projectId = projectOf(request);
        return {
          request_id: request.id,
          batch_result: await Promise.all(
            read.map(([urn, policies]) =>
              toResult(
                urn,
                subscriptions.setFilterPolicies(projectId, urn, policies),
              ),
            ),
          ),
        };
      },
    });
  }

  app.delete(
    path,
    {
      config: { operation: "subscriptions.write", errorCodes },
      schema: { body: removeBody },
      bodyLimit: listBodyBytes,
    },
    async (request) => {
      const projectId = projectOf(request);
      return {
        request_id: request.id,
        batch_result: await Promise.all(
          request.body.subscription_urns.map((urn) =>
            toResult(
              urn,
              subscriptions.setFilterPolicies(projectId, urn, undefined),
            ),
          ),
        ),
      };
    },
  );
}

async function toResult(subscription_urn: string, change: Promise<void>) {
  try {
    await change;
    return { subscription_urn };
  } catch (error) {
    if (!isUnusable(error)) throw error;
    const { message } = error;
    return { subscription_urn, code: subscriptionUnusable, message };
  }
}

function isUnusable(error: unknown): error is CarillonError {
  return (
    error instanceof CarillonError &&
    (error.code === "SUBSCRIPTION_URN_INVALID" ||
      error.code === "SUBSCRIPTION_NOT_FOUND")
  );
}
