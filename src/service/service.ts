import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { BreakerView } from "../stores/breaker.ts";
import type { Stores } from "../stores/open.ts";
import type { Exposition } from "../telemetry/exposition.ts";
import type { AuditCursors } from "./audit-cursor.ts";
import type { Composition } from "./compose.ts";
import type { CspReportWindow } from "./csp-report-window.ts";
import type { ForwardAuth } from "./forward-auth/forward-auth.ts";
import type { InstanceState } from "./instance-state.ts";
import type { LiveSettings } from "./live-settings.ts";

/** The Fastify app as the routes see it: typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the service is, beside the composition: the few settings its routes read. */
export interface Service extends Composition {
  readonly stores: Stores;
  /** How Redis is doing, where the limits are there. */
  readonly redis: BreakerView | undefined;
  readonly auditCursors: AuditCursors;
  /** The settings that may change while it runs. */
  readonly settings: LiveSettings;
  /** Documentation is for admins alone outside development (ASVS V13.4.5). */
  readonly openDocumentation: boolean;
  /** The token issuer where it is a URL; else what clients asked for stands in metadata. */
  readonly issuerUrl: string | undefined;
  readonly sessionMaxTtlMs: number;
  /** Which reports of policy violations are told. */
  readonly cspReports: CspReportWindow;
  /** Served to admins; `undefined` where metrics have a port of their own. */
  readonly metrics: Exposition | undefined;
  /** The gate before other services. */
  readonly forwardAuth: ForwardAuth;
  /** How this instance does. */
  instance(): InstanceState;
  /** Whether new work is taken: false once shutdown has begun. */
  isAccepting(): boolean;
}
