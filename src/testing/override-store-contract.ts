import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OverrideStore } from "../identity/settings/override-store.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenOverrides = () => Promise<{
  readonly settings: OverrideStore;
  close(): Promise<void>;
}>;

/** Registers the cases that every `OverrideStore` has to pass. */
export function overrideStoreContract(open: OpenOverrides): void {
  const withStore = withOpened(open);
  const override = (value: string) => ({ value, changedAtMs: NOW_MS, changedBy: sampleId(1) });

  describe("a store of overrides", () => {
    it("has none at first, and each that was set at the next read", () =>
      withStore(async ({ settings }) => {
        assert.deepEqual(await settings.current(), {});
        const changed = await settings.change(() => ({ rate_limit: override("5/1m") }));
        assert.deepEqual(changed, { before: {}, after: { rate_limit: override("5/1m") } });
        assert.deepEqual(await settings.current(), { rate_limit: override("5/1m") });
        await settings.change(({ rate_limit: _gone, ...rest }) => rest);
        assert.deepEqual(await settings.current(), {});
      }));

    it("loses no change of several at once", () =>
      withStore(async ({ settings }) => {
        const names = Array.from({ length: 8 }, (_, n) => `setting_${n}`);
        await Promise.all(
          names.map((name) => settings.change((current) => ({ ...current, [name]: override("on") }))),
        );
        assert.deepEqual(Object.keys(await settings.current()).sort(), names);
      }));

    it("changes nothing where making the next ones fails", () =>
      withStore(async ({ settings }) => {
        await settings.change(() => ({ registration: override("on") }));
        const failing = settings.change(() => {
          throw new Error("no");
        });
        await assert.rejects(failing, /^Error: no$/);
        assert.deepEqual(await settings.current(), { registration: override("on") });
      }));
  });
}
