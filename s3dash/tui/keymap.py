"""The keys as the user wants them: from the table `[screen].keys` to Textual's keymap.

All of it is taken or nothing: a keymap with a problem would leave commands without a key.
"""

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import msgspec
from textual.binding import Binding
from textual.keys import KEY_TO_UNICODE_NAME, Keys

from s3dash.core.screen import Keys as Wanted
from s3dash.tui import keys
from s3dash.tui.keytable.key import Key

UNBOUND = "unbound-"
"""What starts the name of a key that no keyboard has: a command without a key keeps its entry in
palette and help."""

ALWAYS = {"quit.now": ("ctrl+c",)}
"""Keys that a command never loses: whatever the table says, quitting stays possible."""
NEEDED = ("modal.cancel", "filter.discard")
"""Commands that must keep a key: without it there is no way back."""

SYNONYMS = {
    "esc": "escape", "return": "enter", "pgdn": "pagedown", "pgup": "pageup", "del": "delete",
    "ins": "insert", ",": "comma", " ": "space", "spacebar": "space",
}  # fmt: skip
ARRIVES_AS = {"ctrl+h": "backspace", "ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape"}
TAKEN = {"ctrl+a": "screen takes it", "ctrl+b": "tmux takes it"}
MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
CARELESS = ("enter", "space", "escape")
"""Keys that must not confirm: they are pressed without a look, or held down. Nor do they with
shift or ctrl: most terminals send the bare key for those."""
STOPPING = ("leave.stop", "leave.detach", "reload.stop")
"""What ends running work is a confirmation, too."""

_NAMES = frozenset(key.value for key in Keys if "<" not in key.value) | frozenset(
    KEY_TO_UNICODE_NAME
)


class Keymap(msgspec.Struct, frozen=True):
    """`bindings` is what Textual takes, by command; with `problems` it is empty.

    `warnings` are no reason to refuse it.
    """

    bindings: Mapping[str, str]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


BUILT_IN = Keymap({})


def keymap(wanted: Mapping[str, Wanted]) -> Keymap:
    """What the user wants as a keymap, with all that stands against it."""
    if not wanted:
        return BUILT_IN
    problems: list[str] = []
    warnings: list[str] = []
    taken: dict[str, tuple[str, ...]] = {}
    for name, given in wanted.items():
        wrong = _command_problem(name)
        found = () if wrong else tuple(_read(name, given, problems, warnings))
        if wrong:
            problems.append(wrong)
        else:
            taken[name] = (*found, *(k for k in ALWAYS.get(name, ()) if k not in found))
    effective = {key.name: taken.get(key.name, tuple(built_in(key))) for key in keys.ALL}
    problems += _clashes(effective, taken)
    warnings += _hidden(effective, taken)
    if problems:
        return Keymap({}, tuple(problems), tuple(warnings))
    told = {name: ",".join(found) or UNBOUND + name for name, found in taken.items()}
    return Keymap(told, (), tuple(warnings))


def built_in(key: Key) -> list[str]:
    """The keys of the table, by Textual's names."""
    return [name(one) for one in key.keys.split(",")]


