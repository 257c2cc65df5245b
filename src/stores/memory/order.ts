/** Entities after a cursor in order of id, by code unit as databases order text. */
export function inOrderOfId<T extends { readonly id: string }>(
  entities: Iterable<T>,
  afterId: string | undefined,
): T[] {
  return Iterator.from(entities)
    .filter((entity) => afterId === undefined || entity.id > afterId)
    .toArray()
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
