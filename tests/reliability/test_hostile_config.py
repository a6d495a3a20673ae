"""Whatever stands in a configuration: an error that names the place; no crash, hang or secret."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from s3dash.config.credentials import CredentialRefs, resolve, warnings
from s3dash.config.load import Loaded, describe, load
from s3dash.engine.open import open_engine
from s3dash.errors import ConfigError, LocalError, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.opening import open_store
from tests.reliability.mutate import NAMES, Mutator
from tests.tally import Effort

CANARY = "c4n4ry/s3cr3t+wJalrXUtnFEMI"
TOML = f"""
[defaults]
region = "eu-central-1"
pull_concurrency = 50

[datastores.team]
bucket = "team-datastore"
prefix = "prod/x"
endpoint = "http://127.0.0.1:9000"
force_path_style = true
cache = "~/.cache/team"
namespace = "infra"
exclude = ["*.tmp", "/build/"]
bandwidth_limit = "10MiB/s"
poll_interval_s = 2.5
conflict = "keep-both"
credentials = {{ access_key_id = "env:KEY", secret_access_key = "file:key" }}

[datastores.other]
bucket = "other"
profile = "me"
secret_access_key = "{CANARY}"
"""
YAML = f"""
repoId: 0b6f5b2e
datastore:
  type: "@swamp/s3-datastore"
  config: {{bucket: team-datastore, prefix: prod/, region: eu-west-1, endpoint: "http://127.0.0.1:9000"}}
  exclude: ["*.tmp"]
  namespace: infra
  secretAccessKey: {CANARY}
"""
PARTS = (
    b"[", b"]", b"{", b"}", b'"', b"'", b'"""', b"=", b"\n", b"\t", b"#", b"&a ", b"*a",
    b"<<: *a", b"!!python/name:os.system ",
    b"!!int ", b"!!timestamp ", b"!!binary ", b"!!set ", b"!!float ", b"!!bool ", b"? ", b"- ",
    b"|\n", b"%YAML 9.9\n---\n",
    b"---\n", b"...\n", b"0x" + b"f" * 5000, b"9" * 5000, b"1e999", b"nan", b"-inf",
    b"2001-99-99", b"07:32:00", b"1979-05-27T07:32:00Z",
    b"\\ud800", b"\\u0000", b"\xff", b"\xef\xbb\xbf", b"\x00", b"\x1b[31m", b"null", b"~",
    b"true", b"-1", b"0", b"100000000000000000000",
    b"http://user:" + CANARY.encode() + b"@host/", b"http://[::1", b"ftp://x", b"s3:x", b"env:",
    b"file:/dev/zero", b"[" * 3000,
    b"a." * 3000, b"[[datastores.team]]\n", b"[datastores]\n", b"x" * 100_000,
)  # fmt: skip


def read(base: Path, environ: Mapping[str, str]) -> Loaded:
    return load(
        config=None,
        datastore=None,
        namespace=None,
        environ={"HOME": str(base), **environ},
        cwd=base,
        state_home=base / "state",
    )


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came from, also what is not shown."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in seen:
            seen.append(one)
            todo += [one.__cause__, one.__context__]
    yield from seen


def shows(error: BaseException) -> str:
    """All that an error carries, for a look at what must not be in it."""
    return "\n".join(f"{one!r} {one} {one.args!r} {vars(one)!r}" for one in chain(error))


def references(loaded: Loaded) -> list[dict[str, str]]:
    return [found["credentials"] for found in describe(loaded)["datastores"].values()]


def is_reference(text: str) -> bool:
    return text.startswith(("env:", "file:", "keychain:"))


def made_a_name(text: bytes) -> bool:
    lines = [line for line in text.splitlines() if CANARY.encode() in line]
    return any(line.lstrip().startswith(b"[") or b"file:" in line for line in lines)


def attempt(base: Path, environ: Mapping[str, str], *, connect: bool, is_name: bool) -> None:
    """Load it and use it as a command does; any error must be one of ours, without the secret.

    `is_name`: a splice made the secret the name of a table or a file, and names are told.
    """
    began = time.process_time()
    refused = ""
    try:
        loaded = read(base, environ)
        assert all(is_reference(r) for d in references(loaded) for r in d.values())
        for refs in loaded.credentials.values():
            assert all(isinstance(line, str) for line in warnings(refs, environ))
        credentials = resolve(loaded.credentials[loaded.pick().name], environ)
        if connect:
            open_store(loaded.pick(), credentials).close()
    except S3DashError as error:
        refused = shows(error)
    assert is_name or CANARY not in refused
    assert time.process_time() - began < 4


