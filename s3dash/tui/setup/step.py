"""What a step of the first run is: some text, fields, choices, and a look at the answer. Pure."""

from abc import ABC, abstractmethod
from typing import ClassVar

import msgspec

from s3dash.tui.cells import Cell, one
from s3dash.tui.format import safe
from s3dash.tui.setup.known import Answer, Known, Scout


class Field(msgspec.Struct, frozen=True):
    """A line to type. `secret`: what is typed might be one, and is hidden unless it cannot be."""

    name: str
    label: str
    value: str = ""
    example: str = ""
    secret: bool = False


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str
    about: str = ""


class Step(ABC):
    """One page. `read` has its text as the main thing: it gets the room that there is.

    The look of one that `writes` is not stopped half way: nobody could say what is there then.
    """

    title: ClassVar[str]
    read: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    asking: ClassVar[str] = ""
    """What is said while `look` takes its time."""

    def about(self, _known: Known) -> list[Cell]:
        return []

    def fields(self, _known: Known) -> tuple[Field, ...]:
        return ()

    def choices(self, _known: Known) -> tuple[Choice, ...]:
        return ()

    def take(self, known: Known) -> Known:
        """What the user says, checked as far as nobody has to be asked.

        Raises ConfigError: it cannot be so.
        """
        return known

    def look(self, _scout: Scout, known: Known) -> Known:
        """Ask whoever knows. Blocks; raises S3DashError with what stands in the way."""
        return known

    @abstractmethod
    def following(self, known: Known) -> "Step | Answer | None":
        """What comes next; None ends the first run with nothing done."""


def seen(known: Known) -> list[Cell]:
    """What was found until here, line by line."""
    return [
        (
            ("✔ " if f.ok else "⚠ ", "good" if f.ok else "warn"),
            (f"{f.name}: ", "dim"),
            (safe(f.detail), "" if f.ok else "warn"),
        )
        for f in known.findings
    ]


def text(*lines: str) -> list[Cell]:
    return [one(line) for line in lines]
