-- Pours a call's cost into all of its buckets, or into none.
--
-- KEYS: the buckets. ARGV, three for each: what it drains a second, its burst
-- and the amount to pour, the last two in millionths of a unit.
-- Answers {0}, or {which bucket, microseconds until there is room}.
--
-- A bucket is saved as "level time", in millionths and microseconds. All
-- numbers stay below 2^53, so they are exact. Time is that of this server,
-- since replicas of the shop do not agree about theirs.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local saved = redis.call('MGET', unpack(KEYS))
local levels, full, wait = {}, 0, 0

-- A bucket is forgotten once it has drained.
local function save(i, level)
  local drained_ms = math.ceil(level / tonumber(ARGV[3 * i - 2]) / 1000) + 1
  local value = string.format('%.0f %.0f', level, now)
  redis.call('SET', KEYS[i], value, 'PX', string.format('%.0f', drained_ms))
end

for i = 1, #KEYS do
  local rate = tonumber(ARGV[3 * i - 2])
  local burst = tonumber(ARGV[3 * i - 1])
  local amount = tonumber(ARGV[3 * i])
  local level, at = string.match(saved[i] or '', '^(%d+) (%d+)$')
  level, at = tonumber(level or 0), tonumber(at or now)
  if at > now then
    -- The clock was set back: go on from here, also if the call is refused,
    -- instead of draining only when the old time is reached again.
    at = now
    save(i, math.min(level, burst))
  end
  -- A quota that was lowered must not refuse for what was fine before.
  level = math.min(math.max(level - (now - at) * rate, 0), burst) + amount
  levels[i] = level
  local until_room = math.ceil((level - burst) / rate)
  if until_room > wait then
    full, wait = i, until_room
  end
end

if full > 0 then
  return {full, wait}
end
for i = 1, #KEYS do
  save(i, levels[i])
end
return {0}
