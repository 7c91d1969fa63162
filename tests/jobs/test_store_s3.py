"""The same against a server that speaks S3, over HTTP, from several processes, some of which are killed."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_job import Fake, timeless
from places import TESTS

from tronie.cli.run import How, run_photos
from tronie.errors import OutputError
from tronie.io.inputs import list_inputs
from tronie.io.store import Store
from tronie.jobs import bucket
from tronie.jobs.shards import Shard
from tronie.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("s3fs", "moto", "flask", "flask_cors")),
        reason="needs the extra cloud and moto's server",
    ),
]
SCRIPT = (
    "import sys; from fake_job import Fake; from tronie.cli.run import How, run_photos;"
    "from tronie.settings import Settings;"
    "how = dict(cluster=sys.argv[3]) if len(sys.argv) > 3 else {};"
    "sys.exit(run_photos([sys.argv[1]], sys.argv[2], Settings(), How(start=Fake(), workers=2, detail='quiet', **how)))"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket with nothing in it, and the client of another library."""
    known = {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y", "DEFAULT_REGION": "us-east-1", "ENDPOINT_URL": server}
    for name, value in known.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *sys.path]))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setattr(bucket, "BEAT", 0.5)
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    yield client
    while some := keys(client)[:1000]:
        client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": key} for key in some]})
    client.delete_bucket(Bucket="bucket")


def keys(s3: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


def put(s3: Any, *names: str) -> str:
    for name in names:
        s3.put_object(Bucket="bucket", Key=f"photos/{name}", Body=b"x" + name.encode())
    return "s3://bucket/photos"


def kept(s3: Any, top: str) -> dict[str, Any]:
    found = {}
    for key in keys(s3):
        if key.startswith(f"{top}/") and "/.tronie/" not in key:
            data = s3.get_object(Bucket="bucket", Key=key)["Body"].read()
            found[key.removeprefix(f"{top}/")] = timeless(json.loads(data)) if key.endswith(".json") else data
    manifest = found.pop("manifest.json", {"inputs": []})
    return {**found, **{one["source"]: {k: v for k, v in one.items() if k != "modified"} for one in manifest["inputs"]}}


def run(*photos: str, out: str, **how: Any) -> int:
    return run_photos(list(photos), out, Settings(), How(start=Fake(), **{"workers": 1, "detail": "quiet", **how}))


def test_a_killed_run_goes_on_and_leaves_what_an_undisturbed_one_leaves(s3: Any) -> None:
    names = [f"slow-{k:02}.jpg" for k in range(12)]
    there = put(s3, *names, "bad.jpg", "empty.jpg", "half.jpg")
    assert run(there, out="s3://bucket/one", workers=2) == 0
    one = kept(s3, "one")
    for most in (3, 7):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, there, "s3://bucket/two"])
        while sum(key.endswith("face.json") for key in keys(s3) if key.startswith("two/")) < most:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    began = time.monotonic()
    assert run(there, out="s3://bucket/two", workers=2) == 0
    assert time.monotonic() - began < 40  # the lease of a process that is gone from here is not waited for
    assert kept(s3, "two") == one
    assert not [key for key in keys(s3) if "/.tronie/" in key or key.endswith(".unfinished")]


def test_two_at_once_and_a_lease_of_another_machine(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(s3, *(f"slow-{k:02}.jpg" for k in range(30)))
    first = subprocess.Popen([sys.executable, "-c", SCRIPT, there, "s3://bucket/out"])
    while not any(key.endswith("face.json") for key in keys(s3)):
        assert first.poll() is None
        time.sleep(0.02)
    with pytest.raises(OutputError, match="Another run is writing into s3://bucket/out"):
        run(there, out="s3://bucket/out")
    with pytest.raises(OutputError, match="Another run is writing into"):
        run(there, out="s3://bucket/out", shard=Shard(1, 2))
    first.kill()
    first.wait()
    told = json.dumps({"token": "x", "host": "elsewhere", "process": "1.1", "machine": "other"}).encode()
    s3.put_object(Bucket="bucket", Key="out/.tronie/.tronie-lock", Body=told)
    monkeypatch.setattr(bucket, "LEASE", 4.0)
    began = time.monotonic()
    assert run(there, out="s3://bucket/out", workers=2) == 0
    assert time.monotonic() - began > 3
    assert sum(key.endswith("face.json") for key in keys(s3)) == 30


def test_names_that_others_gave(s3: Any) -> None:
    hostile = ("../../up.jpg", "/abs.jpg", "sub//x.jpg", "./dot.jpg", "a\x01b.jpg", "\u202egpj.jpg", "l" * 900 + ".jpg")
    there = put(s3, "a.jpg", "A.jpg", *hostile, "a b?#%20+é.jpg", "folder/")
    listing = list_inputs([there], {".jpg"}, recursive=True)
    assert not listing.problems
    assert len(listing.files) == 10
    run(there, out="s3://bucket/out", recursive=True)
    tops = {key.split("/")[0] for key in keys(s3)}
    assert tops == {"photos", "out"}
    made = [key for key in keys(s3) if key.startswith("out/")]
    assert not [key for key in made if ".." in key or "//" in key or any(ord(c) < 32 for c in key)]
    done = json.loads(s3.get_object(Bucket="bucket", Key="out/manifest.json")["Body"].read())["inputs"]
    assert {record["status"] for record in done} <= {"ok", "error"}
    assert sum(record["status"] == "ok" for record in done) >= 8


def test_a_long_list_comes_page_by_page(s3: Any) -> None:
    for k in range(1100):
        s3.put_object(Bucket="bucket", Key=f"photos/{k % 3}/{k}.jpg", Body=b"x")
    assert sum(1 for _ in Store.at("s3://bucket/photos").items()) == 1100
    assert sorted(item.name for item in Store.at("s3://bucket/photos").items(deep=False)) == ["0", "1", "2"]
    listing = list_inputs(["s3://bucket/photos"], {".jpg"}, recursive=True)
    assert len(listing.files) == 1100
    assert all(version.content for version in listing.versions.values())


def test_errors_are_one_sentence_and_soon(s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def reason(address: str) -> str:
        (problem,) = list_inputs([address], {".jpg"}).problems
        assert "\n" not in problem.reason
        return problem.reason

    assert "no such bucket or object" in reason("s3://nosuch/photos")
    assert "no such bucket or object" in reason("s3://bucket/none")
    with pytest.raises(OutputError, match="no such bucket"):
        run(put(s3, "a.jpg"), out="s3://nosuch/out")
    began = time.monotonic()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    code = (
        "from tronie.io.inputs import list_inputs;"
        "print(list_inputs(['s3://bucket/photos'], {'.jpg'}).problems[0].reason)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100).stdout
    assert said == "Cannot reach s3://bucket/photos: nobody answers there\n"
    assert time.monotonic() - began < 60
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100).stdout
    assert said == "Cannot reach s3://bucket/photos: there are no credentials in the environment\n"


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray")
def test_a_cluster_without_a_shared_disk_leaves_the_same(s3: Any) -> None:
    there = put(s3, *(f"{k:02}.jpg" for k in range(8)), "bad.jpg", "half.jpg", "kill.jpg")
    assert run(there, out="s3://bucket/many", workers=2, cluster="local") == 0
    many = kept(s3, "many")
    assert many["s3://bucket/photos/kill.jpg"]["trouble"] == "crashed"
    for key in [key for key in keys(s3) if "kill" in key]:
        s3.delete_object(Bucket="bucket", Key=key)
    run(there, out="s3://bucket/one")
    assert {name: one for name, one in many.items() if "kill" not in name} == kept(s3, "one")
