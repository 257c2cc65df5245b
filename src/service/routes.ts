import { adminAuditRoutes } from "./routes/admin-audit.ts";
import { adminSettingsRoutes } from "./routes/admin-settings.ts";
import { adminStatsRoutes } from "./routes/admin-stats.ts";
import { adminUserRoutes } from "./routes/admin-users.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { csrfRoutes } from "./routes/csrf.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { forwardAuthRoutes } from "./routes/forward-auth.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { oauthRoutes } from "./routes/oauth.ts";
import { oauthMetadataRoutes } from "./routes/oauth-metadata.ts";
import { passkeySignInRoutes } from "./routes/passkey-sign-in.ts";
import { passkeyRoutes } from "./routes/passkeys.ts";
import { passwordRoutes } from "./routes/password.ts";
import { probeRoutes } from "./routes/probes.ts";
import { secondFactorRoutes } from "./routes/second-factor.ts";
import { securityRoutes } from "./routes/security.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { userRoutes } from "./routes/user.ts";
import type { App, Service } from "./service.ts";

/** Every endpoint of the service. */
export function installRoutes(app: App, service: Service): void {
  signInRoutes(app, service);
  secondFactorRoutes(app, service);
  passkeySignInRoutes(app, service);
  passkeyRoutes(app, service);
  sessionRoutes(app, service);
  csrfRoutes(app, service);
  userRoutes(app, service);
  passwordRoutes(app, service);
  apiKeyRoutes(app, service);
  adminUserRoutes(app, service);
  adminAuditRoutes(app, service);
  adminSettingsRoutes(app, service);
  adminStatsRoutes(app, service);
  oauthRoutes(app, service);
  oauthMetadataRoutes(app, service);
  forwardAuthRoutes(app, service);
  probeRoutes(app, service);
  securityRoutes(app, service);
  if (service.metrics !== undefined) metricsRoutes(app, service.metrics);
  documentationRoutes(app, service);
}
