/**
 * Settles as `work` does, or rejects after `deadlineMs`. What has arrived by then is read first: where this process
 * itself was busy for that long, the reply lies in the socket, and Redis is not the one to blame.
 */
export function withinDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`no reply within ${deadlineMs} ms`));
    const timer = setTimeout(() => setImmediate(fail), deadlineMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
