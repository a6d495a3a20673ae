"""Models: how they are named, and whose a path is."""

import json
from pathlib import Path

import pytest

from s3dash.core.models import Model, model_of, models_of, parse, selected
from s3dash.errors import UsageError

ID = "7b0e3a52-0c1e-4f0a-9a4e-1f2d3c4b5a69"


@pytest.mark.parametrize(
    ("name", "type_", "id_"),
    [
        ("short/model-a", "short", "model-a"),
        (f"@acme/server/{ID}", "@acme/server", ID),
        ("a/b/c/d/", "a/b/c", "d"),
    ],
)
def test_a_name_is_split_from_the_right(name: str, type_: str, id_: str) -> None:
    model = parse(name)
    assert (model.type, model.id) == (type_, id_)
    assert model.name == name.rstrip("/")
    assert model.lock == f"data/{model.name}/.lock"


@pytest.mark.parametrize("name", ["", "server", "a//b", "../b/c", "a/..", "a/b\n", "/", "a/."])
def test_what_names_no_model_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        parse(name)


def test_data_outputs_and_definitions_are_its_own() -> None:
    assert selected(["t/id"]) == {"data/t/id", "outputs/t/id", "definitions-evaluated/t/id"}
    assert selected([]) == frozenset()


@pytest.mark.parametrize(
    ("rel", "name"),
    [
        (f"data/@acme/server/{ID}/config/1/raw", f"@acme/server/{ID}"),
        (f"data/@acme/server/{ID}/config/latest", f"@acme/server/{ID}"),
        (f"outputs/@acme/server/{ID}/run-1.yaml", f"@acme/server/{ID}"),
        (f"definitions-evaluated/@acme/server/{ID}/definition.yaml", f"@acme/server/{ID}"),
        ("data/short/model-a/file.json", "short/model-a"),
        ("data/@org/t/id/name/1/raw", "@org/t/id"),
        ("data/@org/t/id/name/latest", "@org/t/id"),
        ("data/t/id/name/3/metadata.yaml", "t/id"),
        ("outputs/t/id/x", "t/id"),
    ],
)
def test_the_model_of_a_path(rel: str, name: str) -> None:
    model = model_of(rel)
    assert model is not None
    assert model.name == name
    assert any(rel.startswith(path + "/") for path in model.paths)


@pytest.mark.parametrize("rel", ["", "a.txt", "data/a/b", "logs/a/b/c", "outputs/t/x", "files/a"])
def test_other_paths_belong_to_no_model(rel: str) -> None:
    assert model_of(rel) is None


def test_every_path_of_the_real_clients_vectors_lies_in_its_model() -> None:
    vectors = Path(__file__).resolve().parents[1] / "golden" / "path_vectors.json"
    for vector in json.loads(vectors.read_text()):
        model = model_of(vector["rel"])
        if model is not None:
            assert any(vector["rel"].startswith(path + "/") for path in model.paths)


def test_models_are_told_once_and_sorted() -> None:
    rels = ["data/t/b/x", "files/n", "outputs/t/b/y", "data/t/a/x"]
    assert models_of(rels) == [Model("t", "a"), Model("t", "b")]
