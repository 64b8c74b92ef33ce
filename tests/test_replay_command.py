"""``orgmon replay`` as a user runs it: every format of input, what cannot be read, exit codes and results."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from orgmon.cli import run
from orgmon.console.replay_view import line
from orgmon.recordings import sources
from orgmon.recordings.formats import parts
from orgmon.recordings.inflate import pieces
from orgmon.recordings.reading import read
from orgmon.recordings.sources import local
from orgmon.recordings.work import Progress
from orgmon.replay.scan import Rules, Scanner
from tests import sample
from tests.fake_wire import FakeWire, Request
from tests.test_replay import record

KEY = {"eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey"}
STOP = {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}
NAMES = ("key", "stop", "root")
RECORDS = (
    record(1, **KEY),
    record(2, **STOP),
    record(3, userIdentity={"type": "Root", "arn": "arn:aws:iam::111111111111:root"}),
)
HIT = {"access-key-change": 1, "root-use": 1, "trail-tampering": 1}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without an accounts.yaml."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.delenv("ORGMON_CONFIG", raising=False)


def lines(documents: Sequence[Any]) -> str:
    """A JSON text a line."""
    return "".join(json.dumps(document) + "\n" for document in documents)


def replayed(path: Path, *more: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report as JSON."""
    capsys.readouterr()
    assert run(["replay", str(path), "--format", "json", *more]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)["data"]
    return data


def hits(report: dict[str, Any]) -> dict[str, int]:
    """How often what was hit."""
    return {detection["id"]: detection["hits"] for detection in report["detections"] if detection["hits"]}


