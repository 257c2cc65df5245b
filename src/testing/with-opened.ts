/** Runs a case over what it opens, and closes it whatever comes. */
export type WithOpened<S> = (run: (opened: S) => Promise<void>) => Promise<void>;

/** Gives each case of a contract its own fresh store. */
export function withOpened<S extends object>(
  open: () => Promise<S & { close(): Promise<void> }>,
): WithOpened<S> {
  return async (run) => {
    const opened = await open();
    try {
      await run(opened);
    } finally {
      await opened.close();
    }
  };
}
