/**
 * Tells a host of failures by its own function, or as warnings of the process. It is called where nobody could handle
 * an error of its own: what the host's function throws or rejects with is a warning, and ends neither an answer nor the
 * process.
 */
export function failureReport(own: (error: unknown) => unknown = warn): (error: unknown) => void {
  return (error) => {
    try {
      const pending = own(error);
      if (pending instanceof Promise) pending.catch(warn);
    } catch (fault) {
      warn(fault);
    }
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