def test_no_configuration_breaks_the_loader(effort: Effort, tmp_path: Path) -> None:
    dice = effort.dice()
    good = [TOML.encode(), YAML.encode()]
    mutator = Mutator(dice, good, tokens=PARTS)
    section = {"bucket": "team-datastore", "prefix": "p", "exclude": ["a"], "pullConcurrency": 5}
    (tmp_path / "key").write_text(CANARY)
    tries = effort.pick(250, 20_000)
    for number in range(tries):
        toml, environ = dice.random() < 0.5, {"KEY": CANARY}
        text = mutator.of(good[0] if toml else good[1])
        (tmp_path / ("s3dash.toml" if toml else ".swamp.yaml")).write_bytes(text)
        if dice.random() < 0.1:
            raw = mutator.of(json.dumps(section).encode()).decode(errors="surrogateescape")
            environ["SWAMP_DATASTORE"] = "s3:" + raw.replace("\0", "")
        if dice.random() < 0.1:
            environ["SWAMP_S3_REQUEST_TIMEOUT_MS"] = dice.choice(NAMES)
        try:
            attempt(tmp_path, environ, connect=number % 25 == 0, is_name=made_a_name(text))
        except Exception as error:
            error.add_note(f"seed {effort.seed}, input {number}: {environ!r}\n{text[:3000]!r}")
            raise
        (tmp_path / "s3dash.toml").unlink(missing_ok=True)
        (tmp_path / ".swamp.yaml").unlink(missing_ok=True)
    effort.count("inputs tried", tries)


BUCKET = '[datastores.a]\nbucket = "abc"\n'
PLACE = "s3dash.toml: [datastores.a]: "


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("pull_concurrency = " + "9" * 5000, "s3dash.toml: a number is too long"),
        ("pull_concurrency = 0x" + "f" * 5000, PLACE + "pull_concurrency: must be from 1 to 1000"),
        (f'bandwidth_limit = "{"9" * 400}"', PLACE + "bandwidth_limit: must be a number of bytes"),
        ("poll_interval_s = nan", PLACE + "poll_interval_s: must be"),
        ("poll_interval_s = 1" + "0" * 400, PLACE + "poll_interval_s: must be"),
        ('cache = "a\\u0000b"', PLACE + "cache: must not be empty or hold control characters"),
        ('cache = "\\ud800"', "s3dash.toml: line 3, column 16: "),
        ('endpoint = "http://x:99999999"', PLACE + "endpoint: must be a URL"),
        ('endpoint = "http://\\u2100.com"', PLACE + "endpoint: must be a URL"),
        ("exclude = " + "[" * 100_000, "s3dash.toml: nested too deeply"),
        ("a." * 100_000 + "b = 1", "s3dash.toml: nested too deeply"),
        ("#" + "x" * (1 << 20), "s3dash.toml: longer than 1,048,576 bytes"),
        ("\n".join(f"k{n} = 1" for n in range(3000)), "… and 2900 more"),
    ],
)
def test_an_odd_toml_is_told_with_field_and_table(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "s3dash.toml").write_text(BUCKET + line)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, {})
    assert told in caught.value.message


def nine(line: str) -> str:
    """A value that doubles nine times over, nine times."""
    names = "abcdefghij"
    steps = pairwise(names)
    return "".join(line.format(one=one, refs=", ".join([f"*{low}"] * 9)) for low, one in steps)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + nine("{one}: &{one} [{refs}]\n")
