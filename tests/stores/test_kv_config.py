"""Kubo's configuration of datastores, and what it writes beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from s3dash.errors import ConfigError, OtherDatastore
from s3dash.objectstore.patience import Patience
from s3dash.stores.kv.config import read
from s3dash.stores.kv.kubo import credentials_of, fetched, open_file, settings_of
from s3dash.stores.kv.measure import Measure
from s3dash.stores.kv.mount import Mount
from s3dash.stores.kv.specs import (
    LocalSpec,
    MeasureSpec,
    MountSpec,
    S3Spec,
    Spec,
    check_spec,
    datastore_spec,
)
from tests.servers import Server

SECRET = "wJalrXUtnFEMI-hidden"
S3DS: dict[str, Any] = {
    "type": "s3ds",
    "region": "us-east-1",
    "bucket": "peergos-test",
    "accessKey": "",
    "secretKey": "",
}
LEVELDB = {"compression": "none", "path": "datastore", "type": "levelds"}
EXPECTED = (
    '{"mounts":[{"bucket":"peergos-test","mountpoint":"/blocks","region":"us-east-1",'
    '"rootDirectory":""},{"mountpoint":"/","path":"datastore","type":"levelds"}],"type":"mount"}'
)


NO_KIND = (
    "config: type: must be mount, measure, log, s3ds or one of "
    "levelds, badgerds, pebbleds, flatfs, mem"
)


def kubo(**fields: Any) -> dict[str, Any]:
    """A configuration as the plugin's page tells to write it."""
    measured = {"child": {**S3DS, **fields}, "mountpoint": "/blocks", "prefix": "s3.datastore"}
    local = {"child": LEVELDB, "mountpoint": "/", "prefix": "leveldb.datastore"}
    mounts = [{**measured, "type": "measure"}, {**local, "type": "measure"}]
    spec = {"mounts": mounts, "type": "mount"}
    return {"Identity": {"PrivKey": SECRET}, "Datastore": {"StorageMax": "10GB", "Spec": spec}}


def of(document: object) -> Spec:
    return read(json.dumps(document), where="config")


def refused(document: object) -> list[str]:
    with pytest.raises(ConfigError) as failed:
        of(document)
    assert SECRET not in failed.value.message
    return failed.value.message.splitlines()


def test_cf_01_every_field() -> None:
    spec = of(
        {
            "type": "s3ds",
            "region": "someregion",
            "bucket": "somebucket",
            "accessKey": "someaccesskey",
            "secretKey": SECRET,
            "sessionToken": "sometoken",
            "rootDirectory": "/some/path",
            "regionEndpoint": "someendpoint",
            "workers": 42.0,
            "credentialsEndpoint": "http://127.0.0.1/creds",
        }
    )
    assert isinstance(spec, S3Spec)
    assert (spec.region, spec.bucket, spec.root) == ("someregion", "somebucket", "some/path")
    assert (spec.endpoint, spec.workers) == ("https://someendpoint", 42)
    assert spec.credentials is not None
    assert spec.credentials.secret_access_key == SECRET
    assert spec.credentials.session_token == "sometoken"
    assert spec.credentials_endpoint == "http://127.0.0.1/creds"
    assert SECRET not in repr(spec)
    settings = settings_of(spec)
    assert (settings.prefix, settings.push_concurrency) == ("some/path", 42)
    assert settings.force_path_style


def test_cf_01_what_may_be_left_out() -> None:
    spec = of(S3DS)
    assert isinstance(spec, S3Spec)
    assert (spec.root, spec.endpoint, spec.credentials, spec.workers) == ("", None, None, 100)
    assert credentials_of(spec) is None
    assert not settings_of(spec).force_path_style
    assert of({"type": "s3ds", "region": "r", "bucket": "b"}) == S3Spec(bucket="b", region="r")


def test_cf_01_the_names_of_qris_store_are_read_too() -> None:
    spec = of(
        {
            "bucket": "b",
            "region": "us-west-2",
            "path": "folder/subfolder",
            "accessKey": "id",
            "accessSecret": SECRET,
            "accessToken": "token",
        }
    )
    assert isinstance(spec, S3Spec)
    assert (spec.bucket, spec.root) == ("b", "folder/subfolder")
    assert spec.credentials is not None
    assert spec.credentials.secret_access_key == SECRET
    assert spec.credentials.session_token == "token"


