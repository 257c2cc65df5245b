import assert from "node:assert/strict";
import { test } from "node:test";
import { createCspReportWindow } from "../../src/service/csp-report-window.ts";

const report = (document: string, blocked = "inline") => ({
  document,
  directive: "script-src",
  blocked,
  disposition: "enforce",
});
const ADDRESS = "203.0.113.7";

test("a violation is told once a window, and then says how often it came in the one before", () => {
  const window = createCspReportWindow({ windowMs: 1000 });
  const take = (nowMs: number) => window.take(report("/a"), ADDRESS, nowMs);
  assert.deepEqual(take(0), { tell: true, repeated: 0 });
  assert.deepEqual(take(1), { tell: false });
  assert.deepEqual(take(999), { tell: false });
  assert.deepEqual(take(1000), { tell: true, repeated: 2 });
  assert.deepEqual(take(5000), { tell: true, repeated: 0 });
  assert.deepEqual(window.counts, { told: 3, repeated: 2, dropped: 0 });
});

test("one address has its share, all have theirs, and what is over is dropped and counted", () => {
  const window = createCspReportWindow({ most: 3, mostPerAddress: 2 });
  const told = (document: string, address: string) => window.take(report(document), address, 0).tell;
  assert.deepEqual(
    ["/1", "/2", "/3"].map((page) => told(page, ADDRESS)),
    [true, true, false],
  );
  // All of one site's IPv6 addresses are one client.
  assert.equal(told("/4", "2001:db8::1"), true);
  assert.equal(told("/5", "2001:db8::2"), false);
  assert.equal(told("/1", "198.51.100.1"), false);
  assert.deepEqual(window.counts, { told: 3, repeated: 1, dropped: 2 });
});

test("no text can pass for another report", () => {
  const window = createCspReportWindow();
  assert.equal(window.take(report('a","b'), ADDRESS, 0).tell, true);
  assert.equal(window.take(report("a", 'b","'), ADDRESS, 0).tell, true);
  assert.equal(window.take(report("a", "https://evil.example:444/x"), ADDRESS, 0).tell, true);
  assert.equal(window.take(report("a", "https://evil.example/x"), ADDRESS, 0).tell, true);
});