def name(key: str) -> str:
    """A key by Textual's name for it: `?` is `question_mark`, `shift+x` is `X`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    lower = [modifier.strip().lower() for modifier in modifiers]
    if len(last) == 1 and last.isalpha():
        if lower == ["shift"]:
            return last.upper()
        last = last.lower() if "ctrl" in lower else last
    elif len(last) > 1:
        last = last.strip().lower()
    last = SYNONYMS.get(last, last)
    if not lower and len(last) == 1:
        return next(iter(Binding.make_bindings([Binding(last, "")]))).key
    return "+".join([*lower, last])


# --- one entry ------------------------------------------------------------------------------


def _command_problem(command: str) -> str:
    if command in keys.BY_NAME:
        return ""
    near = difflib.get_close_matches(command, keys.BY_NAME, n=1)
    return f"[screen]: keys: {command}: no such command" + (
        f"; did you mean {near[0]}?" if near else "; `?` in the screen shows them"
    )


def _read(command: str, given: Wanted, problems: list[str], warnings: list[str]) -> Iterator[str]:
    """The keys that can be taken; what is wrong with the others goes to `problems`."""
    place = f"[screen]: keys: {command}"
    if not given and command in NEEDED:
        problems.append(f"{place}: must keep a key, or there is no way back")
    for text in dict.fromkeys(given):
        key = name(text)
        wrong = _key_problem(command, key)
        if wrong:
            problems.append(f"{place}: {text}: {wrong}")
            continue
        if key in TAKEN:
            warnings.append(f"{place}: {text}: {TAKEN[key]} before it arrives here")
        yield key


def _key_problem(command: str, key: str) -> str:
    if key in ARRIVES_AS:
        return f"arrives as {ARRIVES_AS[key]} on a terminal"
    if not is_known(key):
        return "no such key"
    if key in ALWAYS["quit.now"] and command != "quit.now":
        return "always quits"
    if _confirms(command) and key.rpartition("+")[2] in CARELESS:
        return "must not confirm: it is pressed too easily"
    if _is_typed(key) and (keys.BY_NAME[command].priority or command.startswith("filter.")):
        return "is typed as text there; take one with ctrl, or f1 to f12"
    return ""


def _confirms(command: str) -> bool:
    return command.endswith(".confirm") or command in STOPPING


def is_known(key: str) -> bool:
    """Whether Textual may ever report this key."""
    *modifiers, last = key.split("+")
    if not all(modifier in MODIFIERS for modifier in modifiers):
        return False
    return len(last) == 1 or last in _NAMES or _is_character(last)


def _is_character(key: str) -> bool:
    """Whether the name is that of a character, like `question_mark`, that can be seen."""
    try:
        found = unicodedata.lookup(KEY_TO_UNICODE_NAME.get(key, key.replace("_", " ").upper()))
    except KeyError:
        return key in ("slash", "backslash", "at", "minus", "plus", "underscore")
    return found.isprintable()


def _is_typed(key: str) -> bool:
    return "+" not in key and (len(key) == 1 or key == "space" or _is_character(key))


# --- all together ---------------------------------------------------------------------------


Place = tuple[str, tuple[str, ...]]
"""Where commands meet, and their names."""


def bound(owner: type) -> tuple[str, ...]:
    """The commands that a widget or screen binds, its own first."""
    found = [
        binding.id
        for base in owner.__mro__
        for binding in base.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.id in keys.BY_NAME
    ]
    return tuple(dict.fromkeys(filter(None, found)))


def _heirs(owner: type[Any]) -> Iterator[type[Any]]:
    """All classes of ours that are made from this one."""
    for heir in owner.__subclasses__():
        if heir.__module__.startswith("s3dash."):
            yield heir
        yield from _heirs(heir)


@cache
def views() -> tuple[Place, ...]:
    """Each view with the commands of its own."""
    import s3dash.tui.panes.all  # noqa: F401 - all of them  # late: panes take their keys from here
    from s3dash.tui.widgets.list_pane import ListPane

    found = [(pane.__name__.removesuffix("Pane"), bound(pane)) for pane in _heirs(ListPane)]
    return tuple((title, own) for title, own in found if own)


@cache
def places() -> tuple[Place, ...]:
    """Where every command needs a key of its own."""
    from s3dash.tui.app import DashApp  # late: the application takes its keys from here
    from s3dash.tui.screens.main import MainScreen
    from s3dash.tui.screens.modal import Modal
    from s3dash.tui.widgets.mark_list import MarkList

    always, rows = bound(DashApp), bound(MarkList)
    return (
        ("every view", (*rows, *bound(MainScreen), *always)),
        *((title, (*rows, *own, *always)) for title, own in views()),
        *(
            (f"the dialog {heir.__name__.removesuffix('Screen').lower()}", (*bound(heir), *always))
            for heir in _heirs(Modal)
        ),
    )


def _clashes(effective: Mapping[str, Sequence[str]], taken: Mapping[str, object]) -> list[str]:
    found: dict[tuple[str, str, str], str] = {}
    for place, names in places():
        for one, other in combinations(dict.fromkeys(names), 2):
            for key in _shared(one, other, effective, taken):
                found.setdefault((key, one, other), place)
    return [
        f"[screen]: keys: {key}: both {one} and {other} in {place}"
        for (key, one, other), place in found.items()
    ]


def _hidden(effective: Mapping[str, Sequence[str]], taken: Mapping[str, object]) -> list[str]:
    """A view's own key over one that works everywhere: allowed, as in the built-in table."""
    everywhere = [key.name for key in (*keys.GLOBAL, *keys.VIEWS)]
    return [
        f"[screen]: keys: {key}: {one} hides {other} in {title}"
        for title, own in views()
        for one in own
        for other in everywhere
        for key in _shared(one, other, effective, taken)
    ]


def _shared(
    one: str, other: str, effective: Mapping[str, Sequence[str]], taken: Mapping[str, object]
) -> list[str]:
    """Keys of both, unless the built-in table has them so."""
    if one not in taken and other not in taken:
        return []
    before = set(built_in(keys.BY_NAME[one])) & set(built_in(keys.BY_NAME[other]))
    return [key for key in effective[one] if key in effective[other] and key not in before]
