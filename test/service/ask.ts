export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service answered; the test says what it must be
  readonly body: any;
}

type Sent = Readonly<Record<string, string>>;

/** One request; a body is sent as JSON, or as a form where it is `URLSearchParams`. */
export async function ask(
  service: { readonly url: string },
  method: string,
  path: string,
  headers: Sent = {},
  body?: unknown,
): Promise<Answer> {
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(service.url + path, {
    method,
    headers: { ...(body !== undefined && !isForm && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** The headers of a signed-in browser's state-changing request from its own page. */
export function fromPage({ cookie, csrf }: { cookie: string; csrf: string }): Record<string, string> {
  return { cookie, "x-csrf-token": csrf, "sec-fetch-site": "same-origin" };
}
