/** The parts that a deadline is waited for in. */
const PARTS = 4;

/** There was no reply within a deadline. */
class NoReply extends Error {}

/** Whether an error says that a deadline has passed. */
export function isLate(error: unknown): boolean {
  return error instanceof NoReply;
}

/**
 * Settles as `work` does, or rejects after `deadlineMs` in which this process could run: while it is stopped or busy,
 * or the whole machine stands still, nobody else is to blame for the time. However long that is, it counts as a quarter
 * of the deadline at most; and what has arrived at the end is read first.
 */
export function withinDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new NoReply(`no reply within ${deadlineMs} ms`));
    let left = PARTS;
    const timer = setTimeout(() => {
      left -= 1;
      if (left > 0) timer.refresh();
      else setImmediate(fail);
    }, deadlineMs / PARTS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