INPUTS = {
    "records.json": json.dumps({"Records": RECORDS}),
    "pretty.json": json.dumps({"Records": RECORDS}, indent=2),
    "newline.json": "\n" + json.dumps({"Records": RECORDS}) + "\n",
    "records.ndjson": lines(RECORDS),
    "envelopes.ndjson": lines([{"version": "0", "source": "aws.iam", "detail": entry} for entry in RECORDS]),
    "export.txt": "".join(f"2026-11-27T10:00:00.000Z {json.dumps(entry)}\n" for entry in RECORDS),
    "events.json": json.dumps({"events": [{"message": json.dumps(entry)} for entry in RECORDS]}),
    "array.json": json.dumps(RECORDS),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_is_read(
    name: str, packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = INPUTS[name].encode()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(gzip.compress(body) if packed else body)
    report = replayed(tmp_path / "in", capsys=capsys)
    assert hits(report) == HIT
    assert (report["events"], report["unread"]) == (3, [])


@pytest.mark.slow
def test_standard_input_is_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orgmon", "replay", "-", "--format", "json"],
        input=gzip.compress(lines(RECORDS).encode()),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    assert hits(json.loads(done.stdout)["data"]) == HIT


BARE = """
import sys
sys.modules["isal"] = sys.modules["msgspec"] = sys.modules["orjson"] = None
from orgmon.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_the_extra_is_optional_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = record(4, errorCode=7, resources={"ARN": "x"}, **KEY)
    (tmp_path / "in.json.gz").write_bytes(gzip.compress(json.dumps({"Records": [*RECORDS, odd]}).encode()))
    (tmp_path / "half.ndjson").write_text(lines(RECORDS) + "{")
    arguments = ["replay", str(tmp_path), "--format", "csv"]
    command = [sys.executable, "-c", BARE, *arguments]
    bare = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run(arguments) == 0
    assert capsys.readouterr().out == bare.stdout


@pytest.mark.slow
def test_a_stream_that_is_long_is_read_in_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [
        record(number, **KEY, padding=random.Random(number).randbytes(1000).hex()) for number in range(3000)
    ]
    text = lines(many).encode()
    (tmp_path / "many.ndjson.gz").write_bytes(
        gzip.compress(text[: len(text) // 2]) + gzip.compress(text[len(text) // 2 :])
    )
    with (tmp_path / "many.ndjson.gz").open("rb") as stream:
        blocks = list(parts(pieces(stream)))
    assert len(blocks) > 2
    assert max(len(block.data) for block in blocks) < 3 << 20
    assert hits(replayed(tmp_path / "many.ndjson.gz", capsys=capsys)) == {"access-key-change": 3000}


BROKEN = {
    "digest.json": (json.dumps({"digestStartTime": "", "digestS3Bucket": ""}), "a digest"),
    "other.json": (json.dumps({"a": 1}), "no CloudTrail record"),
    "half.json": (json.dumps({"Records": RECORDS})[:-20], ""),
    "text.txt": ("hello", "neither JSON"),
    "empty.json": ("", "empty"),
    "deep.json": ("[" * 100_000, ""),
}


def test_what_cannot_be_read_is_listed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "CloudTrail-Insight").mkdir(parents=True)
    (folder / "CloudTrail-Insight" / "a.json").write_text(json.dumps({"Records": [{"eventName": "x"}]}))
    for name, (text, _) in BROKEN.items():
        (folder / name).write_text(text)
    (folder / "cut.json.gz").write_bytes(gzip.compress(INPUTS["records.json"].encode())[:-12])
    (folder / "good.json").write_text(INPUTS["records.json"])
    report = replayed(folder, capsys=capsys)
    assert hits(report) == HIT
    reasons = {Path(note["name"]).name: note["reason"] for note in report["unread"]}
    assert set(reasons) == {*BROKEN, "cut.json.gz", "a.json"}
    for name, (_, reason) in BROKEN.items():
        assert reason in reasons[name]
    assert "ends too early" in reasons["cut.json.gz"]
    assert report["files"] == len(reasons) + 1


def test_a_broken_line_costs_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = lines(RECORDS[:1]) + "{broken\n" * 5 + lines(RECORDS[1:])
    (tmp_path / "in.ndjson").write_text(text)
    report = replayed(tmp_path / "in.ndjson", capsys=capsys)
    assert hits(report) == HIT
    reasons = [note["reason"] for note in report["unread"]]
    assert reasons[0].startswith("line 2: ")
    assert reasons[-1] == "2 more lines like these"


def test_processes_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(200):
        body = json.dumps({"Records": [record(number, **KEY), record(number + 1, **STOP)]}).encode()
        (
            folder / f"1_CloudTrail_us-east-1_20261127T{number // 60:02}{number % 60:02}Z_x.json.gz"
        ).write_bytes(gzip.compress(body))
    (folder / "broken.json").write_text("{")
    alone, together = (replayed(folder, "--processes", number, capsys=capsys) for number in ("1", "2"))
    for report in (alone, together):
        assert report["duplicates"] == 199
        assert report["files"] == 201
        assert len(report["unread"]) == 1
    # Which of two copies comes first is chance; how many there are is not.
    assert sum(hits(alone).values()) == sum(hits(together).values()) == 201


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ((), 0, ""),
        (("--fail-on", "critical"), 3, "hit: root-use, trail-tampering"),
        (("--fail-on", "critical", "--detection", "access-key-change"), 0, ""),
        (("--fail-on", "medium", "--detection", "access-key-change"), 3, "hit: access-key-change"),
        (("--expect", "root-use", "--expect", "trail-tampering"), 0, ""),
        (("--expect", "root-use", "--expect", "vpc-change"), 3, "stayed silent: vpc-change"),
        (("--verify",), 0, ""),
        (("--expect", "no-such"), 2, "there is no detection no-such"),
        (("--detection", "decoy-touched"), 2, "no values for decoys"),
        (("--since", "yesterday"), 2, "yesterday is no time"),
        (("--since", "2026-11-28"), 0, ""),
        (("--rules", "nowhere"), 1, "not a folder"),
        (("--config", "nowhere.yaml"), 1, "nowhere.yaml"),
    ],
)
def test_exit_codes(
    options: tuple[str, ...], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.json").write_text(INPUTS["records.json"])
    assert run(["replay", str(tmp_path / "in.json"), *options]) == code
    assert told in capsys.readouterr().err


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(tmp_path / "none")]) == 2
    assert run(["replay", str(tmp_path / "cwd")]) == 2
    assert "there is no file in" in capsys.readouterr().err


RULE = """
title: A key
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventSource: iam.amazonaws.com, eventName: CreateAccessKey}
  condition: selection
level: high
"""


def test_rules_of_others_are_replayed_and_what_does_not_compile_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a-key.yml").write_text(RULE)
    (folder / "windows.yml").write_text(RULE.replace("product: aws", "product: windows"))
    (tmp_path / "in.json").write_text(INPUTS["records.json"])
    report = replayed(tmp_path / "in.json", "--rules", str(folder), capsys=capsys)
    assert hits(report) == {"a-key": 1}
    assert [Path(rule["name"]).name for rule in report["not_replayed"]] == ["windows.yml"]


def test_a_config_fills_in_the_placeholders_of_rules_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    deployer = sample.config().detections.deployers[0]
    rule = RULE.replace("eventName: CreateAccessKey}", "userIdentity.arn|expand: '%deployers%'}")
    (folder / "deployed.yml").write_text(rule)
    (tmp_path / "in.json").write_text(
        json.dumps({"Records": [record(1, **KEY, userIdentity={"type": "IAMUser", "arn": deployer})]})
    )
    arguments = (tmp_path / "in.json", "--rules", str(folder))
    assert run(["replay", *map(str, arguments)]) == 2
    assert "deployed: no values for deployers" in capsys.readouterr().err
    assert hits(replayed(*arguments, "--config", str(sample.PATH), capsys=capsys)) == {"deployed": 1}


@pytest.mark.slow
def test_a_config_fills_in_decoys_and_no_output_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phrase = sample.config().decoys.items[0].phrase  # type: ignore[union-attr]
    touched = record(
        1,
        eventSource="secretsmanager.amazonaws.com",
        eventName="GetSecretValue",
        requestParameters={"secretId": f"{phrase}-abc123"},
    )
    (tmp_path / "in.json").write_text(json.dumps({"Records": [touched]}))
    for form in ("table", "json", "csv", "html"):
        out = tmp_path / f"out.{form}"
        arguments = ["replay", str(tmp_path / "in.json"), "--config", str(sample.PATH), "--format", form]
        assert run([*arguments, "--out", str(out), "--expect", "decoy-touched", "--verify"]) == 0
        assert "decoy-touched" in out.read_text()
        assert phrase not in out.read_text()
    printed = capsys.readouterr()
    assert phrase not in printed.out + printed.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the processes below another in /proc")
def test_an_interruption_leaves_no_process_behind(tmp_path: Path) -> None:
    body = gzip.compress(json.dumps({"Records": [record(n) for n in range(20_000)]}).encode())
    (tmp_path / "0.json.gz").write_bytes(body)
    for number in range(1, 600):
        (tmp_path / f"{number}.json.gz").hardlink_to(tmp_path / "0.json.gz")
    started = subprocess.Popen(
        [sys.executable, "-m", "orgmon", "replay", str(tmp_path), "--processes", "2"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    below = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    while len(below.read_text().split()) < 2 and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=30)
    assert started.returncode == 1
    assert "interrupted" in err
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(started.pid, 0)


class FakeS3(FakeWire):
    """The bucket ``trail-files`` below the SDK; its listing has two objects a page."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__()
        self.objects = objects
        self.handlers["trail-files"] = self._asked

    def _asked(self, request: Request) -> tuple[int, bytes]:
        place = urlsplit(request.url)
        if place.path != "/":
            return 200, self.objects[unquote(place.path[1:])]
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        keys = [key for key in self.objects if key.startswith(asked["prefix"])]
        begin = int(asked.get("continuation-token", "0"))
        page = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.objects[key])}</Size></Contents>"
            for key in keys[begin : begin + 2]
        )
        more = ""
        if begin + 2 < len(keys):
            more = (
                f"<IsTruncated>true</IsTruncated><NextContinuationToken>{begin + 2}</NextContinuationToken>"
            )
        return 200, f"<ListBucketResult>{page}{more}</ListBucketResult>".encode()


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_bucket_is_read_below_its_prefix(processes: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"logs/{number}.json.gz" for number in range(50)]
    bodies = [json.dumps({"Records": [record(number, **KEY)]}).encode() for number in range(50)]
    packed = {name: gzip.compress(body) for name, body in zip(names, bodies, strict=True)}
    fake = FakeS3(packed | {"logs/": b"", "others/a.json": b"{"})
    arguments = ["replay", "s3://trail-files/logs/", "--format", "json", "--processes", processes]
    assert run(arguments, fake.make) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert hits(data) == {"access-key-change": 50}
    assert data["unread"] == []
    assert run(["replay", "s3://trail-files/none/"], fake.make) == 2
    assert run(["replay", "s3://"], fake.make) == 2


