"""Files in a bucket: through fsspec, as many libraries take them, and through plain Python.

Run it with a configuration that holds a datastore of kind `files`:

    python examples/files.py --config s3dash.toml
"""

import argparse
import csv
import io
from pathlib import Path

import fsspec

from s3dash.errors import FileThere
from s3dash.stores.configured import open_configured
from s3dash.stores.files.files import Files


def main() -> None:
    parser = argparse.ArgumentParser(description="Files in a bucket.")
    parser.add_argument("--config", type=Path, help="the configuration of s3dash")
    parser.add_argument("--datastore", help="its datastore, else the first one")
    given = parser.parse_args()

    opened = open_configured("files", given.datastore, config=given.config)
    through_fsspec(opened.settings.bucket, opened.settings.prefix, given)
    plainly(Files(opened, emulate=True))
    opened.store.close()


def through_fsspec(bucket: str, prefix: str, given: argparse.Namespace) -> None:
    """`s3dash://bucket/key`, wherever a library takes a URL and storage options."""
    options = {"datastore": given.datastore, "config": given.config}
    root = f"s3dash://{bucket}/{prefix + '/' if prefix else ''}example"
    with fsspec.open(f"{root}/planets.csv", "w", newline="", **options) as file:
        csv.writer(file).writerows([("name", "moons"), ("Earth", 1), ("Mars", 2)])
    with fsspec.open(f"{root}/planets.csv", "r", newline="", **options) as file:
        print({row["name"]: int(row["moons"]) for row in csv.DictReader(file)})

    # A block that fails leaves what was there.
    try:
        with fsspec.open(f"{root}/planets.csv", "w", **options) as file:
            file.write("half a fi")
            raise RuntimeError("broke")
    except RuntimeError:
        fs, path = fsspec.url_to_fs(f"{root}/planets.csv", **options)
        print(fs.size(path), "bytes as before")

    # A directory moves whole, and a rename that was cut short goes on when it is asked for again.
    fs.mv(path.rpartition("/")[0], f"{path.rpartition('/')[0]}-moved")


def plainly(files: Files) -> None:
    """The same files without fsspec; paths begin at the datastore."""
    print([one.path for one in files.tree("example-moved")])
    with files.open("example-moved/planets.csv") as file:
        print(io.TextIOWrapper(file, newline="").readline().strip())
    try:
        files.open("example-moved/planets.csv", "xb")
    except FileThere as error:
        print(error)

    # With `emulate` files change in place; what somebody else wrote meanwhile is never lost.
    with files.open("example-moved/planets.csv", "ab") as file:
        file.write(b"Jupiter,97\r\n")
    print(files.read("example-moved/planets.csv", -12, None))
    print(files.remove("example-moved", recursive=True), "removed")


if __name__ == "__main__":
    main()
