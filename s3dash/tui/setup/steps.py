"""The steps of the first run up to the bucket: endpoint, address, credentials, bucket."""

from typing import cast

from msgspec.structs import replace

from s3dash.config.draft import Draft
from s3dash.engine.first_look import Finding
from s3dash.errors import ConfigError
from s3dash.tui.cells import Cell
from s3dash.tui.format import count
from s3dash.tui.setup.known import Answer, Kind, Known, Scout
from s3dash.tui.setup.place import Place
from s3dash.tui.setup.step import Choice, Field, Step, seen, text

R2 = "https://{}.r2.cloudflarestorage.com"
KEYS_ELSEWHERE = (
    "A secret is never typed here nor written to the file. Put it into an environment variable "
    "(env:NAME), a file of its own (file:PATH) or the keychain (keychain:SERVICE/ACCOUNT), and "
    "name that; or use a profile of `aws configure`."
)
_KINDS = ("env:", "file:", "keychain:")


class Begin(Step):
    title = "Welcome"

    def about(self, __known: Known) -> list[Cell]:
        return text("Nothing is configured yet. Nothing is written before the last step.")

    def choices(self, __known: Known) -> tuple[Choice, ...]:
        return (
            Choice("setup", "Set up a datastore", "join one in a bucket, or begin one"),
            Choice("demo", "Look around in a demo", "on this machine; nothing of it stays"),
            Choice("quit", "Quit"),
        )

    def look(self, scout: Scout, known: Known) -> Known:
        """Broken files of boto3 are told where the credentials are chosen."""
        try:
            return replace(known, profiles=scout.profiles())
        except ConfigError as error:
            return known.saw(Finding("profiles", False, error.message))

    def following(self, known: Known) -> Step | Answer | None:
        if known.choice == "demo":
            return Answer("demo")
        return Endpoint() if known.choice == "setup" else None


class Endpoint(Step):
    title = "Endpoint"

    def about(self, __known: Known) -> list[Cell]:
        return text("Where is the bucket?")

    def choices(self, __known: Known) -> tuple[Choice, ...]:
        return (
            Choice("aws", "AWS S3"),
            Choice("other", "MinIO, SeaweedFS, Ceph, …", "any S3 endpoint, by its URL"),
            Choice("r2", "Cloudflare R2"),
        )

    def take(self, known: Known) -> Known:
        cleared = known.drafted(endpoint="", region="", force_path_style=False)
        return replace(cleared, kind=cast(Kind, known.choice))

    def following(self, _known: Known) -> Step:
        return Address()


class Address(Step):
    """Its fields depend on the kind of endpoint."""

    title = "Address"
    asking = "knocking …"

    def about(self, known: Known) -> list[Cell]:
        return {
            "aws": text("The region of the bucket."),
            "r2": text("The account's id is on the R2 page of the dashboard, or in the URL."),
            "other": text("The URL that S3 clients use; not that of a web page."),
        }[known.kind]

    def fields(self, known: Known) -> tuple[Field, ...]:
        if known.kind == "aws":
            return (Field("region", "region", "us-east-1"),)
        if known.kind == "r2":
            return (Field("account", "account", example="0123456789abcdef…, or its URL"),)
        return (
            Field("endpoint", "URL", example="https://minio.example.org:9000"),
            Field("region", "region", "us-east-1"),
            Field("style", "bucket in", "path", example="path, or host"),
        )

    def take(self, known: Known) -> Known:
        if known.kind == "aws":
            return known.drafted(region=known.given["region"])
        if known.kind == "r2":
            account = known.given["account"]
            url = account if "://" in account else R2.format(account)
            return known.drafted(endpoint=url if account else "", region="auto")
        style = known.given["style"].lower()
        if style not in ("path", "host"):
            raise ConfigError("bucket in: `path` (URL/bucket, the usual) or `host` (bucket.URL)")
        if not known.given["endpoint"]:
            raise ConfigError("the URL is missing")
        return known.drafted(
            endpoint=known.given["endpoint"],
            region=known.given["region"],
            force_path_style=style == "path",
        )

    def look(self, scout: Scout, known: Known) -> Known:
        return known.saw(scout.knock(known.draft))

    def following(self, _known: Known) -> Step:
        return Who()