def test_cf_02_the_stores_of_a_whole_configuration() -> None:
    spec = of(kubo(rootDirectory="ipfs"))
    assert isinstance(spec, MountSpec)
    assert spec == of(kubo(rootDirectory="ipfs")["Datastore"]["Spec"])
    blocks, local = spec.mounts["/blocks"], spec.mounts["/"]
    assert isinstance(blocks, MeasureSpec)
    assert isinstance(local, MeasureSpec)
    assert blocks.prefix == "s3.datastore"
    assert blocks.child == S3Spec(bucket="peergos-test", region="us-east-1", root_directory="ipfs")
    assert local.child == LocalSpec("levelds", {"path": "datastore"})


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"bucket": None}, "bucket: missing"),
        ({"bucket": ""}, "bucket: must not be empty"),
        ({"bucket": 7}, "bucket: must be a text"),
        ({"region": ["x"]}, "region: must be a text"),
        ({"accessKey": "id"}, "secretKey: missing, and the other one is there"),
        ({"secretKey": SECRET}, "accessKey: missing, and the other one is there"),
        ({"sessionToken": 1}, "sessionToken: must be a text"),
        ({"rootDirectory": {"a": SECRET}}, "rootDirectory: must be a text"),
        ({"workers": 0}, "workers: must be a positive whole number"),
        ({"workers": -1}, "workers: must be a positive whole number"),
        ({"workers": 1.5}, "workers: must be a positive whole number"),
        ({"workers": float("inf")}, "workers: must be a positive whole number"),
        ({"workers": float("nan")}, "workers: must be a positive whole number"),
        ({"workers": "many"}, "workers: must be a number"),
        ({"workers": True}, "workers: must be a number"),
        (
            {"regionEndpoint": "ftp://x"},
            "regionEndpoint: must be a URL or a host, without a user in it",
        ),
        (
            {"regionEndpoint": f"https://u:{SECRET}@x"},
            "regionEndpoint: must be a URL or a host, without a user in it",
        ),
        ({"keyTransform": "next-to-last/2"}, "keyTransform: only `default` is known here"),
        ({"path": "a", "rootDirectory": "b"}, "path: given twice: rootDirectory is the same"),
    ],
)
def test_cf_03_a_wrong_field_is_named(fields: dict[str, Any], line: str) -> None:
    place = "config: Datastore.Spec.mounts[0].child."
    assert refused(kubo(**fields)) == [place + line]


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ([], "config: must be an object"),
        (
            {},
            NO_KIND,
        ),
        ({"type": "mount"}, "config: mounts: must be a list of stores"),
        ({"type": "mount", "mounts": [7]}, "config: mounts[0]: must be an object"),
        (
            {"type": ["s3ds"]},
            NO_KIND,
        ),
        ({"Datastore": SECRET}, "config: Datastore: must be an object"),
        ({"type": "measure", "child": None}, "config: child: must be an object"),
        (
            {"mounts": [{**LEVELDB, "mountpoint": "/"}, {**LEVELDB, "mountpoint": "/"}]},
            "config: mounts[1].mountpoint: something else is mounted there",
        ),
        (
            {"mounts": [{**LEVELDB, "mountpoint": "a"}]},
            "config: mounts[0].mountpoint: must begin with a slash",
        ),
        ({"mounts": [LEVELDB]}, "config: mounts[0].mountpoint: missing"),
    ],
)
def test_cf_03_a_wrong_shape_is_named(document: object, line: str) -> None:
    assert line in refused(document)


def test_cf_03_several_problems_are_told_at_once() -> None:
    assert len(refused(kubo(bucket=7, workers=0, region=""))) == 3


@pytest.mark.parametrize("text", ["{", b"\xff", "[" * 100_000])
def test_cf_03_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(ConfigError, match="this is no JSON"):
        read(text, where="config")


def test_cf_03_nested_too_deeply() -> None:
    deep = '{"type":"log","child":' * 900 + "{}" + "}" * 900
    with pytest.raises(ConfigError, match="config"):
        read(deep, where="config")


def test_cf_04_the_datastore_spec() -> None:
    spec = of(kubo(accessKey="id", secretKey=SECRET, workers=5, regionEndpoint="x"))
    assert datastore_spec(spec) == EXPECTED


