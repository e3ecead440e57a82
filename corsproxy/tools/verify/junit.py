"""A verification as JUnit XML, which CI systems show: a suite for each route, a case for each check.

It must not know how anything was found.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from corsproxy.tools.verify.difference import MEANINGS
from corsproxy.tools.verify.outcome import RouteOutcome, VerifyOutcome

CHECKS = tuple(dict.fromkeys(meaning.check for meaning in MEANINGS.values()))
"""The cases of a suite, in the order of the codes."""


def junit_text(outcome: VerifyOutcome) -> str:
    """Return the whole document."""
    root = ET.Element("testsuites", name="corsproxy verify")
    if outcome.error is not None:
        suite = ET.SubElement(root, "testsuite", name=outcome.plan.url, tests="1", failures="0", errors="1")
        case = ET.SubElement(suite, "testcase", classname=outcome.plan.url, name="answers")
        ET.SubElement(case, "error", message=_xml(outcome.error), type="unreachable")
    else:
        for route in outcome.routes:
            _suite(root, route)
    for one in outcome.plan.not_asked:
        suite = ET.SubElement(root, "testsuite", name=one.route.path, tests="1", failures="0", errors="0", skipped="1")
        case = ET.SubElement(suite, "testcase", classname=one.route.path, name="asked")
        ET.SubElement(case, "skipped", message=_xml(one.why))
    for counted in ("tests", "failures", "errors", "skipped"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(root: ET.Element, route: RouteOutcome) -> None:
    path = route.plan.route.path
    suite = ET.SubElement(root, "testsuite", name=path, errors="0", skipped="0")
    failed = 0
    for check in CHECKS:
        case = ET.SubElement(suite, "testcase", classname=path, name=check)
        ones = [one for one in route.differences if one.meaning.check == check]
        failed += bool(ones)
        if ones:
            first = ones[0].found
            failure = ET.SubElement(case, "failure", message=_xml(first.message), type=first.code.value)
            failure.text = "\n".join(
                _xml(
                    f"{one.found.code}: {one.found.message}\n"
                    f"  asked as: {', '.join(one.found.origins)}\n"
                    f"  a browser {one.meaning.browser} ({one.meaning.rule})\n"
                    f"  {one.place}"
                )
                for one in ones
            )
    suite.set("tests", str(len(CHECKS)))
    suite.set("failures", str(failed))


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
