"""Proofs as JUnit XML, for CI systems that show test results."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from orgmon.detections.proof import Proofs


def junit_xml(results: Sequence[Proofs]) -> str:
    """A suite a detection, a case an example and form; what cannot be compiled, or is lacking, is an error."""
    root = ElementTree.Element("testsuites", name="orgmon detections")
    for result in results:
        root.append(_suite(result))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(result: Proofs) -> ElementTree.Element:
    broken = [
        *(("compile", what) for what in result.refusals),
        *(("rule", str(what)) for what in result.lacks),
    ]
    failures = sum(not proof.holds for proof in result.proofs)
    suite = ElementTree.Element(
        "testsuite",
        name=result.detection.id,
        tests=str(len(result.proofs) + len(broken)),
        failures=str(failures),
        errors=str(len(broken)),
    )
    for proof in result.proofs:
        name = f"example {proof.example}: {proof.form}"
        case = ElementTree.SubElement(suite, "testcase", classname=result.detection.id, name=name)
        if not proof.holds:
            wanted = "match" if proof.expected else "ignore"
            ElementTree.SubElement(case, "failure", message=f"it should {wanted} the record and does not")
    for name, what in broken:
        case = ElementTree.SubElement(suite, "testcase", classname=result.detection.id, name=name)
        ElementTree.SubElement(case, "error", message=what)
    return suite
