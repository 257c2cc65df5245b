/**
 * The limit, atomic in Redis: the generic cell rate algorithm (ITU-T I.371, annex A.1) on Redis's own clock, with the
 * arithmetic of `gcra-rate.ts`, in whole numbers that doubles hold exactly.
 *
 * KEYS: a counter each, groups of one rate after another. ARGV: of each group the units in a millisecond, the units of
 * one request, those of `limit` requests, and the number of its keys. A counter is the instant at which the quota is
 * whole again, as `<milliseconds>:<units>`. Replies what each key owes after the decision, negative where it is refused.
 *
 * The instant only ever moves on, by what a request costs: a call that runs after its caller stopped waiting counts a
 * request too many, never one too few. The expiry clears away what says nothing any more; no decision rests on it. It
 * comes ten seconds late, so that the counter of a busy client is written over: made anew each time, counters would have
 * Redis stand still for its cycles of expiry.
 *
 * The first line makes a script that may not write (out of memory, a replica) fail before it has counted anything.
 */
export const GCRA_SCRIPT = `#!lua
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local replies = {}
for group = 1, #ARGV, 4 do
  local per_ms, emission, capacity = tonumber(ARGV[group]), tonumber(ARGV[group + 1]), tonumber(ARGV[group + 2])
  for at = #replies + 1, #replies + ARGV[group + 3] do
    local backlog, cut = 0, false
    local entry = redis.call('GET', KEYS[at])
    if entry then
      local ms, units = string.match(entry, '^(%d+):(%d+)$')
      backlog = math.max(0, (ms - now) * per_ms + units)
      cut = backlog + emission - capacity > capacity
      if cut then backlog = capacity end
    end
    local allowed = backlog + emission <= capacity
    if allowed then backlog = backlog + emission end
    if allowed or cut then
      local ms = math.floor(backlog / per_ms)
      entry = string.format('%.0f:%.0f', now + ms, backlog - ms * per_ms)
      redis.call('SET', KEYS[at], entry, 'PXAT', now + ms + 10000)
    end
    replies[at] = allowed and backlog or -backlog
  end
end
return replies
`;
