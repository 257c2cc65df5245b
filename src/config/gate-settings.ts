import type { GateRule } from "../guards/gate-rule.ts";
import { formatGateRule, parseGateRule } from "../guards/gate-rule.ts";
import { readPlainPath } from "../net/plain-path.ts";
import type { Kind } from "./kind.ts";
import { invalid, listOf, valid } from "./kind.ts";
import type { Setting } from "./schema.ts";
import type { Settings } from "./settings.ts";

type GateSetting = "gateRules" | "loginUrl";

const gateRule: Kind<GateRule> = {
  allowed:
    "`[METHOD+METHOD] [host]/path need`, like `/assets public` or `GET /jobs scope:jobs:read`; see [forward-auth.md](forward-auth.md)",
  read(text) {
    const rule = parseGateRule(text);
    return "fault" in rule ? invalid(rule.fault) : valid(rule);
  },
  show: formatGateRule,
};

/** Two rules for the same requests would make it a matter of order which one holds. */
const gateRules = listOf(gateRule, ({ methods, host, path, exact }) =>
  (methods.length > 0 ? methods : ["*"]).map(
    (method) => `${method} ${exact ? "=" : ""}${host ?? ""}${path.toLowerCase()}`,
  ),
);

const loginUrl: Kind<string> = {
  allowed: "a path like `/login`, or a URL that begins with `https://`",
  read(text) {
    if (text.startsWith("/")) {
      return "path" in readPlainPath(text)
        ? valid(text)
        : invalid("has a path that can be read in several ways");
    }
    if (!text.startsWith("https://") || !URL.canParse(text))
      return invalid("is neither a path nor an https URL");
    const { username, password, hash } = new URL(text);
    if (username !== "" || password !== "") return invalid("has credentials in it");
    return hash !== "" || text.includes("#") ? invalid("has a fragment") : valid(text);
  },
  show: (value) => value,
};

/** The settings of the gate before other services. */
export const GATE_SETTINGS: { readonly [Name in GateSetting]: Setting<Settings[Name]> } = {
  gateRules: {
    variable: "KYROS_GATE_RULES",
    kind: gateRules,
    default: { shown: "none: a signed-in user, everywhere", value: [] },
    meaning: "What `/forward-auth` asks of which requests to the service behind it.",
  },
  loginUrl: {
    variable: "KYROS_LOGIN_URL",
    kind: loginUrl,
    default: { shown: "none: 401", value: undefined },
    meaning: "Where `/forward-auth` sends a browser that has to sign in, with the way back in `return_to`.",
  },
};
