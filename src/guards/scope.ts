const SCOPE = /^[a-z0-9_-]{1,64}(:[a-z0-9_-]{1,64}|:\*){0,7}$|^\*$/;

/** Whether a text is a scope: segments of `a-z 0-9 _ -` joined by `:`, any but the first of which may be `*`; or `*`. */
export function isScope(text: string): boolean {
  return text.length <= 256 && SCOPE.test(text);
}

/** Whether the held scopes cover every one that is needed. */
export function scopesCover(held: readonly string[], needed: readonly string[]): boolean {
  return needed.every((need) => held.some((have) => scopeCovers(have, need)));
}

/**
 * Whether one scope covers another, segment by segment: `*` stands for one segment, and as the last one for all that
 * follow. `jobs:*` covers `jobs:read` and `jobs:run:cancel`, not `jobs`.
 */
export function scopeCovers(held: string, needed: string): boolean {
  if (held === needed) return true;
  const have = held.split(":");
  const need = needed.split(":");
  for (let i = 0; i < have.length; i++) {
    if (i >= need.length) return false;
    if (have[i] === "*") {
      if (i === have.length - 1) return true;
    } else if (have[i] !== need[i]) {
      return false;
    }
  }
  return have.length === need.length;
}
