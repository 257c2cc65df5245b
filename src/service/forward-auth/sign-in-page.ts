import type { Exchange } from "../../kernel/exchange.ts";

/** A longer way back is left out: it would not fit into the next request. */
const LONGEST_RETURN = 2048;

/**
 * Where a browser is sent to sign in: `loginUrl`, a path on the host that was asked for or a URL, with the way back in
 * `return_to`. That is a path on the same host; a whole URL only for the page of another host, and only for an origin
 * that is listed as trusted: so no link through the gate can send anybody anywhere else.
 */
export function createSignInPage(
  loginUrl: string,
  trustedOrigins: readonly string[],
): (exchange: Exchange) => string | undefined {
  const trusted = new Set(trustedOrigins);
  return ({ client, view }) => {
    // The host of the connection is the gate's own: where the proxy names none, there is no page to send anybody to.
    if (view.headerLines("x-forwarded-host").length === 0) return undefined;
    const origin = `${client.scheme}://${client.host}`;
    const page = new URL(loginUrl, origin);
    const isHere = page.origin === origin;
    // The page itself is behind the gate and not public: sending its visitors to it would never end.
    if (isHere && view.path === page.pathname) return undefined;
    const back = isHere ? view.target : trusted.has(origin) ? origin + view.target : undefined;
    if (back !== undefined && back.length <= LONGEST_RETURN) page.searchParams.set("return_to", back);
    return page.href;
  };
}
