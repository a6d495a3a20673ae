"""The keys that lead to the views, and those of each view."""

from s3dash.tui.keytable.key import Key


def _view(number: str, title: str, about: str) -> Key:
    name = title.lower()
    action = f"view('{name}')"
    return Key(name=f"view.{name}", keys=number, action=action, text=title, about=about)


VIEWS = (
    _view("1", "Overview", "every datastore at a glance"),
    _view("2", "Dirty", "what differs from what was synced last"),
    _view("3", "Transfers", "what moves, and what became of it"),
    _view("4", "Locks", "who holds what"),
    _view("5", "Namespaces", "whose they are, and what this machine has of them"),
    _view("6", "Conflicts", "what both sides changed, and what is blocked"),
    _view("7", "Endpoints", "how they answer, and what was proved of them"),
    _view("8", "Explorer", "the bucket as files, keys or blobs"),
    _view("9", "Log", "what happened, line by line"),
)

TRANSFERS = (
    Key(
        name="transfers.pause",
        keys="t",
        action="pause",
        text="pause, resume",
        footer=11,
        about="let the row, or the marked ones, stand still, or go on where they were",
    ),
    Key(
        name="transfers.pause-all",
        keys="T",
        action="pause_all",
        text="pause all",
        footer=17,
        about="let everything stand still, what is queued later too, or all go on",
    ),
    Key(
        name="transfers.cancel",
        keys="x",
        action="cancel",
        text="cancel",
        footer=12,
        about="stop the row, or the marked ones, for good; both sides stay as they are",
    ),
    Key(
        name="transfers.cancel-all",
        keys="X",
        action="cancel_all",
        text="cancel all",
        footer=13,
        about="stop the running push, pull or sync; nothing half done stays",
    ),
    Key(
        name="transfers.retry",
        keys="R",
        action="retry",
        text="retry",
        footer=14,
        about="try the failed row, or the marked ones, once more; never deletes",
        writes=True,
    ),
    Key(
        name="transfers.sooner",
        keys="K",
        action="priority(1)",
        text="sooner",
        footer=15,
        about="raise the priority: it starts before what waits",
    ),
    Key(
        name="transfers.later",
        keys="J",
        action="priority(-1)",
        text="later",
        footer=16,
        about="lower the priority: it starts after what waits",
    ),
    Key(
        name="transfers.more",
        keys="+",
        action="concurrency(1)",
        text="more at once",
        footer=18,
        about="more transfers side by side, in the direction that moves",
    ),
    Key(
        name="transfers.fewer",
        keys="-",
        action="concurrency(-1)",
        text="fewer at once",
        footer=19,
        about="fewer transfers side by side, in the direction that moves",
    ),
    Key(
        name="transfers.bandwidth",
        keys="b",
        action="bandwidth",
        text="bandwidth",
        footer=20,
        about="limit the bytes per second of all transfers together, or take the limit away",
    ),
)
LOCKS = (
    Key(
        name="locks.release",
        keys="F",
        action="release",
        text="force release",
        footer=11,
        about="open a lock whose holder has gone",
        writes=True,
    ),
    Key(
        name="locks.copy",
        keys="y",
        action="copy_row",
        text="copy holder",
        footer=12,
        about="send the lock's holder to the clipboard",
    ),
)
NAMESPACES = (
    Key(
        name="namespaces.pull",
        keys="p",
        action="move('pull')",
        text="pull them",
        footer=11,
        about="pull the marked namespaces, each after its plan; you stay where you work",
        writes=True,
    ),
    Key(
        name="namespaces.push",
        keys="P",
        action="move('push')",
        text="push them",
        footer=13,
        about="push the marked namespaces, each after its plan; you stay where you work",
        writes=True,
    ),
    Key(
        name="namespaces.stand",
        keys="S",
        action="stand",
        text="status of all",
        footer=14,
        about="what is dirty, behind, in conflict or locked, in every namespace at once",
    ),
    Key(
        name="namespaces.register",
        keys="R",
        action="register",
        text="register",
        footer=15,
        about="write down whose a namespace is, if nobody was first",
        writes=True,
    ),
    Key(
        name="namespaces.count",
        keys="u",
        action="count",
        text="index only",
        footer=12,
        about="fetch the index, and no content: counts objects, bytes, and what is here",
    ),
    Key(
        name="namespaces.search",
        keys="ctrl+f",
        action="search",
        text="search files",
        footer=16,
        about="search all catalogs: find a file in any namespace, and fetch it",
    ),
    Key(
        name="namespaces.export",
        keys="C",
        action="export_catalog",
        text="export catalog",
        footer=17,
        about="tell the others what our namespace holds; a push does that by itself",
        writes=True,
    ),
    Key(
        name="namespaces.migrate",
        keys="M",
        action="migrate",
        text="move into one",
        footer=18,
        about="move the whole datastore from the solo layout into a namespace, on the server",
        writes=True,
    ),
    Key(
        name="namespaces.to-solo",
        keys="O",
        action="to_solo",
        text="move out",
        footer=19,
        about="move the namespace that you work in back into the solo layout",
        writes=True,
    ),
    Key(
        name="namespaces.repair",
        keys="F",
        action="repair",
        text="foreign objects",
        footer=20,
        about="find what belongs to another namespace below this one, and put it right",
        writes=True,
    ),
    Key(name="namespaces.again", keys="r", action="again", text="look again", footer=29),
)
ENDPOINTS = (
    Key(
        name="endpoints.check",
        keys="c",
        action="check",
        text="check now",
        footer=11,
        about="let the doctor prove what the endpoint does; some 600 small requests",
        writes=True,
    ),
    Key(
        name="endpoints.stop",
        keys="x",
        action="stop",
        text="stop the check",
        footer=12,
        about="end the doctor's check early, cleaned up",
    ),
    Key(
        name="endpoints.uploads",
        keys="M",
        action="uploads",
        text="open uploads",
        footer=13,
        about="list the uploads in parts that nobody finished, and abort some",
    ),
    Key(name="endpoints.again", keys="r", action="again", text="look again", footer=29),
)
LOG = (
    Key(
        name="log.copy",
        keys="y",
        action="copy_row",
        text="copy line",
        footer=11,
        about="send the line of the log to the clipboard",
    ),
)
