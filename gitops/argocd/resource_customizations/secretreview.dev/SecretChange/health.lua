-- The conditions follow kstatus; the phase tells more.

-- A change that waits for reviewers is Suspended: nothing goes on without a person, and nothing is wrong.
local statusOfPhase = {
  Pending = "Suspended",
  Approved = "Progressing",
  Applied = "Healthy"
}

local hs = {
  status = "Progressing",
  message = "The secretreview manager has not looked at this change yet"
}
local status = obj.status
if status == nil then
  return hs
end

-- The CRD gives a new change a status of its own, with observedGeneration -1.
if status.observedGeneration == -1 or status.phase == nil or status.phase == "" then
  if status.message ~= nil and status.message ~= "" then
    hs.message = status.message
  end
  return hs
end

hs.status = statusOfPhase[status.phase] or "Degraded"
hs.message = status.phase
if status.message ~= nil and status.message ~= "" then
  hs.message = hs.message .. ": " .. status.message
end
-- The names of the first keys that change, and never a value.
if status.summary ~= nil and status.summary ~= "" then
  hs.message = hs.message .. " (keys: " .. status.summary .. ")"
end
return hs
