import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GENESIS, linkRecords } from "../../src/identity/audit/chain.ts";
import { toOcsf } from "../../src/identity/audit/ocsf.ts";
import { toRecord } from "../../src/identity/audit/to-record.ts";
import { EVENT_NAMES } from "../../src/kernel/audit-event.ts";
import { event } from "./chains.ts";

/** Attributes of https://schema.ocsf.io/1.3.0: of the base event, of each class, and of the objects used. */
const BASE = [
  ...["activity_id", "activity_name", "category_uid", "category_name", "class_uid", "class_name", "type_uid"],
  ...["type_name", "severity_id", "severity", "status_id", "status", "status_detail", "status_code", "time"],
  ...["message", "count", "metadata", "unmapped", "start_time", "end_time", "duration", "raw_data"],
];
const CLASSES: Readonly<Record<number, { allowed: string[]; required: string[]; activities: number[] }>> = {
  3001: {
    allowed: ["actor", "http_request", "policy", "src_endpoint", "user", "user_result"],
    required: ["user"],
    activities: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99],
  },
  3002: {
    allowed: [
      "actor",
      "http_request",
      "src_endpoint",
      "dst_endpoint",
      "user",
      "service",
      "session",
      "is_mfa",
    ],
    required: ["user", "service"],
    activities: [1, 2, 3, 4, 5, 99],
  },
  6003: {
    allowed: ["actor", "api", "dst_endpoint", "http_request", "http_response", "resources", "src_endpoint"],
    required: ["actor", "api", "src_endpoint"],
    activities: [1, 2, 3, 4, 99],
  },
};
const OBJECTS: Readonly<Record<string, readonly string[]>> = {
  metadata: ["version", "product", "uid", "sequence", "event_code", "log_name", "correlation_uid"],
  product: ["name", "vendor_name", "version", "uid", "feature"],
  actor: ["user", "session", "app_name", "app_uid", "idp", "process"],
  user: ["name", "uid", "type_id", "type", "email_addr", "credential_uid"],
  src_endpoint: ["ip", "name", "hostname", "port", "uid"],
  http_request: ["http_method", "url", "user_agent", "uid", "args", "referrer", "version"],
  url: ["path", "hostname", "scheme", "query_string", "url_string"],
  service: ["name", "uid", "version", "labels"],
  api: ["operation", "service", "request", "response", "version", "group"],
};

interface Ocsf {
  readonly class_uid: number;
  readonly category_uid: number;
  readonly activity_id: number;
  readonly type_uid: number;
  readonly severity_id: number;
  readonly status_id: number;
  readonly time: number;
  readonly user?: unknown;
  readonly src_endpoint: unknown;
}

function checkNames(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const allowed = OBJECTS[name];
    if (allowed === undefined) continue;
    const unknown = Object.keys(member as object).filter((one) => !allowed.includes(one));
    assert.deepEqual(unknown, [], name);
    checkNames(member);
  }
}

describe("an entry as OCSF", () => {
  for (const name of EVENT_NAMES) {
    it(`${name} has its class's names, and what the class requires`, () => {
      for (const parts of [
        {
          method: "POST",
          path: "/x",
          userAgent: "a",
          requestId: "r",
          reason: "why",
          details: { a: 1 },
          subject: "s",
        },
        { actor: { kind: "system" }, address: undefined } as const,
      ]) {
        const { address, ...rest } = event({ name, ...(parts as object) });
        const [entry] = linkRecords(GENESIS, [toRecord(address === undefined ? rest : { ...rest, address })]);
        const ocsf = toOcsf(entry!) as unknown as Ocsf;
        const { allowed, required, activities } = CLASSES[ocsf.class_uid]!;
        assert.deepEqual(
          Object.keys(ocsf).filter((one) => !BASE.includes(one) && !allowed.includes(one)),
          [],
        );
        for (const one of required) assert.ok(one in ocsf, one);
        assert.ok(activities.includes(ocsf.activity_id));
        assert.equal(ocsf.type_uid, ocsf.class_uid * 100 + ocsf.activity_id);
        assert.equal(ocsf.category_uid, Math.floor(ocsf.class_uid / 1000));
        assert.ok(ocsf.severity_id >= 1 && ocsf.severity_id <= 6);
        assert.equal(ocsf.time, entry!.atMs);
        checkNames(ocsf);
      }
    });
  }

  it("tells a failed sign-in from one that succeeded, and whose it was", () => {
    const of = (parts: object) =>
      toOcsf(linkRecords(GENESIS, [toRecord(event(parts))])[0]!) as unknown as Ocsf;
    const failed = of({
      name: "auth.login.failed",
      outcome: "failure",
      actor: { kind: "anonymous" },
      subject: "bob",
    });
    assert.deepEqual([failed.type_uid, failed.status_id], [300201, 2]);
    assert.deepEqual(failed.user, { name: "bob", type_id: 0 });
    const succeeded = of({});
    assert.deepEqual([succeeded.type_uid, succeeded.status_id], [300201, 1]);
    assert.deepEqual(succeeded.user, { name: "alice", uid: "u1", type_id: 1 });
    assert.deepEqual(succeeded.src_endpoint, { ip: "192.0.2.1" });
    const disabled = of({ name: "user.disabled", subject: "u2" });
    assert.deepEqual([disabled.type_uid, disabled.user], [300105, { uid: "u2", type_id: 1 }]);
  });
});