class Who(Step):
    title = "Credentials"
    asking = "asking who we are there …"

    def about(self, known: Known) -> list[Cell]:
        return [*seen(known), *text("Whose credentials?")]

    def choices(self, known: Known) -> tuple[Choice, ...]:
        profiles = [Choice(f"profile:{p}", p, "profile of ~/.aws") for p in known.profiles]
        return (
            *profiles,
            Choice("chain", "What boto3 finds by itself", "environment, ~/.aws, this machine"),
            Choice("named", "Keys kept elsewhere", "a variable, a file, the keychain"),
        )

    def take(self, known: Known) -> Known:
        profile = (
            known.choice.removeprefix("profile:") if known.choice.startswith("profile:") else ""
        )
        return known.drafted(
            profile=profile, access_key_id="", secret_access_key="", session_token=""
        )

    def look(self, scout: Scout, known: Known) -> Known:
        return known if known.choice == "named" else asked(scout, known)

    def following(self, known: Known) -> Step:
        return Named() if known.choice == "named" else Bucket()


class Named(Step):
    """References to credentials. What is none is refused, as it may be a secret."""

    title = "Keys"
    asking = Who.asking

    def about(self, _known: Known) -> list[Cell]:
        return text("Where the keys are: env:NAME, file:PATH or keychain:SERVICE/ACCOUNT.")

    def fields(self, known: Known) -> tuple[Field, ...]:
        draft = known.draft
        return (
            Field("access_key_id", "access key", draft.access_key_id, "env:MY_KEY_ID", True),
            Field("secret_access_key", "secret", draft.secret_access_key, "env:MY_SECRET", True),
            Field("session_token", "token", draft.session_token, "none", True),
        )

    def take(self, known: Known) -> Known:
        if any(value and not value.startswith(_KINDS) for value in known.given.values()):
            raise ConfigError(KEYS_ELSEWHERE)
        if not (known.given["access_key_id"] and known.given["secret_access_key"]):
            raise ConfigError("the access key and the secret are needed, each by a reference")
        return known.drafted(profile="", **known.given)

    def look(self, scout: Scout, known: Known) -> Known:
        return asked(scout, known)

    def following(self, _known: Known) -> Step:
        return Bucket()


def asked(scout: Scout, known: Known) -> Known:
    """With who we are there, and which buckets there are."""
    finding, buckets = scout.who(known.draft)
    return replace(known.saw(finding), buckets=buckets)


class Bucket(Step):
    title = "Bucket"
    asking = "looking into the bucket …"

    def about(self, known: Known) -> list[Cell]:
        if known.buckets is None:
            tail = "These credentials may not list buckets: type its name."
        elif not known.buckets:
            tail = "There is no bucket yet: make one with your provider, then type its name."
        else:
            tail = f"{count(len(known.buckets), 'bucket')}; another one can be typed."
        return [*seen(known), *text(tail)]

    def fields(self, known: Known) -> tuple[Field, ...]:
        return (Field("bucket", "bucket", known.draft.bucket),)

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(Choice(name, name) for name in known.buckets or ())

    def take(self, known: Known) -> Known:
        name = known.choice or known.given["bucket"]
        if not name:
            raise ConfigError("type the name of the bucket, or choose one of the list")
        return known.drafted(bucket=name, prefix="", namespace="")

    def look(self, scout: Scout, known: Known) -> Known:
        found = scout.place(known.draft)
        places = scout.places(known.draft)
        finding = Finding("bucket", True, f"{known.draft.bucket} is there")
        return replace(known.saw(finding), found=found, places=places)

    def following(self, _known: Known) -> Step:
        return Place()


def begin(draft: Draft) -> tuple[Step, Known]:
    """The first step. What is in the draft already is proposed."""
    return Begin(), Known(draft=draft)
