"""Every call of the facade can be made from another process: its types go there and come back."""

import enum
import random
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from s3dash import errors
from s3dash.attach import calls, values
from s3dash.attach.calls import Call, catalog, fingerprint, happenings, only_looks
from s3dash.attach.facade import Facade
from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Plan
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import Snapshot
from s3dash.engine.api import EngineApi
from s3dash.errors import S3DashError, StoreError, UsageError

CALLS = sorted(catalog())
LISTS = (list, Sequence, Collection)
SETS = (frozenset, set)


def sample(kind: Any, dice: random.Random, depth: int = 0) -> Any:
    """Some value of a type, whatever it is made of."""
    origin, args = get_origin(kind), get_args(kind)
    number = dice.randrange(3) if depth < 4 else 0
    if origin is Literal:
        return dice.choice(args)
    if origin in (typing.Union, UnionType):
        return sample(dice.choice(args), dice, depth + 1)
    if origin is tuple:
        if args[1:] == (...,):
            return tuple(sample(args[0], dice, depth + 1) for _ in range(number))
        return tuple(sample(arg, dice, depth + 1) for arg in args)
    if origin in LISTS:
        return [sample(args[0], dice, depth + 1) for _ in range(number)]
    if origin in SETS:
        return origin(sample(args[0], dice, depth + 1) for _ in range(number))
    if origin in (dict, Mapping):
        return {sample(args[0], dice): sample(args[1], dice, depth + 1) for _ in range(number)}
    return _plain(kind, dice, depth)


def _plain(kind: Any, dice: random.Random, depth: int) -> Any:
    simple: dict[Any, Callable[[], Any]] = {
        NoneType: lambda: None,
        bool: lambda: dice.random() < 0.5,
        int: lambda: dice.randrange(-(2**40), 2**40),
        float: lambda: dice.random() * 1e6,
        str: lambda: "".join(dice.choices("aß/ \u202e\x1b", k=dice.randrange(6))),
        bytes: lambda: dice.randbytes(dice.randrange(6)),
        Any: lambda: "anything",
        Path: lambda: Path("/srv") / str(dice.randrange(9)),
    }
    if kind in simple:
        return simple[kind]()
    if issubclass(kind, enum.Enum):
        return dice.choice([*kind])
    if is_dataclass(kind) or issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        names = [f.name for f in fields(kind)] if is_dataclass(kind) else kind.__struct_fields__
        make: Any = kind
        return make(**{name: sample(hints[name], dice, depth + 1) for name in names})
    raise AssertionError(f"a {kind} cannot be sent to another process; see core/ for what can")


def there_and_back(value: Any, kind: Any) -> Any:
    return values.unpacked(values.packed_exactly(value), kind)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_round_trips_its_types(name: str) -> None:
    call = catalog()[name]
    for seed in range(20):
        dice = random.Random(seed)
        given = {n: sample(kind, dice) for n, kind in call.takes.items()}
        for argument, value in given.items():
            assert there_and_back(value, call.takes[argument]) == value, (seed, argument)
        if call.gives is not NoneType:
            answer = sample(call.gives, dice)
            assert there_and_back(answer, call.gives) == answer, seed


@pytest.mark.parametrize("kind", [Snapshot, Datastore, *happenings().values()])
def test_snapshots_settings_and_events_round_trip(kind: Any) -> None:
    for seed in range(50):
        value = sample(kind, random.Random(seed))
        assert there_and_back(value, kind) == value, seed


def test_the_catalog_has_all_of_the_facade_and_of_its_parts() -> None:
    public = {name for name in vars(EngineApi) if not name.startswith("_")}
    assert public - calls.HERE == {name.partition(".")[0] for name in catalog()}
    assert {"push", "transfers.pause", "census.look", "decided.undo"} <= catalog().keys()
    assert catalog()["transfers.limits"].is_value
    assert catalog()["push"].cancellable
    assert "cancel" not in catalog()["push"].takes
    assert catalog()["pull"].takes["dry_run"] is bool


def test_what_looks_is_there_and_what_writes_is_no_look() -> None:
    assert catalog().keys() >= calls.LOOKS | calls.ALONE
    assert not calls.LOOKS & calls.ALONE
    for name in ("push", "run", "resolve", "drop_trash", "release_lock", "transfers.cancel"):
        assert not only_looks(name, {})
    assert only_looks("pull", {"dry_run": True})
    assert not only_looks("resolve", {"dry_run": True})
    assert only_looks("index_care.repair", {"dry_run": True})
    assert not only_looks("index_care.repair", {})
    assert not only_looks("what.came.later", {"dry_run": True})


def test_the_fingerprint_is_another_when_a_call_or_a_field_is() -> None:
    class One(typing.Protocol):
        def look(self, path: str) -> int: ...

    class Other(typing.Protocol):
        def look(self, path: bytes) -> int: ...

    assert calls._word(catalog(One)["look"].takes["path"], set()) != calls._word(
        catalog(Other)["look"].takes["path"], set()
    )
    assert "models" in calls._word(Plan, set())
    assert len(fingerprint()) == 32


class Told(Facade):
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], CancelToken | None]] = []

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        given, cancel = call.arguments(args, options)
        self.asked.append((call.name, given, cancel))


def test_a_facade_takes_arguments_as_the_functions_do() -> None:
    told, token = Told(), CancelToken()
    facade: Any = told
    facade.push(("a",), dry_run=True, cancel=token)
    facade.transfers.allow(up=3)
    facade.resolve("a", take="local")
    pause = facade.transfers.pause
    pause([1])
    assert told.asked == [
        ("push", {"selection": ("a",), "dry_run": True}, token),
        ("transfers.allow", {"up": 3}, None),
        ("resolve", {"path": "a", "take": "local"}, None),
        ("transfers.pause", {"ids": [1]}, None),
    ]
    with pytest.raises(TypeError):
        facade.resolve()
    with pytest.raises(TypeError):
        facade.transfers.pause(1, 2)
    with pytest.raises(AttributeError):
        _ = facade.nothing
    with pytest.raises(AttributeError):
        _ = facade.transfers.nothing


ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, S3DashError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_comes_back_as_it_went(kind: type[S3DashError]) -> None:
    error = kind.__new__(kind)
    S3DashError.__init__(error, "what", hint="how", brief="short")
    if isinstance(error, StoreError):
        error.action, error.resource = "s3:GetObject", "bucket/key"
    failure = there_and_back(values.failure_of(error), values.Failure)
    again = values.error_of(failure)
    assert type(again) is kind
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert again.exit_code == kind.exit_code


def test_an_error_that_is_not_known_here_is_a_plain_one() -> None:
    for name in ("Exception", "SomethingNew", "annotations", "ClassVar"):
        again = values.error_of(values.Failure(name, "what"))
        assert type(again) is S3DashError


def test_names_that_are_no_text_are_told_as_well_as_can_be_and_never_taken() -> None:
    plan = Plan("push", (), {"a\udcff": "no text"})
    assert values.unpacked(values.packed(plan), Plan).blocked == {"a?": "no text"}
    with pytest.raises(UsageError, match="no text"):
        values.packed_exactly(["a\udcff"])


def test_what_cannot_be_sent_is_said_so() -> None:
    for value in (print, CancelToken()):
        with pytest.raises(UsageError, match="cannot be sent"):
            values.packed_exactly(value)
    assert values.unpacked(values.packed_exactly({"b": 1}.keys()), list[str]) == ["b"]
