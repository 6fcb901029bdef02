-- What wrk sends to service.py: a small document, another each time.
local count = 0
request = function()
  count = count + 1
  local body = string.format('{"sensor": "s%d", "at": %d, "values": [%d, %d, %d]}',
                             count % 50, count, count * 3 % 100, count * 7 % 100, count * 11 % 100)
  return wrk.format("POST", "/readings", {["Content-Type"] = "application/json"}, body)
end
