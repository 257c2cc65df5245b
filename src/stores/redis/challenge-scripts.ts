/**
 * Challenges, atomic in Redis: one key each, so that every script is of one slot. A value is
 * `<tries>:<expiresAtMs>:<sealed>`. What has expired is judged by the instant that the caller gives; Redis's own expiry
 * only clears away.
 */

/** KEYS: the challenge. ARGV: its value, and how long to keep it (ms). Nil where the key is taken. */
export const OPEN_SCRIPT = `#!lua
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
`;

/** KEYS: the challenge. Its value, or nil. */
export const FIND_SCRIPT = `#!lua flags=no-writes
return redis.call('GET', KEYS[1])
`;

/** KEYS: the challenge. ARGV: the instant (ms), and the most tries. Its value with one try more, or nil. */
export const TRY_SCRIPT = `#!lua
local value = redis.call('GET', KEYS[1])
if not value then return false end
local tries, expires, sealed = string.match(value, '^(%d+):(%d+):(.+)$')
if not tries or tonumber(expires) <= tonumber(ARGV[1]) or tonumber(tries) >= tonumber(ARGV[2]) then return false end
value = string.format('%.0f:%s:%s', tries + 1, expires, sealed)
redis.call('SET', KEYS[1], value, 'KEEPTTL')
return value
`;

/**
 * KEYS: the challenge. ARGV: the instant (ms). Its value, which is there no longer, or nil. It is written over, not
 * deleted: a user of Redis who was set up for limits alone may do that, and an answer would fail without.
 */
export const CONSUME_SCRIPT = `#!lua
local value = redis.call('GET', KEYS[1])
if not value then return false end
local expires = string.match(value, '^%d+:(%d+):')
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return false end
redis.call('SET', KEYS[1], '', 'PX', 1)
return value
`;
