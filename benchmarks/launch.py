"""Starts one program, waits for it and says what it cost. Stands alone: it imports nothing of ours.

python launch.py < order.json. The order: `argv`, `env`, `cwd`, `log` (a file for all that it says).
The answer: `code`, `seconds`, `processor_s` and `peak_mb` (10^6 bytes), the program's children
included as far as it waited for them.

It is a process of its own because Linux counts the memory of whoever starts a program as that
program's: started from here, that is 10 MB and not the whole benchmark.
"""

import json
import os
import sys
import time


def launched(argv: list[str], env: dict[str, str], log: str) -> dict[str, float]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.perf_counter() - start,
        "processor_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * 1024 / 1e6,
    }


def main() -> None:
    order = json.load(sys.stdin)
    os.chdir(order["cwd"])
    json.dump(launched(order["argv"], order["env"], order["log"]), sys.stdout)


if __name__ == "__main__":
    main()
