/** Access keys, by which programs act for a user in a project. */

import type { Api } from "../api.ts";
import { type JsonObject, readBoolean, readText } from "../json.ts";
import type { RequestOptions } from "../transport.ts";
import { createResources, type Resources, type Switch } from "./resources.ts";

/** An access key, without its secret. */
export interface AccessKey extends JsonObject {
  readonly accessKey: string;
  readonly userId: string;
  readonly projectId: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly createdAt: string;
  readonly enabled: boolean;
}

/** An access key that was just made, with its secret. */
export interface AccessKeyWithSecret extends AccessKey {
  /** Not shown again. */
  readonly secretKey: string;
}

/** Whom a new access key acts for, and where. */
export interface NewAccessKey {
  readonly userId: string;
  /** Default: the only one the user may act in. */
  readonly projectId?: string | undefined;
}

/** Creates, lists, disables, rotates and deletes access keys. */
export interface AccessKeys extends Resources<AccessKey, Switch> {
  create(
    key: NewAccessKey,
    options?: RequestOptions,
  ): Promise<AccessKeyWithSecret>;
  /** Another secret; the one before stops working at once. */
  rotate(
    accessKey: string,
    options?: RequestOptions,
  ): Promise<AccessKeyWithSecret>;
}

export function createAccessKeys(api: Api): AccessKeys {
  return {
    ...createResources(api, "access-keys", "accessKeys", toAccessKey),
    async create(body, options) {
      const request = { method: "POST", path: ["access-keys"], body } as const;
      return toAccessKeyWithSecret((await api(request, options)).body);
    },
    async rotate(accessKey, options) {
      const path = ["access-keys", accessKey, "rotate"];
      const { body } = await api({ method: "POST", path }, options);
      return toAccessKeyWithSecret(body);
    },
  };
}

function toAccessKey(body: JsonObject): AccessKey {
  return {
    ...body,
    accessKey: readText(body, "accessKey"),
    userId: readText(body, "userId"),
    projectId: readText(body, "projectId"),
    createdAt: readText(body, "createdAt"),
    enabled: readBoolean(body, "enabled"),
  };
}

function toAccessKeyWithSecret(body: JsonObject): AccessKeyWithSecret {
  return { ...toAccessKey(body), secretKey: readText(body, "secretKey") };
}
