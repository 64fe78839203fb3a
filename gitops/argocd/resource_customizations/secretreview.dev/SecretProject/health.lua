-- The conditions follow kstatus.
local hs = {
  status = "Progressing",
  message = "The secretreview manager has not looked at this project yet"
}
local status = obj.status
if status == nil or status.conditions == nil then
  return hs
end
if status.observedGeneration ~= obj.metadata.generation then
  hs.message = "The secretreview manager has not looked at the newest version of this project yet"
  return hs
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local ready = conditions["Ready"]
if ready == nil then
  return hs
end

hs.message = ready.message
if ready.status == "True" then
  hs.status = "Healthy"
elseif conditions["Stalled"] ~= nil and conditions["Stalled"].status == "True" then
  -- Only a person can go on. Where the manager tries again by itself it is Progressing.
  hs.status = "Degraded"
end

local sync = conditions["InSync"]
if sync ~= nil and sync.status == "False" then
  hs.message = hs.message .. ". Drift: " .. sync.message
end
return hs
