"""The keys that work now, read from the live bindings of a screen."""

from collections.abc import Callable
from typing import Any, NamedTuple

from textual.binding import ActiveBinding, Binding
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from s3dash.tui import keys
from s3dash.tui.keymap import UNBOUND
from s3dash.tui.widgets.chrome import KeyHint


class Help(NamedTuple):
    """A command as help and palette show it; `why_not` is empty when it can be given.

    `keys` is empty when the user took all keys away; `short` is what the key bar shows.
    """

    name: str
    keys: str
    text: str
    why_not: str
    action: str
    node: DOMNode
    short: str = ""


def live(screen: Screen[Any], why_not: Callable[[str], str]) -> list[Help]:
    """Every command that has a key here, innermost widget first; several keys in one entry."""
    found: dict[str, list[ActiveBinding]] = {}
    for active in screen.active_bindings.values():
        name = active.binding.id
        if name in keys.BY_NAME and active.enabled and _reaches(screen, active):
            found.setdefault(name, []).append(active)
    return [_help(screen, name, group, why_not(name)) for name, group in found.items()]


def _help(screen: Screen[Any], name: str, group: list[ActiveBinding], why_not: str) -> Help:
    bound = [a.binding for a in group if not a.binding.key.startswith(UNBOUND)]
    shown = [screen.app.get_key_display(_plain(binding)) for binding in bound]
    return Help(
        name,
        ", ".join(shown),
        keys.BY_NAME[name].text,
        why_not,
        group[0].binding.action,
        group[0].node,
        short=(bound[0].key_display or shown[0]) if bound else "",
    )


def _reaches(screen: Screen[Any], active: ActiveBinding) -> bool:
    """While text is typed only the keys of the text field mean commands."""
    typing = isinstance(screen.focused, Input)
    return not typing or active.node is screen.focused


def _plain(binding: Binding) -> Binding:
    """Without the short form that the key bar uses: help names each key."""
    return binding.with_key(binding.key)


def key_hints(screen: Screen[Any], why_not: Callable[[str], str]) -> list[KeyHint]:
    """What the key bar shows, in the order of the table; quitting comes last."""
    commands = [h for h in live(screen, why_not) if h.short and keys.BY_NAME[h.name].footer]
    commands.sort(key=lambda h: keys.BY_NAME[h.name].footer)
    return [KeyHint(h.short, h.text, not h.why_not) for h in commands]
