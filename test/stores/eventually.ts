/** Tries until it does not throw any more, for up to `withinMs`; then what it threw last is thrown. */
export async function eventually(attempt: () => Promise<void>, withinMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
