"""The programs that s3dash is measured against, each with its documented settings.

A peer may have several reasonable ways to do a work. All are tried once; its fastest counts.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import Command
from benchmarks.works import Work
from tests.servers import Server

WORKERS = 32
"""Transfers, checkers, workers and requests at a time, for every peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a run happens: a bucket, a directory with the files, a directory for its own things."""

    bucket: str
    files: Path
    home: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """One program. `ways`: the arguments by work and by the name of the way.

    In the arguments `{files}` is the directory, `{bucket}` the bucket, `{endpoint}` the server.
    `settings` are files below its home, written before it runs.
    """

    name: str
    binary: Path
    version_by: str
    leading: tuple[str, ...]
    ways: Mapping[Work, Mapping[str, str]]
    settings: Mapping[str, str]
    environ: Mapping[str, str]

    def version(self) -> str:
        """The first line of what it says of itself."""
        said = subprocess.run(
            [str(self.binary), self.version_by], capture_output=True, text=True, check=True
        )
        return said.stdout.splitlines()[0].strip()

    def command(self, work: Work, way: str, server: Server, spot: Spot) -> Command:
        facts = {
            "files": str(spot.files),
            "bucket": spot.bucket,
            "endpoint": server.endpoint,
            "home": str(spot.home),
            "key": server.access_key,
            "secret": server.secret_key,
            "workers": str(WORKERS),
        }
        for name, text in self.settings.items():
            target = spot.home / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.format(**facts))
        words = (*self.leading, *self.ways[work][way].split())
        return Command(
            argv=[str(self.binary), *(word.format(**facts) for word in words)],
            environ={
                "PATH": "/usr/bin:/bin",
                "HOME": str(spot.home),
                **{name: value.format(**facts) for name, value in self.environ.items()},
            },
            cwd=spot.home,
        )


KEYS = {
    "AWS_ACCESS_KEY_ID": "{key}",
    "AWS_SECRET_ACCESS_KEY": "{secret}",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

# --- rclone ---------------------------------------------------------------------------------
# `--s3-no-head` and `--s3-no-head-object` leave out the requests that only look again. `--checksum`
# and `--update --use-server-modtime` are its documented ways not to ask for the time of every
# object. So is `--size-only`, which does not see an edit of the same size, and is no sync: left
# out, as with the others.

RCLONE_SETTINGS = """[bench]
type = s3
provider = SeaweedFS
access_key_id = {key}
secret_access_key = {secret}
endpoint = {endpoint}
region = us-east-1
"""
RCLONE_UP, RCLONE_DOWN = "{files} bench:{bucket}", "bench:{bucket} {files}"
RCLONE_PARTS = "--s3-upload-cutoff 16M --s3-chunk-size 16M --s3-upload-concurrency 8"
RCLONE_UNCHANGED = {
    "sync --update --use-server-modtime": f"sync --update --use-server-modtime {RCLONE_UP}",
    "sync --checksum": f"sync --checksum {RCLONE_UP}",
    "sync": f"sync {RCLONE_UP}",
}
RCLONE = {
    Work.PUSH: {
        "copy --s3-no-head": f"copy --s3-no-head {RCLONE_UP}",
        "copy": f"copy {RCLONE_UP}",
        "copy --s3-no-head --no-check-dest": f"copy --s3-no-head --no-check-dest {RCLONE_UP}",
    },
    Work.PULL: {
        "copy --use-server-modtime --s3-no-head-object": (
            f"copy --use-server-modtime --s3-no-head-object {RCLONE_DOWN}"
        ),
        "copy --use-server-modtime": f"copy --use-server-modtime {RCLONE_DOWN}",
        "copy": f"copy {RCLONE_DOWN}",
    },
    Work.NOTHING: RCLONE_UNCHANGED,
    Work.CHANGED: RCLONE_UNCHANGED,
    Work.BIG_PUSH: {
        "copy --s3-no-head": f"copy --s3-no-head {RCLONE_UP}",
        "copy, 8 parts of 16 MiB at a time": f"copy --s3-no-head {RCLONE_PARTS} {RCLONE_UP}",
        "copy, 8 parts, --s3-disable-checksum": (
            f"copy --s3-no-head --s3-disable-checksum {RCLONE_PARTS} {RCLONE_UP}"
        ),
    },
    Work.BIG_PULL: {
        "copy": f"copy {RCLONE_DOWN}",
        "copy, 4 streams a file": f"copy --multi-thread-cutoff 64M {RCLONE_DOWN}",
    },
    Work.RENAME: {
        "sync --track-renames": f"sync --track-renames --checksum {RCLONE_UP}",
        "sync": f"sync --s3-no-head {RCLONE_UP}",
    },
}

# --- s5cmd ----------------------------------------------------------------------------------

S5CMD_UP, S5CMD_DOWN = "{files}/ s3://{bucket}/", "s3://{bucket}/* {files}/"
S5CMD_UNCHANGED = {"sync": f"sync {S5CMD_UP}"}
S5CMD_PARTS = "--concurrency 8 --part-size 16"
S5CMD = {
    Work.PUSH: {"cp": f"cp {S5CMD_UP}", "sync": f"sync {S5CMD_UP}"},
    Work.PULL: {"cp": f"cp {S5CMD_DOWN}", "sync": f"sync {S5CMD_DOWN}"},
    Work.NOTHING: S5CMD_UNCHANGED,
    Work.CHANGED: S5CMD_UNCHANGED,
    Work.BIG_PUSH: {
        "cp": f"cp {S5CMD_UP}",
        "cp, 8 parts of 16 MiB at a time": f"cp {S5CMD_PARTS} {S5CMD_UP}",
    },
    Work.BIG_PULL: {
        "cp": f"cp {S5CMD_DOWN}",
        "cp, 8 parts of 16 MiB at a time": f"cp {S5CMD_PARTS} {S5CMD_DOWN}",
    },
    Work.RENAME: {"sync --delete": f"sync --delete {S5CMD_UP}"},
}

# --- aws ------------------------------------------------------------------------------------

AWS_SETTINGS = """[default]
region = us-east-1
s3 =
  max_concurrent_requests = {workers}
  max_queue_size = 10000
  addressing_style = path
