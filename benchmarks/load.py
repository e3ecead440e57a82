"""Load over HTTP keep-alive connections, made by wrk (https://github.com/wg/wrk)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Process, pin
from benchmarks.traffic import Request

_REQUEST = """
wrk.method = @METHOD@
wrk.body = @BODY@
local path = @PATH@
local fields = @FIELDS@
for name, value in pairs(fields) do wrk.headers[name] = value end
"""

_ROTATION = """
local n = 0
local function numbered(text)
  return (text:gsub("{n}", n):gsub("{m}", n % @CYCLE@):gsub("{x}", string.format("%016x", n)))
end
request = function()
  n = n + 1
  for name, value in pairs(fields) do
    if value:find("{", 1, true) then wrk.headers[name] = numbered(value) end
  end
  return wrk.format(nil, numbered(path))
end
"""

_DONE = """
done = function(summary, latency, requests)
  io.write(string.format(
    '\\nRESULT {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d, "refused": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status))
end
"""


class LoadFailed(Exception):  # noqa: N818 - it is reported as a gap in the table, not handled as a fault
    """Requests were not answered as expected, so the figure would be meaningless."""


@dataclass(frozen=True, slots=True)
class Load:
    """The cost of one run of requests."""

    cpu_per_request: float
    """CPU seconds of all processes of the program."""
    per_second: float
    p50: float
    """Seconds."""
    p99: float
    busy: float
    """CPU seconds per second; below 1 the program waited, for its clients or for a busy CPU."""


def apply_load(
    process: Process, request: Request, *, seconds: int, connections: int, core: int | None, folder: Path
) -> Load:
    """Send `request` repeatedly for `seconds`, with wrk on CPU `core`; raises `LoadFailed`."""
    script = folder / "load.lua"
    script.write_text(_script(request))
    url = f"http://127.0.0.1:{process.port}{request.path if '{' not in request.path else '/'}"
    command = [*pin(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    before = process.cpu_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    used = process.cpu_seconds() - before
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise LoadFailed(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    result = json.loads(line.removeprefix("RESULT "))
    count, refused = result["requests"], result["refused"]
    if not count or result["failed"]:
        raise LoadFailed(f"{result['failed']} connections failed, {count} requests were answered")
    if (request.answer == "ok" and refused) or (request.answer == "refused" and refused != count):
        raise LoadFailed(f"{refused} of {count} requests were refused")
    return Load(used / count, count / result["seconds"], result["p50"], result["p99"], used / result["seconds"])


def _script(request: Request) -> str:
    fields = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.fields.items())
    script = (
        _REQUEST.replace("@METHOD@", json.dumps(request.method))
        .replace("@BODY@", json.dumps(request.body) if request.body else "nil")
        .replace("@PATH@", json.dumps(request.path))
        .replace("@FIELDS@", "{" + fields + "}")
    )
    if "{" in request.path or any("{" in value for value in request.fields.values()):
        script += _ROTATION.replace("@CYCLE@", str(request.cycle))
    return script + _DONE
