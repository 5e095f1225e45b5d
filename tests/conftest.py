"""What holds for every test: in CI nothing is skipped but what reads an absent ../shared."""

import os

import hypothesis
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


# In CI the same examples each time, so that what is submitted does not fail by chance; elsewhere new ones are drawn.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI") == "true":
    hypothesis.settings.load_profile("ci")
