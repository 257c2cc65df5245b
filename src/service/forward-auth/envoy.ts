import type { ReadOriginal } from "./original-request.ts";

/** What Envoy is told to put before the path of the request: its `path_prefix`. */
export const ENVOY_PREFIX = "/forward-auth";

/** Envoy's `ext_authz` over HTTP: the request itself, under a prefix. It keeps its method and its `Host`. */
export const readEnvoy: ReadOriginal = (view) => {
  const { method, target } = view;
  if (!target.startsWith(`${ENVOY_PREFIX}/`)) return undefined;
  return { method, target: target.slice(ENVOY_PREFIX.length), host: view.header("host") ?? "" };
};
