"""That each promise has a test, found by its number."""

import subprocess
import sys
from pathlib import Path

ROWS = range(1, 62)

COLLECT = """
import sys
import pytest

class Rows:
    def pytest_collection_modifyitems(self, items):
        for item in items:
            for mark in item.iter_markers("promise"):
                print("row", *mark.args, *mark.kwargs.values())

sys.exit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[Rows()]))
"""


def test_every_row_has_a_test() -> None:
    """Each promise is proven by a test that carries its number, and no test proves one that there is not."""
    tests = Path(__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", COLLECT, str(tests)],
        capture_output=True,
        cwd=tests.parent,
        text=True,
        timeout=120,
        check=False,
    )
    proven = {int(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("row ")}

    assert 0 == run.returncode, run.stdout + run.stderr
    assert not (missing := sorted(set(ROWS) - proven)), f"no test proves promise {missing}"
    assert not (unknown := sorted(proven - set(ROWS))), f"there is no promise {unknown}"
