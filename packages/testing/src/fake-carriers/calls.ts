/** How fakes of carriers call the address that they were given. */

/** What came back from a call. */
export interface CallAnswer {
  readonly status: number;
  readonly body: string;
}

/** Calls with a form, by POST or as the query of a GET. */
export async function callWithForm(
  url: string,
  fields: Readonly<Record<string, string>>,
  { method = "POST", headers = {} }: CallOptions = {},
): Promise<CallAnswer> {
  const form = new URLSearchParams(fields);
  return await call(
    method === "GET" ? `${url}?${form}` : url,
    method === "GET" ? { headers } : { method, headers, body: form },
  );
}

export interface CallOptions {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls with an object of JSON. */
export async function callWithJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<CallAnswer> {
  return await call(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function call(url: string, init: RequestInit): Promise<CallAnswer> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.text() };
}
