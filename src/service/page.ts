const DEFAULT_LIMIT = 50;

/** One page of a list in order of id; one item more is asked for, to know whether a next page exists. */
export async function pageOf<T extends { readonly id: string }>(
  query: { readonly limit?: string; readonly cursor?: string },
  list: (query: { limit: number; afterId?: string }) => Promise<readonly T[]>,
): Promise<{ items: readonly T[]; next_cursor: string | null }> {
  const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit);
  const found = await list({
    limit: limit + 1,
    ...(query.cursor !== undefined && { afterId: query.cursor }),
  });
  const items = found.slice(0, limit);
  return { items, next_cursor: found.length > limit ? items.at(-1)!.id : null };
}
