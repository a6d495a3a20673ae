"""Without colours: attributes alone, so that any terminal theme stays readable."""

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter


class PureAttributes(LineFilter):
    """Takes every colour away and leaves bold, dim, underline, strike and reverse."""

    def apply(self, segments: list[Segment], _background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else _bare(style), control)
            for text, style, control in segments
        ]


def _bare(style: Style) -> Style:
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=style.reverse,
    )
