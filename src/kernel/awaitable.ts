/**
 * A value now, or a promise of it. Whatever needs no I/O answers at once, and its caller awaits only promises:
 * on the hot path a request then crosses no microtask it does not need.
 */
export type Awaitable<T> = T | Promise<T>;

/** Whether an `Awaitable` is still to come. */
export function isPending<T>(value: Awaitable<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Continues with `next` at once if `value` is here, and after it otherwise. */
export function then<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isPending(value) ? value.then(next) : next(value);
}
