"""What a listed lock says of the program that holds it."""

import msgspec

from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.locks import list_all
from s3dash.objectstore.memory import MemoryBucket, MemoryStore


def test_a_lock_names_its_program_where_its_body_does() -> None:
    store = MemoryStore(MemoryBucket())
    ours = LockBody(holder="ann@vm", hostname="vm", pid=1, nonce="n", client="s3dash/1.0", seq=3)
    peers = LockBody(holder="bob@vm", hostname="vm", pid=2, nonce="m")
    store.put(".locks/infra.lock", encode_lock(ours))
    store.put("infra/data/t/id/.lock", encode_lock(peers))
    found = {info.key: info for info in list_all(store)}
    assert found[".locks/infra.lock"].client == "s3dash/1.0"
    model = found["infra/data/t/id/.lock"]
    assert (model.scope, model.namespace, model.client) == ("model", "infra", None)
    assert b"client" in msgspec.json.encode(found[".locks/infra.lock"])
    assert b"client" not in msgspec.json.encode(model)
