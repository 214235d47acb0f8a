"""Whether each promise has a test."""

import re
import subprocess
import sys
from pathlib import Path

PROMISES = (Path(__file__).parents[2] / "docs" / "promises.md").read_text(encoding="utf-8").partition(" by number\n")[2]
ROWS = {int(number) for number in re.findall(r"^\| (\d+) \|", PROMISES, re.MULTILINE)}

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
    """Each promise has a test that carries its number, and each number that a test carries is that of a promise."""
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
    assert not (missing := sorted(ROWS - proven)), f"no test proves promise {missing}"
    assert not (unknown := sorted(proven - ROWS)), f"there is no promise {unknown}"
