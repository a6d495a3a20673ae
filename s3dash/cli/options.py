"""The options that every command knows, wherever on the command line they stand."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from s3dash.errors import UsageError


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user said before any command. Names as in `s3dash --help`.

    `namespaces` are all that were named, each once, in that order; `namespace` is the first.
    `from_env`: a store of blobs that the environment describes is meant, no configured one.
    """

    config: Path | None = None
    datastore: str | None = None
    namespace: str | None = None
    namespaces: tuple[str, ...] = ()
    as_json: bool = False
    no_color: bool = False
    verbose: bool = False
    readonly: bool = False
    accessible: bool = False
    no_mouse: bool = False
    from_env: bool = False

    def arguments(self) -> list[str]:
        """The same options for another run, without those of one answer alone (JSON, verbose)."""
        flags = ("no_color", "readonly", "accessible", "no_mouse")
        named = ",".join(self.namespaces) or self.namespace
        valued = {"config": self.config, "datastore": self.datastore, "namespace": named}
        return [
            *(f"--{name.replace('_', '-')}" for name in flags if getattr(self, name)),
            *(f"--{name}={value}" for name, value in valued.items() if value is not None),
        ]

    def within(self, namespace: str | None) -> "Options":
        """The same, to work in this one namespace; None: in the one that is configured."""
        return replace(self, namespace=namespace, namespaces=(namespace,) if namespace else ())

    def single(self) -> "Options":
        """The same. Raises UsageError when more than one namespace was named."""
        if len(self.namespaces) > 1:
            raise UsageError(
                f"this works in one namespace at a time, not in {', '.join(self.namespaces)}",
                hint="push, pull, sync, status and `namespaces` take several",
            )
        return self


def names_of(given: Sequence[str]) -> tuple[str, ...]:
    """The namespaces of `--namespace a,b --namespace c`, each once."""
    return tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",")))


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
    front, rest = _parted(arguments)
    return front + rest


def command(arguments: Sequence[str]) -> str:
    """The command that is meant, empty for none. Raises UsageError as `hoist` does."""
    return next(iter(_parted(arguments)[1]), "")


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Global options, and all else."""
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
    return front, rest


def _value_of(option: str, value: str | None) -> str:
    if value is None:
        raise UsageError(f"{option} needs a value")
    return value


def wants(arguments: Sequence[str], *names: str) -> bool:
    """True when one of these flags is given, before anything that follows a `--`."""
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return any(argument in names for argument in arguments[:end])
