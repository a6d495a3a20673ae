"""Leaving paths out for good: patterns in the configuration, in force at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s3dash.config.write import Change, add_excludes
from s3dash.core.ignoring import Kind, patterns
from s3dash.errors import S3DashError
from s3dash.tui.format import count
from s3dash.tui.screens.ignore import IgnoreScreen, Offer
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

NO_FILE = "no file holds these settings; in an s3dash.toml it would be: exclude = [{}]"
SWAMP = "{} is not ours to write; its datastore section takes: exclude: [{}]"
KINDS: tuple[tuple[Kind, str, str], ...] = (
    ("path", "this path", "these paths"),
    ("folder", "its folder", "their folders"),
    ("ending", "all of its kind", "all of their kinds"),
)


async def ignore(app: "DashApp", paths: Sequence[str]) -> None:
    """Show what would be written; when the user says so, write it and look again."""
    name, read = app.look.site.name, app.reload
    if read is None:
        app.tell(NO_FILE.format(_example(paths)), level="warning")
        return
    try:
        found = await app.ask(read)
        file = found.path
        if file is None:
            app.tell(SWAMP.format(found.source, _example(paths)), level="warning")
            return
        offers = await app.ask(lambda: offered(file, name, paths))
    except S3DashError as error:
        app.tell(f"nothing is ignored: {error.message}  {error.hint}".rstrip(), level="error")
        return
    what = paths[0] if len(paths) == 1 else count(len(paths), "marked path")
    screen = IgnoreScreen(what, found.source, offers, look=lambda: app.look, clock=app.clock)
    chosen = await (await ask_user(app, screen))
    if chosen is not None:
        await _carry_out(app, file, name, chosen)


def _example(paths: Sequence[str]) -> str:
    return ", ".join(f'"{pattern}"' for pattern in patterns(paths[:3], "path"))


def offered(file: Path, name: str, paths: Sequence[str]) -> list[Offer]:
    """The ways to ignore these paths, each with the change that it is. Blocks."""
    offers = []
    for kind, one, several in KINDS:
        found = patterns(paths, kind)
        if found:
            label = f"{one if len(paths) == 1 else several}: {', '.join(found[:3])}"
            label += f" and {len(found) - 3:,} more" if len(found) > 3 else ""
            offers.append(Offer(label, found, tuple(_change(file, name, found).lines())))
    return offers


def _change(file: Path, name: str, found: Sequence[str]) -> Change:
    return add_excludes(file, name, found)


async def _carry_out(app: "DashApp", file: Path, name: str, chosen: Offer) -> None:
    """Only what was shown is written: a file that changed meanwhile is shown anew next time."""
    try:
        change = await app.ask(lambda: _change(file, name, chosen.patterns))
        if tuple(change.lines()) != chosen.lines:
            app.tell("the file changed meanwhile; nothing was written, try again", level="warning")
            return
        await app.ask(change.write)
        await _take_up(app, name)
    except S3DashError as error:
        app.tell(f"{error.message}  {error.hint}".rstrip(), level="error")
    else:
        ignored = ", ".join(chosen.patterns[:3])
        app.tell(f"ignored from now on: {ignored}; what is in the bucket stays there")


async def _take_up(app: "DashApp", name: str) -> None:
    """The engine is told at once; a reload later finds nothing new in it."""
    if app.reload is None:
        return
    found = await app.ask(app.reload)
    settings = next(s for s in found.datastores if s.name == name)
    names = [site.name for site in app.look.sites]
    engine = app.engine_at(names.index(name))
    await app.ask(lambda: engine.excludes.change(settings.exclude))
    app.configured[name] = settings
    app.poll()