"""
AWS_UP, AWS_DOWN = "{files} s3://{bucket}", "s3://{bucket} {files}"
AWS_UNCHANGED = {"sync": f"s3 sync --only-show-errors {AWS_UP}"}
AWS = {
    Work.PUSH: {"sync": f"s3 sync --only-show-errors {AWS_UP}"},
    Work.PULL: {"sync": f"s3 sync --only-show-errors {AWS_DOWN}"},
    Work.NOTHING: AWS_UNCHANGED,
    Work.CHANGED: AWS_UNCHANGED,
    Work.BIG_PUSH: {"sync": f"s3 sync --only-show-errors {AWS_UP}"},
    Work.BIG_PULL: {"sync": f"s3 sync --only-show-errors {AWS_DOWN}"},
    Work.RENAME: {"sync --delete": f"s3 sync --only-show-errors --delete {AWS_UP}"},
}


def peers(tools: Path) -> list[Peer]:
    """Those of the environment `tools`; s5cmd's binary itself, not the Python that starts it."""
    python = next((tools / "lib").glob("python3*")) / "site-packages"
    rclone = ("--config", "{home}/rclone.conf", "--fast-list", "--s3-no-check-bucket")
    many = ("--transfers", "{workers}", "--checkers", "{workers}")
    s5cmd = ("--log", "error", "--numworkers", "{workers}", "--endpoint-url", "{endpoint}")
    aws = ("--endpoint-url", "{endpoint}")
    config = {"AWS_CONFIG_FILE": "{home}/aws.config"}
    return [
        Peer(
            "rclone",
            tools / "bin" / "rclone",
            "version",
            (*rclone, *many),
            RCLONE,
            {"rclone.conf": RCLONE_SETTINGS},
            {},
        ),
        Peer("s5cmd", python / "s5cmd" / "bin" / "s5cmd", "version", s5cmd, S5CMD, {}, KEYS),
        Peer(
            "aws",
            tools / "bin" / "aws",
            "--version",
            aws,
            AWS,
            {"aws.config": AWS_SETTINGS},
            {**KEYS, **config},
        ),
    ]
