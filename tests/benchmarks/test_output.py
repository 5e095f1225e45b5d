"""Each benchmark prints one JSON object with every figure; one it cannot give is null, with the reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEYS = {
    "transfers": {
        "limit_verifications_per_s", "accounts", "transfers", "transaction_bytes", "transfers_per_s", "of_limit",
        "plain_transfers_per_s", "plain_of_limit", "lone_ms_median", "postgres_transfers_per_s", "of_postgres",
        "anvil_transfers_per_s", "of_anvil", "peak_memory_mib", "durability", "finality",
    },
    "proofs": {
        "log_entries", "state_keys", "bundle_bytes_log_path_one_signature", "bundle_bytes_state_path_three_signatures",
        "made_ms_median", "verified_ms_median", "within_2000_bytes", "within_3500_bytes",
    },
    "importing": {
        "small_rows", "large_rows", "small_rows_per_s", "import_rows_per_s", "memory_growth", "outcomes_equal_truth",
        "start_page_ms_p95", "verify_page_ms_p95", "pages_kib", "http_single_per_s", "anvil_single_per_s",
        "single_of_anvil", "http_batched_per_s", "anvil_transfers_per_s", "batched_of_anvil", "engine_per_s",
        "batched_of_engine", "read_ms_p95_under_load",
    },
    "growth": {
        "small_accounts", "large_accounts", "small_transfers_per_s", "large_transfers_per_s", "large_of_small",
        "ready_s_after_stop", "cached_values", "peak_memory_mib",
    },
    "engine": {
        "engine", "validators", "transaction_bytes", "transactions", "turns", "finality", "finalize_2000_ms_median",
        "kvstore_per_s", "python_per_s", "python_of_kvstore", "kvstore_engine_us", "python_engine_us",
        "python_application_us", "machine_load", "kvstore_socket_per_s", "python_of_kvstore_socket",
        "kvstore_socket_engine_us", "kvstore_socket_application_us",
    },
    "network": {
        "engine", "validators", "processors", "transfers", "finality", "transaction_bytes", "machine_load",
        "kvstore_per_s", "singly_per_s", "in_parcels_per_s", "singly_of_kvstore", "in_parcels_of_kvstore", "of_kvstore",
        "half_load_per_s", "half_load_p95_s", "lone_ms_median", "after_idling_ms_median", "records_per_s",
        "one_validator_per_s", "embedded_per_s", "one_validator_of_embedded", "finalize_2000_ms_median",
        "signatures_us", "execution_us", "tree_us", "storage_us", "kvstore_engine_us", "in_parcels_engine_us",
        "in_parcels_application_us", "empty_python_of_kvstore",
    },
}  # fmt: skip


REAL_ENGINES = {"engine", "network"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.engine] if name in REAL_ENGINES else []) for name in sorted(KEYS)]
)
def test_prints_every_figure(name: str) -> None:
    """One object, the same keys whatever the size, a reason for every null."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json", "--quick", "--size", "3000"],
        cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    )  # fmt: skip
    figures = json.loads(done.stdout)
    assert figures.keys() >= KEYS[name] | {"quick", "reasons"}
    assert figures["quick"] is True
    missing = {key for key, value in figures.items() if value is None}
    assert {key for key in missing if not key.startswith("of_") and not key.endswith("of_limit")} == set(
        figures["reasons"]
    )
