"""Large files at length: killed in the middle and continued; memory that knows no file's size."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.settings import Datastore
from tests.reliability.large import Order, Outcome, carry_out
from tests.servers import Server
from tests.tally import Effort

MB = 1 << 20
PART = 5 * MB
MOST_MB = 200
SLACK_MB = 30
"""Between two peaks: threads, buffers and the allocator are never quite the same."""


class Site:
    """Two machines on one bucket of SeaweedFS, each command a process."""

    def __init__(self, weed: Server, tmp_path: Path) -> None:
        self.weed = weed
        self.bucket = weed.make_bucket()
        self.home = tmp_path

    def base(self, name: str) -> Path:
        path = self.home / name / "cache"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def settings(self, name: str, **over: Any) -> Datastore:
        return self.weed.settings(
            self.bucket,
            self.home / name,
            request_timeout_ms=60_000,
            **{"pull_concurrency": 50, "push_concurrency": 25, **over},
        )

    def order(self, action: str, name: str, **more: Any) -> Order:
        self.base(name)
        fields = {
            field: getattr(self.settings(name), field)
            for field in Datastore.__struct_fields__
            if field != "credentials"
        }
        keys = (self.weed.access_key, self.weed.secret_key)
        return Order(action, {k: v for k, v in fields.items() if v is not None}, keys, **more)

    def run(self, action: str, name: str, **more: Any) -> Outcome:
        outcome = carry_out(self.order(action, name, **more))
        assert outcome is not None
        assert not outcome.result["failed"], outcome.result
        return outcome

    def open_uploads(self) -> list[str]:
        store = self.weed.store(self.bucket, self.home / "looker")
        found = [upload.key for upload in store.list_uploads()]
        store.close()
        return found


@pytest.fixture
def site(weed: Server, tmp_path: Path) -> Iterator[Site]:
    yield Site(weed, tmp_path)
    shutil.rmtree(tmp_path)  # pytest would keep these gigabytes for a while


def sparse(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_killed_upload_goes_on_where_it_was(site: Site, effort: Effort) -> None:
    dice, lost = effort.dice(), list[str]()
    sizes = {"multipart_above": PART, "part_size": PART}
    for turn in range(effort.pick(2, 40)):
        size, rel = dice.randrange(5 * PART, 7 * PART), f"files/{turn}"
        die_at = dice.randrange(4 * PART + 1, size)
        story = f"seed {effort.seed}, turn {turn}: killed after {die_at} of {size} bytes"
        data = dice.randbytes(size)
        path = site.base("ada") / rel
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        assert carry_out(site.order("push", "ada", sizes=sizes, die_at=die_at)) is None, story
        assert site.open_uploads() == [rel], story
        again = site.run("push", "ada", sizes=sizes)
        # Three parts were on their way: all others had arrived.
        saved = die_at - 4 * PART
        assert again.bytes_up < size - saved + 64 * 1024, f"{story}: sent {again.bytes_up}"
        assert site.open_uploads() == [], story
        effort.count("kills survived")
        effort.count("bytes not sent twice", max(0, size - again.bytes_up))
        site.run("pull", "bob")
        if (site.base("bob") / rel).read_bytes() != data:
            lost.append(rel)
    effort.lost(lost, f"seed {effort.seed}")


def test_memory_does_not_grow_with_the_size_of_a_file(site: Site, effort: Effort) -> None:
    peaks: dict[str, dict[int, int]] = {"push": {}, "pull": {}}
    for size in (48 * MB, effort.pick(192 * MB, 5 << 30)):
        rel = f"files/{size}"
        sparse(site.base("ada") / rel, size)
        peaks["push"][size] = site.run("push", "ada").peak_mb
        peaks["pull"][size] = site.run("pull", "bob").peak_mb
        effort.lost(
            [rel]
            if file_sha256(site.base("ada") / rel) != file_sha256(site.base("bob") / rel)
            else []
        )
    for action, found in peaks.items():
        small, large = sorted(found)
        effort.count(f"MB of memory at most, {action} of {large >> 20} MB", found[large])
        assert max(found.values()) < MOST_MB, peaks
        assert found[large] - found[small] < SLACK_MB, (action, peaks)


@pytest.mark.parametrize("kind", ["large", "many"])
def test_many_at_a_time_stay_below_as_well(site: Site, effort: Effort, kind: str) -> None:
    """Four large files at once; and as many as run at once, just below what goes in parts."""
    large, many = (4, effort.pick(40 * MB, 1 << 30)), (effort.pick(24, 60), 9 * MB)
    count, size = large if kind == "large" else many
    for number in range(count):
        sparse(site.base("ada") / f"files/{number}", size + number)
    up, down = site.run("push", "ada"), site.run("pull", "bob")
    assert (up.result["pushed"], down.result["pulled"]) == (count, count)
    effort.count(f"MB of memory at most, {kind} files up", up.peak_mb)
    effort.count(f"MB of memory at most, {kind} files down", down.peak_mb)
    assert up.peak_mb < MOST_MB
    assert down.peak_mb < MOST_MB
