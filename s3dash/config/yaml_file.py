"""Reading a YAML that others wrote: plain data only, in bounded time and memory.

What PyYAML builds by itself is not enough of a bound: merge keys multiply, aliases make one
value stand a billion times, and explicit tags on odd values fail in ways of their own.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from s3dash.errors import ConfigError

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 256 * 1024
"""PyYAML takes about a second for it."""

_MAX_NUMBER = 32
"""Characters of a number; longer ones cannot even be printed."""

_FAILURES = (
    ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What the constructors raise on `!!bool maybe`, `!!int ""`, `!!timestamp x` and their like."""


@cache
def _loader() -> "type[yaml.SafeLoader]":
    """The safe loader without merge keys, which multiply, and without endless numbers."""
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                raise yaml.constructor.ConstructorError(None, None, "merge keys", node.start_mark)

        def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
            if len(str(node.value)) > _MAX_NUMBER:
                raise yaml.constructor.ConstructorError(None, None, "long number", node.start_mark)
            return int(super().construct_yaml_int(node))

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader


def parse(raw: bytes, *, where: str) -> dict[str, Any]:
    """The mapping in `raw`. Raises ConfigError, which names `where` and quotes nothing.

    An alias may make a value contain itself, or be huge when it is written out: look only at
    what you know the type of.
    """
    document, problem = _load(raw)
    if problem is not None:
        raise ConfigError(f"{where}{problem}: this is no YAML")
    if not isinstance(document, dict):
        raise ConfigError(f"{where}: this is no mapping")
    return document


def _load(raw: bytes) -> tuple[object, str | None]:
    """What `raw` holds, or where it goes wrong. The parser's own error quotes it: it ends here."""
    import yaml

    try:
        return yaml.load(raw, Loader=_loader()), None  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, *_FAILURES) as error:
        mark = getattr(error, "problem_mark", None)
        return None, f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
