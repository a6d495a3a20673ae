"""Filtering a long list in slices, so that keys come through between them."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual.widget import Widget

from s3dash.tui.widgets.line_list import LineList

GAP_S = 0.001
PAINT_EVERY = 16


class Slices:
    """Goes on with the filter of a list until nothing is left; `changed` is called on the way."""

    def __init__(self, widget: Widget, found: LineList[Any], changed: Callable[[], None]) -> None:
        self._widget = widget
        self._list = found
        self._changed = changed
        self._going = False
        self._count = 0

    def go_on(self) -> None:
        """Not by Textual's timer: one as short as this is dropped when the machine is busy."""
        if self._list.model.filtering and not self._going:
            self._going = True
            loop = asyncio.get_running_loop()
            loop.call_later(GAP_S, lambda: self._widget.call_next(self._slice))

    def _slice(self) -> None:
        self._going = False
        if self._list.model.filtering and self._list.is_attached:
            self._list.model.filter_some()
            self._count += 1
            if self._count % PAINT_EVERY == 0 or not self._list.model.filtering:
                self._list.reshape()
                self._changed()
            self.go_on()
