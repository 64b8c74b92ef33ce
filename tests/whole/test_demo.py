"""The demo, once as a user runs it, away from the checkout: every claim holds and the alert is shown."""

from __future__ import annotations

import re
from pathlib import Path

from tests import sample
from tests.whole.processes import orgmon, own_temporary_folder

README = (sample.ROOT / "README.md").read_text(encoding="utf-8")
# Chapters, command lines and claims; what stands between them, and every number, differs from run to run.
TOLD = re.compile(r"^(?:== |\$ orgmon |  ok  |[0-9]+ of ).*$", re.MULTILINE)


def outline(text: str) -> list[str]:
    """The chapters, command lines and claims of a demo, without numbers."""
    return [re.sub(r"[0-9]+", "N", line) for line in TOLD.findall(text)]


def recorded() -> str:
    """The demo as the docs have it."""
    return (sample.ROOT / "docs" / "demo.md").read_text(encoding="utf-8")


def test_the_demo_holds_what_it_claims_with_the_packaged_sample(tmp_path: Path) -> None:
    # A profile that does not exist is what most users have in their shell: it must not matter.
    shell = own_temporary_folder(tmp_path, AWS_PROFILE="production")
    ended = orgmon("demo", environment=shell, folder=tmp_path)
    assert ended.code == 0, ended.out[-4000:] + ended.err[-2000:]
    assert "  FAIL  " not in ended.out
    told = re.search(r"^(\d+) of (\d+) claims held, in \d+ s\.$", ended.out, re.MULTILINE)
    assert told
    assert told[1] == told[2]
    claims = re.findall(r"^  ok    (.+)$", ended.out, re.MULTILINE)
    assert len(claims) == int(told[2]) >= 14
    for detection in ("decoy-touched", "access-key-change", "trail-tampering"):
        for flow in ("events", "metrics"):
            assert any(claim.startswith(f"{detection} was alerted by {flow} after ") for claim in claims)
    alert = ended.out.partition("One alert as the SOC reads it:")[2]
    for fact in ("Detection:", "decoy-touched", "When:", "Meaning:", "First steps:"):
        assert fact in alert
    assert outline(ended.out) == outline(recorded()), "run: make docs"
    shown = README.partition("$ make demo\n")[2].partition("```")[0]
    assert [line for line in outline(shown) if line not in outline(ended.out)] == []
    # It leaves nothing behind: no note, no copy, no template.
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
    assert list((tmp_path / "notes").iterdir()) == []


def test_a_config_that_is_named_must_be_there(tmp_path: Path) -> None:
    ended = orgmon(
        "demo", "--config", "mine.yaml", environment=own_temporary_folder(tmp_path), folder=tmp_path
    )
    assert ended.code == 1
    assert "mine.yaml" in ended.err
    assert "Traceback" not in ended.err
