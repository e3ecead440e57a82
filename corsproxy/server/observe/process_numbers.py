"""The operating system's figures for a process, with the names that all Prometheus clients use.

They are read from /proc, as in prometheus-client, whose own collector knows only its own process, while the figures of
several workers must be summed.
Without /proc, only the CPU time and the limit of descriptors are known.
"""

from __future__ import annotations

import functools
import os
import resource
import time

PROCESS_NUMBERS = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "process_max_fds",
)
"""The figures that are summed over the serving processes."""


def process_numbers() -> dict[str, float]:
    """Return the figures of this process; unreadable ones are omitted."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    numbers = {"process_cpu_seconds_total": usage.ru_utime + usage.ru_stime}
    numbers["process_max_fds"] = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        with open("/proc/self/statm", "rb") as opened:
            virtual, resident = opened.read().split()[:2]
        page = resource.getpagesize()
        numbers["process_virtual_memory_bytes"] = int(virtual) * page
        numbers["process_resident_memory_bytes"] = int(resident) * page
        numbers["process_open_fds"] = len(os.listdir("/proc/self/fd"))
    except OSError:
        pass
    return numbers


@functools.cache
def start_time() -> float:
    """Return when this process was started, in seconds since the epoch (proc(5), field 22 of stat)."""
    try:
        with open("/proc/self/stat", "rb") as opened:
            ticks = int(opened.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as opened:
            (booted,) = (int(line.split()[1]) for line in opened if line.startswith(b"btime "))
    except (OSError, ValueError):
        return time.time()
    return booted + ticks / os.sysconf("SC_CLK_TCK")
