import { Type } from "typebox";
import { describeSettings } from "../../config/describe-settings.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { CSP_REPORT_TYPE, REPORTS_TYPE } from "../body-types.ts";
import { readCspReports } from "../csp-reports.ts";
import type { App, Service } from "../service.ts";

export function securityRoutes(app: App, service: Service): void {
  app.post(
    "/security/csp-report",
    {
      // Browsers send these on their own, across origins where a policy is shared: there is nothing here to forge.
      config: {
        ...routeGuards.allowAnonymous({ csrf: "exempt" }).config,
        bodyTypes: [CSP_REPORT_TYPE, REPORTS_TYPE],
      },
      schema: {
        summary: "Reports of the Content-Security-Policy, in both forms that browsers send",
        consumes: [CSP_REPORT_TYPE, REPORTS_TYPE],
        body: Type.Unknown(),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { exchange } = request;
      for (const report of readCspReports(request.body)) {
        const verdict = service.cspReports.take(report, exchange.client.address, exchange.nowMs);
        if (!verdict.tell) continue;
        await service.events.record({
          ...actOf(exchange),
          name: "csp.violation",
          outcome: "failure",
          details: { ...report, ...(verdict.repeated > 0 && { repeated: verdict.repeated }) },
        });
      }
      reply.code(204);
    },
  );

  app.get(
    "/security/config",
    {
      ...routeGuards.requireRole("admin"),
      schema: { summary: "The configuration without its secrets", response: { 200: Type.Unknown() } },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return describeSettings((await service.settings.now()).settings);
    },
  );
}
