/** The public face of Kyros. Importing it loads no web framework and no database. */
export type { Account, AccountStore } from "./identity/accounts/account.ts";
export type { Lockout, LockoutStore } from "./identity/accounts/lockout.ts";
export type { ApiKey, ApiKeyStore } from "./identity/api-keys/api-key.ts";
export type { AuditEntry, AuditStore } from "./identity/audit/audit-store.ts";
export type { Challenge, ChallengeStore } from "./identity/factors/challenge.ts";
export type { FactorMethod, FactorStore } from "./identity/factors/factor.ts";
export type { FactorProof } from "./identity/factors/second-step.ts";
export type { Session, SessionPage, SessionStore } from "./identity/sessions/session.ts";
export type { RefreshToken, RefreshTokenStore } from "./identity/tokens/refresh-token.ts";
export type { RevocationStore } from "./identity/tokens/revocation.ts";
export type { AuditEvent, EventName, EventSink } from "./kernel/audit-event.ts";
export { EVENT_NAMES } from "./kernel/audit-event.ts";
export type { Clock } from "./kernel/clock.ts";
export type { Exchange, RequestView } from "./kernel/exchange.ts";
export { Outage, Refusal } from "./kernel/failure.ts";
export type { Limiter, LimitPolicy } from "./kernel/limiter.ts";
export type { Observer } from "./kernel/observer.ts";
export type {
  Anonymous,
  Authenticated,
  Principal,
  Role,
  ServicePrincipal,
  User,
  UserPrincipal,
} from "./kernel/principal.ts";
export { ROLES } from "./kernel/principal.ts";
export type { FieldError, Problem, ProblemCode } from "./kernel/problem.ts";
export { PROBLEMS, problem } from "./kernel/problem.ts";
export type { Rule } from "./kernel/rule.ts";
export type { Gate, RouteGuard } from "./pipeline/gate.ts";
export type { RuleOptions } from "./pipeline/route-guards.ts";
export type { AuditTrailOptions } from "./service/create-audit-trail.ts";
export { createAuditTrail } from "./service/create-audit-trail.ts";
export type { Kyros, KyrosOptions, KyrosStores } from "./service/create-kyros.ts";
export { createKyros } from "./service/create-kyros.ts";
export type { NewUser, SecondFactorNeeded, SignInOrigin } from "./service/current-user.ts";
export {
  authenticateUser,
  createAccessToken,
  createUser,
  currentUser,
  verifyFactor,
} from "./service/current-user.ts";
