"""What holds for every test: in CI nothing is skipped but what reads an absent ../shared."""

import os

import pytest

ALLOWED = "../shared"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where CI would otherwise be green without having looked."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        _path, _line, reason = report.longrepr
        if ALLOWED not in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: in CI nothing is skipped but for an absent {ALLOWED}. It said: {reason}"
    return report
