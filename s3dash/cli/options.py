"""The options that every command knows, wherever on the command line they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s3dash.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user said before any command. Names as in `s3dash --help`."""

    config: Path | None = None
    datastore: str | None = None
    namespace: str | None = None
    as_json: bool = False
    no_color: bool = False
    verbose: bool = False
    readonly: bool = False
    accessible: bool = False
    no_mouse: bool = False

    def arguments(self) -> list[str]:
        """The same options for another run, without those of one answer alone (JSON, verbose)."""
        flags = ("no_color", "readonly", "accessible", "no_mouse")
        valued = {"config": self.config, "datastore": self.datastore, "namespace": self.namespace}
        return [
            *(f"--{name.replace('_', '-')}" for name in flags if getattr(self, name)),
            *(f"--{name}={value}" for name, value in valued.items() if value is not None),
        ]


_FLAGS = frozenset(
    {
        "--json", "--no-color", "-v", "--verbose", "--version",
        "--readonly", "--accessible", "--no-mouse",
    }
)  # fmt: skip
_VALUED = frozenset({"--config", "--datastore", "--namespace"})


def hoist(arguments: Sequence[str]) -> list[str]:
    """The same arguments with the global options first, so that both positions work.

    What follows a `--` is left alone. Raises UsageError for an option that lacks its value.
    """
    front: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for argument in left:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *left]
        elif argument in _FLAGS or (equals and name in _VALUED):
            front.append(argument)
        elif argument in _VALUED:
            front += [argument, _value_of(argument, next(left, None))]
        else:
            rest.append(argument)
    return front + rest


def _value_of(option: str, value: str | None) -> str:
    if value is None:
        raise UsageError(f"{option} needs a value")
    return value


def wants(arguments: Sequence[str], *names: str) -> bool:
    """True when one of these flags is given, before anything that follows a `--`."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return any(argument in names for argument in arguments[:end])
