"""The floor under all figures: the smallest Textual application there is."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line; `j` changes it, `q` quits."""

    def compose(self) -> ComposeResult:
        yield Static("bare 0", id="line")

    def on_key(self, event: object) -> None:
        key = getattr(event, "key", "")
        if key == "q":
            self.exit()
        elif key == "j":
            self._count = getattr(self, "_count", 0) + 1
            self.query_one("#line", Static).update(f"bare {self._count}")


if __name__ == "__main__":
    Bare().run()