def test_cf_04_flatfs_tells_its_directories() -> None:
    flat = {"type": "flatfs", "path": "blocks", "sync": True, "shardFunc": "/repo/flatfs/shard/v1"}
    assert datastore_spec(of(flat)) == (
        '{"path":"blocks","shardFunc":"/repo/flatfs/shard/v1","type":"flatfs"}'
    )


def test_cf_05_the_same_store_is_known_again() -> None:
    check_spec(of(kubo()), EXPECTED, where="datastore_spec")
    check_spec(of(kubo()), json.dumps(json.loads(EXPECTED), indent=2), where="datastore_spec")


def test_cf_05_another_store_is_refused_and_the_difference_shown() -> None:
    with pytest.raises(OtherDatastore) as failed:
        check_spec(
            of(kubo(rootDirectory="new", secretKey=SECRET, accessKey="id")),
            EXPECTED,
            where="datastore_spec",
        )
    lines = failed.value.message.splitlines()
    assert lines[1:] == ['-   "rootDirectory": ""', '+   "rootDirectory": "new"']
    assert SECRET not in failed.value.message


def test_cf_05_opening_a_file_looks_at_the_spec_beside_it(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(json.dumps(kubo(rootDirectory="ipfs")))
    left_out: list[str] = []
    with open_file(config, patience=Patience(), note=left_out.append) as found:
        assert isinstance(found, Mount)
    assert left_out == ["a store of kind levelds lies on kubo's own disk and is left out"]
    (tmp_path / "datastore_spec").write_text(EXPECTED)
    with pytest.raises(OtherDatastore, match="rootDirectory"):
        open_file(config, patience=Patience())


@pytest.mark.parametrize("document", [LEVELDB, {"mounts": [{**LEVELDB, "mountpoint": "/"}]}])
def test_a_configuration_without_a_bucket_is_refused(document: object, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="no datastore of it is in a bucket"):
        open_file(config, patience=Patience())
    with pytest.raises(ConfigError, match="cannot be read"):
        open_file(tmp_path / "missing", patience=Patience())


def test_cf_02_kubos_configuration_opens_its_bucket(weed: Server, tmp_path: Path) -> None:
    found = kubo(
        bucket=weed.shared_bucket(),
        rootDirectory="ipfs/blocks",
        regionEndpoint=weed.endpoint,
        accessKey=weed.access_key,
        secretKey=weed.secret_key,
    )
    config = tmp_path / "config"
    config.write_text(json.dumps(found))
    with open_file(config, patience=Patience()) as store:
        assert isinstance(store, Mount)
        store.put("/blocks/CIQ", b"x")
        assert list(store) == ["/blocks/CIQ"]
        assert isinstance(store, Mount)
    listed = weed.client().list_objects_v2(Bucket=weed.shared_bucket(), Prefix="ipfs/blocks/")
    assert [one["Key"] for one in listed["Contents"]] == ["ipfs/blocks/CIQ"]
    measured = found["Datastore"]["Spec"]["mounts"][0]
    config.write_text(json.dumps(measured))
    with open_file(config, patience=Patience(), readonly=True) as store:
        assert isinstance(store, Measure)
        assert store.get("/CIQ") == b"x"
        assert store.figures()["get"].calls == 1


def test_cf_01_credentials_come_from_the_endpoint_that_is_named(
    moto: Server, tmp_path: Path
) -> None:
    """Any server will do: it answers with what is no credentials, and with what are."""
    bucket = moto.shared_bucket()
    good = {"AccessKeyId": "id", "SecretAccessKey": SECRET, "Token": "t", "Expiration": "x"}
    for name, body in (("good", good), ("bad", {"AccessKeyId": 7}), ("none", [])):
        moto.client().put_object(
            Bucket=bucket, Key=f"creds/{name}", Body=json.dumps(body).encode(), ACL="public-read"
        )
    where = f"{moto.endpoint}/{bucket}/creds"
    found = fetched(f"{where}/good")
    assert (found.access_key_id, found.session_token) == ("id", "t")
    for name in ("bad", "none"):
        with pytest.raises(ConfigError, match="answers without AccessKeyId"):
            fetched(f"{where}/{name}")
