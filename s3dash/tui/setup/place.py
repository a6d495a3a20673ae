"""The steps of the first run from the prefix on: namespace, cache, locks, and the file."""

from pathlib import Path

from msgspec.structs import replace

from s3dash.engine.first_look import Finding
from s3dash.errors import ConfigError
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.setup.known import Answer, Known, Scout
from s3dash.tui.setup.step import Choice, Field, Step, seen, text

ROOT = "/"
SOLO = "/solo"
"""No name of a namespace."""


class Place(Step):
    title = "Prefix"
    asking = "looking for a datastore …"

    def about(self, known: Known) -> list[Cell]:
        return [
            *seen(known),
            *text("What stands before every key? Several datastores can share a bucket."),
        ]

    def fields(self, known: Known) -> tuple[Field, ...]:
        return (Field("prefix", "prefix", known.draft.prefix, "none, or like team/prod"),)

    def choices(self, known: Known) -> tuple[Choice, ...]:
        root = known.found.sentence if known.found else ""
        return (
            *(Choice(name, f"{name}/", "a datastore") for name in known.places),
            Choice(ROOT, "no prefix", root),
        )

    def take(self, known: Known) -> Known:
        prefix = known.given["prefix"] if not known.choice else known.choice.strip(ROOT)
        return known.drafted(prefix=prefix.strip("/"), namespace="", name="", cache="")

    def look(self, scout: Scout, known: Known) -> Known:
        found = scout.place(known.draft)
        where = f"{known.draft.prefix}/" if known.draft.prefix else "the whole bucket"
        finding = Finding("datastore", True, f"{where}: {found.sentence}")
        return replace(known.saw(finding), found=found)

    def following(self, known: Known) -> Step:
        return Namespace() if known.found and known.found.namespaces else Here()


class Namespace(Step):
    title = "Namespace"
    asking = Place.asking

    def about(self, known: Known) -> list[Cell]:
        return [*seen(known), *text("This datastore has namespaces. Which one is yours?")]

    def choices(self, known: Known) -> tuple[Choice, ...]:
        names = known.found.namespaces if known.found else ()
        return (
            *(Choice(name, name) for name in names),
            Choice(SOLO, "none of them", "what lies beside the namespaces"),
        )

    def take(self, known: Known) -> Known:
        return known.drafted(namespace="" if known.choice == SOLO else known.choice)

    def look(self, scout: Scout, known: Known) -> Known:
        found = scout.place(known.draft)
        where = known.draft.namespace or "beside the namespaces"
        return known.saw(Finding("datastore", True, f"{where}: {found.sentence}"))

    def following(self, _known: Known) -> Step:
        return Here()


class Here(Step):
    title = "On this machine"
    asking = "looking at the directory …"

    def about(self, _known: Known) -> list[Cell]:
        return text("A name for it, and the directory that its files are kept in.")

    def fields(self, known: Known) -> tuple[Field, ...]:
        draft = known.draft
        return (
            Field("name", "name", draft.given_name),
            Field("cache", "directory", draft.cache or f"~/datastores/{draft.given_name}"),
        )

    def take(self, known: Known) -> Known:
        if not known.given["name"] or not known.given["cache"]:
            raise ConfigError("both are needed")
        if not known.given["cache"].startswith(("/", "~", "$HOME", "${HOME}")):
            raise ConfigError("the directory: a full path, or one that starts with ~")
        return known.drafted(name=known.given["name"], cache=known.given["cache"])

    def look(self, scout: Scout, known: Known) -> Known:
        finding = scout.cache(known.draft)
        changes = scout.changes(known.draft)
        return replace(known.saw(finding), changes=changes)

    def following(self, _known: Known) -> Step:
        return Locks()


class Locks(Step):
    title = "Locks"
    asking = "some 40 requests …"

    def about(self, known: Known) -> list[Cell]:
        return [
            *seen(known),
            *text(
                "Whether locks there can be trusted is proved by trying: small objects below "
                "_control/s3dash/probe/ are written, and deleted again.",
            ),
        ]

    def choices(self, _known: Known) -> tuple[Choice, ...]:
        return (
            Choice("prove", "Prove it now", "some seconds"),
            Choice("later", "Later", "the first push proves it, and is refused where it fails"),
        )

    def look(self, scout: Scout, known: Known) -> Known:
        if known.choice == "later":
            return known.saw(Finding("locks", True, "to be proved by the first push"))
        return known.saw(scout.locks(known.draft))

    def following(self, _known: Known) -> Step:
        return Write()


class Write(Step):
    title = "The file"
    read = True
    writes = True
    asking = "writing …"

    def about(self, known: Known) -> list[Cell]:
        shown = known.changes[0].after if known.changes else ""
        return [
            *seen(known),
            one(""),
            *[one(safe(line), "dim" if line.startswith("#") else "") for line in shown.split("\n")],
        ]

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                str(change.path),
                "Write it for you" if number == 0 else "Write it for this directory",
                str(change.path),
            )
            for number, change in enumerate(known.changes)
        )

    def look(self, _scout: Scout, known: Known) -> Known:
        next(change for change in known.changes if str(change.path) == known.choice).write()
        return known

    def following(self, known: Known) -> Answer:
        return Answer("dashboard", Path(known.choice))