MERGES = "a: &a {x: 1, y: 2}\n" + nine("{one}: &{one} {{<<: [{refs}]}}\n")
STORE = "datastore: {type: s3, bucket: abc}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB + "repoId: *j\n" + STORE, "repoId: missing, or no plain name"),
        (BOMB + "repoId: r\ndatastore: {type: *j}\n", "datastore.type: is not"),
        (BOMB + "repoId: r\ndatastore: {type: s3, bucket: *j}\n", "datastore: bucket: must be"),
        (BOMB + "repoId: r\ndatastore: {type: s3, bucket: abc, exclude: *j}", "exclude.0: must be"),
        ("repoId: &a [*a]\n" + STORE, "repoId: missing, or no plain name"),
        (MERGES + "repoId: r\n" + STORE, "this is no YAML"),
        ("repoId: 0x" + "f" * 5000 + "\n" + STORE, "this is no YAML"),
        ("repoId: " + "9" * 5000 + "\n" + STORE, "this is no YAML"),
        ("repoId: true\n" + STORE, "repoId: missing, or no plain name"),
        *(
            (f"x: {odd}\nrepoId: r\n" + STORE, "this is no YAML")
            for odd in (
                '!!int ""', "!!bool maybe", "!!timestamp x", '!!float ""', "!!str [a]",
    "2001-99-99",
                '!!python/object/apply:os.system ["true"]', "!!python/name:os.system",
    "? {a: b} : c",
                "!!merge x", "!!omap [1]", "!own x", "[" * 20_000,
            )
        ),
        ("#" * (256 * 1024) + "\n", ".swamp.yaml: longer than 262,144 bytes"),
        ("\ufeff" + "- a", ".swamp.yaml: this is no mapping"),
    ],
)  # fmt: skip
def test_an_odd_yaml_is_told_and_costs_little(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / ".swamp.yaml").write_text(text)
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, {})
    assert told in caught.value.message
    assert time.process_time() - began < 3


@pytest.mark.parametrize("name", ["directory", "fifo", "loop", "x" * 5000, "/dev/zero", "nul\0"])
def test_a_config_that_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    odd_files(tmp_path)
    with pytest.raises(ConfigError, match="there is no such file"):
        read(tmp_path, {"S3DASH_CONFIG": name})


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("file:fifo", "this is no regular file"),
        ("file:directory", "Is a directory"),
        ("file:/dev/zero", "this is no regular file"),
        ("file:loop", "Too many levels of symbolic links"),
        ("file:huge", "this file is too long for a secret"),
        ("file:" + "x" * 5000, "File name too long"),
        ("file:a\0b", "cannot be the name of a file"),
        ("file:binary", "this file is no text"),
        ("file:lines", "holds more than one line, or control characters"),
        ("file:/proc/self/mem", "Input/output error"),
        ("env:NOT=SET", "this variable is not set, or empty"),
        ("env:\udcff", "this variable is not set, or empty"),
        ("env:ESC", "holds more than one line, or control characters"),
        ("keychain:no/thing", "the keychain has no such entry"),
        ("gopher:x", "no reference of a known kind"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_and_waits_for_nothing(
    tmp_path: Path, reference: str, why: str
) -> None:
    odd_files(tmp_path)
    refs = CredentialRefs(
        where=PLACE, base=tmp_path, access_key_id=reference, secret_access_key="env:SECRET"
    )
    environ = {"SECRET": CANARY, "ESC": CANARY + "\x1b[31m", "HOME": str(tmp_path)}
    with pytest.raises(ConfigError) as caught:
        resolve(refs, environ, keychain=lambda service, account: None)
    assert caught.value.message == f"{PLACE}: credentials.access_key_id: {reference}: {why}"
    assert CANARY not in shows(caught.value)


def odd_files(base: Path) -> None:
    """What may stand where a file is expected. The huge one takes no room."""
    (base / "directory").mkdir()
    os.mkfifo(base / "fifo")
    (base / "loop").symlink_to("loop")
    (base / "binary").write_bytes(CANARY.encode() + b"\xff")
    (base / "lines").write_text(f"{CANARY}\n{CANARY}\n")
    with (base / "huge").open("wb") as huge:
        huge.truncate(1 << 40)


def test_a_cache_in_a_circle_of_links_is_told_when_it_is_used(tmp_path: Path) -> None:
    odd_files(tmp_path)
    (tmp_path / "s3dash.toml").write_text(BUCKET + 'cache = "loop"')
    engine = open_engine(read(tmp_path, {}).pick(), store=MemoryStore(MemoryBucket()))
    try:
        with pytest.raises(LocalError, match="loop"):
            engine.pull()
    finally:
        engine.stop()
