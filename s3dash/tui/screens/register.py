"""Registering a namespace: its name, and the repository that it is to belong to."""

from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.clock import Clock
from s3dash.core import paths
from s3dash.core.partitions import PEER_TOPS
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block

PROMISE = "one small object, written only if nobody was first"


class Wanted(NamedTuple):
    """What is to be registered, and for which repository."""

    namespace: str
    repo_id: str


class RegisterScreen(Modal[Wanted]):
    """Answers with what is to be registered. The bucket decides: the first one wins."""

    AUTO_FOCUS = "#register-name"

    def __init__(
        self,
        datastore: str,
        name: str,
        owner: str,
        *,
        clock: Clock,
        title: str = "",
        promise: str = PROMISE,
    ) -> None:
        super().__init__()
        self._title = safe(title or f"register a namespace of {datastore}")
        self._promise = safe(promise)
        self._guard = KeyGuard(clock)
        self._slug = Input(safe(name), placeholder="namespace", id="register-name", compact=True)
        self._repo = Input(
            safe(owner), placeholder="repoId of .swamp.yaml", id="register-owner", compact=True
        )
        self._text = Block(lambda _: self._paint(), id="register-text")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content(self._title)
            yield Block(lambda _: [one("namespace", "dim")], id="register-first")
            yield self._slug
            yield Block(lambda _: [one("repository", "dim")], id="register-second")
            yield self._repo
            yield self._text

    def on_mount(self) -> None:
        if self._slug.value:
            self._repo.focus()

    def _wanted(self) -> Wanted:
        return Wanted(self._slug.value.strip(), self._repo.value.strip())

    def _paint(self) -> list[Cell]:
        wrong = problem(self._wanted())
        told = one(f"✖ {wrong}", "bad") if wrong else one(self._promise, "dim")
        return [one(""), told, one(""), _HINT]

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._text.poke()

    @on(Input.Submitted, "#register-name")
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        self._repo.focus()

    @on(Input.Submitted, "#register-owner")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        wanted = self._wanted()
        if self._guard.passes() and not problem(wanted):
            self.dismiss(wanted)


def problem(wanted: Wanted) -> str:
    """Why this cannot be registered, or empty."""
    if not wanted.namespace:
        return "a namespace needs a name"
    if not paths.is_namespace(wanted.namespace):
        return "a name is one segment of letters, digits, '.', '_' and '-'"
    if wanted.namespace in PEER_TOPS:
        return f"{wanted.namespace} is a directory of every datastore"
    return "" if wanted.repo_id else "whose is it? The repoId of the repository's .swamp.yaml"


_HINT: Cell = (
    ("enter", "key"), (" takes it   ", "dim"), ("tab", "key"), (" the other line   ", "dim"),
    ("esc", "key"), (" leaves it", "dim"),
)  # fmt: skip
