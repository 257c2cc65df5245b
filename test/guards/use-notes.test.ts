import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { UseNotes } from "../../src/guards/authenticators/use-notes.ts";
import { createUseNotes } from "../../src/guards/authenticators/use-notes.ts";

interface Written {
  readonly ids: readonly string[];
  readonly contexts: readonly string[];
  readonly firstMs: number;
  readonly finish: PromiseWithResolvers<void>;
}

describe("notes of uses", () => {
  let written: Written[];
  let failures: unknown[];
  let notes: UseNotes<string>;
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    written = [];
    failures = [];
    notes = createUseNotes<string>(
      (uses, firstMs) => {
        const finish = Promise.withResolvers<void>();
        written.push({ ids: [...uses.keys()], contexts: [...uses.values()], firstMs, finish });
        return finish.promise;
      },
      (error) => failures.push(error),
    );
  });
  afterEach(() => mock.timers.reset());
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it("are written together, as of the first of them", () => {
    notes.add("a", 5, "first");
    notes.add("b", 7, "other");
    notes.add("a", 9, "again");
    assert.equal(written.length, 0);
    mock.timers.tick(100);
    assert.deepEqual(
      written.map(({ ids, contexts, firstMs }) => ({ ids, contexts, firstMs })),
      [{ ids: ["a", "b"], contexts: ["first", "other"], firstMs: 5 }],
    );
  });

  it("wait for no more than a hundred", () => {
    for (let n = 0; n < 250; n++) notes.add(`id-${n}`, n, "");
    assert.deepEqual(
      written.map(({ ids, firstMs }) => [ids.length, firstMs]),
      [
        [100, 0],
        [100, 100],
      ],
    );
    mock.timers.tick(100);
    assert.deepEqual([written.length, written[2]?.ids.length, written[2]?.firstMs], [3, 50, 200]);
  });

  it("are all written before they are settled, whatever waits or is under way", async () => {
    notes.add("a", 1, "");
    mock.timers.tick(100);
    notes.add("b", 2, "");
    let isSettled = false;
    const settling = notes.settle().then(() => {
      isSettled = true;
    });
    assert.deepEqual(
      written.map(({ ids }) => ids),
      [["a"], ["b"]],
    );
    written[1]!.finish.resolve();
    await settled();
    assert.equal(isSettled, false);
    written[0]!.finish.reject(new Error("no disk"));
    await settling;
    assert.equal(failures.length, 1);
    mock.timers.tick(100);
    assert.equal(written.length, 2);
  });

  it("are not written again while they are being written, and are afterwards, also after a failure", async () => {
    notes.add("a", 1, "");
    mock.timers.tick(100);
    notes.add("a", 2, "");
    notes.add("b", 3, "");
    mock.timers.tick(100);
    assert.deepEqual(
      written.map(({ ids }) => ids),
      [["a"], ["b"]],
    );
    const failure = new Error("no disk");
    written[0]!.finish.reject(failure);
    await settled();
    assert.deepEqual(failures, [failure]);
    notes.add("a", 4, "");
    notes.add("b", 5, "");
    mock.timers.tick(100);
    assert.deepEqual(written.map(({ ids, firstMs }) => [ids, firstMs]).at(-1), [["a"], 4]);
  });
});
