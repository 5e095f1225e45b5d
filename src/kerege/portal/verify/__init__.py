"""`/verify`: one static page that verifies proof bundles in the browser, and asks nobody.

`script/` is the twin of `kerege.proofs` in plain JavaScript, file by file; tests/portal/verify compares their verdicts.
"""

from kerege.portal.verify.build import build_page, headers, page_texts

__all__ = ["build_page", "headers", "page_texts"]
