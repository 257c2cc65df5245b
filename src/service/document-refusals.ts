import type { ProblemCode } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { OAuthErrorShape, ProblemShape } from "./schemas.ts";

/** What is read and written here of an OpenAPI 3.1 document. */
export interface Description {
  readonly components: Record<string, Record<string, unknown>>;
  readonly paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  readonly parameters?: readonly { readonly in: string }[];
  readonly requestBody?: {
    required?: boolean;
    readonly content: Record<
      string,
      { schema?: { readonly anyOf?: readonly { readonly type?: unknown }[] } }
    >;
  };
  responses: Record<string, ResponseObject>;
}

interface ResponseObject {
  description?: string;
  content?: Record<string, { schema?: { properties?: Record<string, unknown> } }>;
  $ref?: string;
}

const PROBLEM_TYPE = "application/problem+json";
/** What @fastify/swagger says where a route says nothing. */
const NOTHING_SAID = "Default Response";
const MEANINGS: Readonly<Record<string, string>> = {
  200: "Done",
  201: "Created",
  204: "Done; there is nothing to say",
  503: "Not ready",
};

/** The refusals that guards and schemas give on any route, by status. */
const REFUSALS: Readonly<Record<string, readonly ProblemCode[]>> = {
  400: ["validation_failed", "https_required"],
  401: ["unauthenticated", "token_invalid", "token_expired", "token_revoked", "step_up_required"],
  403: ["csrf_invalid", "insufficient_role", "insufficient_scope"],
  404: ["not_found"],
  413: ["payload_too_large"],
  415: ["unsupported_media_type"],
  429: ["rate_limited"],
  503: ["overloaded", "unavailable"],
};

/**
 * Adds to every operation the refusals that its rule and its schemas can give, as references to one description of each,
 * and `default` for those of the route's own: a refusal always has the form of RFC 9457, on `/oauth/*` with the
 * `error` member of RFC 6749 section 5.2.
 */
export function documentRefusals(
  description: Description,
  ruleOf: (method: string, path: string) => Rule,
): void {
  const { components, paths } = description;
  components["schemas"] = { ...components["schemas"], Problem: ProblemShape, OAuthError: OAuthErrorShape };
  components["responses"] = { ...components["responses"], Refusal: refusal("Any other refusal", "Problem") };
  for (const [status, codes] of Object.entries(REFUSALS)) {
    components["responses"][`Refusal${status}`] = refusal(codes.join(", "), "Problem");
  }
  components["responses"]["OAuthRefusal"] = refusal("A refusal", "OAuthError", "application/json");

  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      for (const [status, response] of Object.entries(operation.responses)) say(status, response);
      const isOAuth = path.startsWith("/oauth/");
      const rule = ruleOf(method, path);
      for (const status of statusesOf(operation, method, path, rule)) {
        operation.responses[status] ??= reference(isOAuth ? "OAuthRefusal" : `Refusal${status}`);
      }
      operation.responses["default"] = reference("Refusal");
    }
  }
}

/** In words where a route has none, and a problem in its own media type. */
function say(status: string, response: ResponseObject): void {
  if (response.description === NOTHING_SAID) response.description = MEANINGS[status] ?? NOTHING_SAID;
  const json = response.content?.["application/json"];
  if (json?.schema?.properties?.["code"] !== undefined) response.content = { [PROBLEM_TYPE]: json };
}

function statusesOf(operation: Operation, method: string, path: string, rule: Rule): string[] {
  const takesBody = operation.requestBody !== undefined;
  const isSafe = method === "get";
  const isForSome = rule.role !== undefined || rule.scopes !== undefined || rule.callers === "people";
  const judged: readonly [string, boolean][] = [
    ["400", true],
    ["401", rule.access === "user" || takesBody],
    ["403", isForSome || (!isSafe && rule.csrf !== "exempt")],
    ["404", path.includes("{")],
    ["413", takesBody],
    ["415", takesBody],
    ["429", rule.limit !== "off"],
    ["503", rule.limit !== "off"],
  ];
  return judged.filter(([, applies]) => applies).map(([status]) => status);
}

function refusal(description: string, schema: string, type = PROBLEM_TYPE) {
  return { description, content: { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

function reference(name: string): ResponseObject {
  return { $ref: `#/components/responses/${name}` };
}
