/** A machine or a process that stands still for a while uses up one of these parts of the time at most. */
const PARTS = 20;

/** Tries until it does not throw any more; where a try that began after `withinMs` throws, that is thrown. */
export async function eventually<T>(attempt: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  let passed = 0;
  const timer = setInterval(() => {
    passed += 1;
  }, withinMs / PARTS);
  try {
    for (;;) {
      const isLast = passed >= PARTS;
      try {
        return await attempt();
      } catch (error) {
        if (isLast) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    clearInterval(timer);
  }
}
