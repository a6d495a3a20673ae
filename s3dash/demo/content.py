"""What the demo's people keep in their datastore: plausible files, the same at every start."""

import json
import random
import uuid

NAMESPACES = ("infra", "web")
REPOSITORIES = {
    "infra": "6d1f4c1e-4b0a-4c57-9a53-0a7a3f1c8e01",
    "web": "b7f0c9d2-92ce-4be8-8a5e-5c9e1d7f4e02",
}
CLASHING = ("logs/deploy.log", "files/runbooks/failover.md")
"""Files that both the user and the second writer like to edit."""

_MODELS = {
    "infra": ("@acme/server", "@acme/database", "@acme/network"),
    "web": ("@acme/site", "@acme/cdn"),
}
_PER_MODEL = 6
_WORDS = (
    "apply", "plan", "drift", "region", "replica", "volume", "subnet", "gateway", "release",
    "rollout", "canary", "healthy", "retry", "timeout", "shard", "lease", "commit", "backup",
    "restore", "certificate", "queue", "worker", "node", "pool",
)  # fmt: skip
_MIB = 1 << 20


def files(namespace: str) -> dict[str, bytes]:
    """Path to bytes: a few hundred small files, some of medium size, one of several MiB."""
    rng = random.Random(namespace)  # noqa: S311 - plausible text, no secret in it
    made: dict[str, bytes] = {}
    for model in _MODELS[namespace]:
        for _ in range(_PER_MODEL):
            made.update(_model(rng, model, str(uuid.UUID(int=rng.getrandbits(128), version=4))))
    made.update(_runs(rng))
    made.update(_records(rng))
    made["files/images/base.img"] = rng.randbytes(6 * _MIB)
    made["files/pictures/ünïcode name.txt"] = "snowman ☃\n".encode()
    made["files/[draft]/notes & plans.md"] = text(rng, 12)
    made["files/empty"] = b""
    for path in CLASHING:
        made[path] = text(rng, 30)
    made["README.md"] = f"# The {namespace} datastore of ACME\n".encode()
    return made


def text(rng: random.Random, lines: int) -> bytes:
    """Some lines of log-like prose."""
    made = []
    for number in range(lines):
        words = " ".join(rng.choices(_WORDS, k=rng.randint(4, 9)))
        made.append(f"2026-11-{rng.randint(1, 28):02} {number:04} {words}\n")
    return "".join(made).encode()


def _model(rng: random.Random, model: str, ident: str) -> dict[str, bytes]:
    """One model instance: versioned data, an evaluated definition, the output of a run."""
    made = {}
    for name in ("config", "state"):
        versions = rng.randint(1, 3)
        for version in range(1, versions + 1):
            at = f"data/{model}/{ident}/{name}/{version}"
            body = {"cpu": rng.choice((2, 4, 8)), "tags": rng.sample(_WORDS, 3), "version": version}
            made[f"{at}/raw"] = json.dumps(body, indent=2).encode() + b"\n"
            made[f"{at}/metadata.yaml"] = f"name: {name}\nversion: {version}\n".encode()
        made[f"data/{model}/{ident}/{name}/latest"] = str(versions).encode()
    made[f"definitions-evaluated/{model}/{ident}/definition.yaml"] = text(rng, 6)
    made[f"outputs/{model}/{ident}/run-1.yaml"] = text(rng, rng.randint(2, 60))
    return made


def _runs(rng: random.Random) -> dict[str, bytes]:
    """What workflows left behind."""
    made = {}
    for workflow in ("deploy", "nightly-backup", "rotate-certificates"):
        for day in range(1, 9):
            at = f"workflow-runs/{workflow}/2026-11-{day:02}"
            made[f"{at}/run.yaml"] = f"status: {rng.choice(('done', 'failed'))}\n".encode()
            made[f"{at}/steps/log.txt"] = text(rng, rng.randint(5, 200))
    return made


def _records(rng: random.Random) -> dict[str, bytes]:
    """Logs, audit trails and telemetry, some of them larger."""
    made = {f"audit/2026/{month:02}.jsonl": text(rng, 40) for month in range(1, 12)}
    made |= {f"telemetry/2026-11-{day:02}.json": b'{"p50":41}\n' for day in range(1, 11)}
    made |= {f"logs/{name}.log": text(rng, 900) for name in ("api", "scheduler", "worker")}
    made |= {f"files/dumps/part-{n}.bin": rng.randbytes(n * 90_000) for n in range(1, 6)}
    return made
