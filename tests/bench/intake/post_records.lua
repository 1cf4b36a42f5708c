-- wrk: POST /records, each a record of its own. RUN (environment) keeps them apart from those of other runs.
local run = os.getenv("RUN") or "run"
local threads = {}
local record = '{"recordId":"%s","revision":1,"site":"pain-clinic","status":"completed",' ..
  '"recorded":"2011-06-01T12:00:00Z","patient":{"mrn":"%d"},"performed":{"start":"2011-06-01T10:00:00Z"},' ..
  '"procedure":{"kind":"intrathecal-injection"},"administrations":[{"seq":1,"purpose":"therapeutic","drug":"midazolam"}]}'

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init()
  sent, taken, others, first = 0, 0, 0, ""
end

function request()
  sent = sent + 1
  local body = record:format(run .. "-" .. number .. "-" .. sent, 300000 + sent % 1000)
  return wrk.format("POST", "/records", {["Content-Type"] = "application/json"}, body)
end

function response(status, headers, body)
  if status == 202 then
    taken = taken + 1
  else
    others = others + 1
    if first == "" then first = status .. " " .. body:sub(1, 200) end
  end
end

-- One line for intake.py.
function done(summary, latency)
  local taken_of_all, others_of_all, first_of_all = 0, 0, ""
  for _, thread in ipairs(threads) do
    taken_of_all = taken_of_all + thread:get("taken")
    others_of_all = others_of_all + thread:get("others")
    if first_of_all == "" then first_of_all = thread:get("first") end
  end
  local errors = summary.errors
  io.write(string.format("RESULT %.1f %.2f %.2f %d %d %s\n", taken_of_all / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, others_of_all,
    errors.connect + errors.read + errors.write + errors.timeout, first_of_all))
end
