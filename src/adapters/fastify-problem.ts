import { Outage, Refusal } from "../kernel/failure.ts";
import type { FieldError } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import { asStatusRefusal } from "./status-refusal.ts";

interface FastifyFault {
  readonly code?: string;
  readonly validation?: readonly ValidationFault[];
  readonly validationContext?: string;
}

interface ValidationFault {
  readonly keyword?: string;
  readonly instancePath?: string;
  readonly message?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Where the validator is set to be verbose. */
  readonly parentSchema?: { readonly description?: unknown };
}

/** So many faults help; the rest of a hostile body's would only cost. */
const MOST_FIELD_ERRORS = 20;

/**
 * A framework's own fault (a body it cannot read, a schema that does not fit) as the refusal it is; anything else is
 * handed back as it came.
 */
export function asRefusal(error: unknown): unknown {
  if (error instanceof Refusal || error instanceof Outage) return error;
  const fault = (typeof error === "object" && error !== null ? error : {}) as FastifyFault;
  if (fault.validation !== undefined) {
    return new Refusal(
      problem("validation_failed", "The request does not fit what this endpoint takes.", {
        errors: tellable(fault.validation)
          .slice(0, MOST_FIELD_ERRORS)
          .map((one) => fieldError(one, fault.validationContext)),
      }),
    );
  }
  switch (fault.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Refusal(problem("payload_too_large", "Send a smaller body."));
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Refusal(problem("unsupported_media_type", "Send a content type that this endpoint takes."));
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new Refusal(
        problem("validation_failed", "The body does not have the length that was announced."),
      );
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new Refusal(problem("validation_failed", "The request target is not valid."));
  }
  return asStatusRefusal(error);
}

/** Of a field that may also be `null`, what else it may be: not that it is no `null`, nor that no alternative fits. */
function tellable(faults: readonly ValidationFault[]): readonly ValidationFault[] {
  const telling = faults.filter(({ keyword, params }) => keyword !== "anyOf" && params?.["type"] !== "null");
  return telling.length > 0 ? telling : faults;
}

function fieldError(fault: ValidationFault, context = "body"): FieldError {
  const path = (fault.instancePath ?? "").split("/").slice(1).map(unescapePointer);
  if (fault.keyword === "required") path.push(String(fault.params?.["missingProperty"]));
  if (fault.keyword === "additionalProperties")
    path.push(String(fault.params?.["additionalProperty"]).slice(0, 100));
  return { field: path.length > 0 ? path.join(".") : context, message: messageOf(fault) };
}

/** In words that say what would do, where the validator's own are of its schema. */
function messageOf({ keyword, message = "is not valid", params, parentSchema }: ValidationFault): string {
  if (keyword === "additionalProperties") return "is not a known field";
  const allowed = params?.["allowedValues"];
  if (keyword === "enum" && Array.isArray(allowed)) return `must be one of ${allowed.join(", ")}`;
  const description = parentSchema?.description;
  const isShape = keyword === "pattern" || keyword === "format";
  return isShape && typeof description === "string" ? `must be ${description}` : message;
}

/** RFC 6901 section 4. */
function unescapePointer(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}