def test_progress_says_rate_and_time_left() -> None:
    told = line(Progress(total=100_000_000, done=50_000_000, events=400_000), 5)
    assert told == "50%  400,000 events, 80,000/s, 10.0 MB/s, 5 s left"
    assert line(Progress(events=10), 1) == "10 events, 10/s, 0.0 MB/s"


CUT = json.dumps(
    {"Records": [record(1, **KEY, userIdentity={"userName": "\ud83d"}, recipientAccountId="1\ud83d")]}
)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["table", "json"])
def test_half_of_a_surrogate_pair_stops_no_output(form: str, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(CUT)
    started = subprocess.run(
        [sys.executable, "-m", "orgmon", "replay", str(tmp_path / "in.json"), "--format", form],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert (started.returncode, started.stderr) == (0, b"")
    assert b"access-key-change" in started.stdout


@pytest.mark.parametrize("form", ["table", "json", "csv", "html"])
def test_half_of_a_surrogate_pair_stops_no_file(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.json").write_text(CUT)
    out = tmp_path / "out"
    assert run(["replay", str(tmp_path / "in.json"), "--format", form, "--out", str(out)]) == 0
    assert capsys.readouterr().err == ""
    assert b"access-key-change" in out.read_bytes()


NAMED = "logs/111122223333_CloudTrail_us-east-1_{}_abc.json.gz"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stamp", "since", "until", "opened"),
    [
        ("20261127T1200Z", "2026-11-27T12:00:59Z", "", True),  # delivered before the minute was over
        ("20261127T1200Z", "2026-11-27T12:01:00Z", "", False),
        ("20261127T1200Z", "", "2026-10-29", True),  # delivered late
        ("20261127T1200Z", "", "2026-10-28", False),
        ("of-another-form", "2026-11-28", "2026-11-29", True),
        ("99999999T9999Z", "2026-11-28", "2026-11-29", True),
        ("00010101T0000Z", "", "2026-11-29", True),
    ],
)
def test_files_of_other_times_are_not_opened(
    stamp: str, since: str, until: str, opened: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeS3({NAMED.format(stamp): gzip.compress(b'{"Records":[]}')})
    times = [f"--{name}={value}" for name, value in (("since", since), ("until", until)) if value]
    assert run(["replay", "s3://trail-files/logs/", *times, "--format", "json"], fake.make) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["files"], data["files_left_out"]) == ((1, 0) if opened else (0, 1))


def test_a_folder_that_cannot_be_listed_is_told_and_is_not_fatal(tmp_path: Path) -> None:
    # One that has gone meanwhile: tests run as root too, who may list every folder that is there.
    [gone] = sources._files(str(tmp_path / "gone"))
    [noted] = [note for part in read(Scanner(Rules(())), gone) for note in part.unread]
    assert noted.name == str(tmp_path / "gone")
    assert "No such file or directory" in noted.reason


def test_files_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    for name in ("b_20260102T0000Z_x", "a_20260103T0000Z_x", "c_20260101T0000Z_x", ".hidden"):
        (tmp_path / name).write_text("")
    assert [Path(file.name).name[0] for file in local(str(tmp_path))] == ["c", "b", "a"]
