import type { ReadOriginal } from "./original-request.ts";
import { readPair } from "./original-request.ts";

/** Traefik's ForwardAuth and Caddy's `forward_auth`: `X-Forwarded-Method` and `X-Forwarded-Uri`. */
export const readXForwarded: ReadOriginal = (view) => readPair(view, "x-forwarded-method", "x-forwarded-uri");
