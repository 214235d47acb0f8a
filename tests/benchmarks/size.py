"""How large the package is, as a download and when it is installed."""

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.contenders import VENDOR
from benchmarks.figures import Figure, Spread, Target, Unit

INSTALLED = "installed"
WITH_ALL = "with all that it requires"

_KB = 1000
_MIB = 1024 * 1024


def measure_size(wheel: Path) -> list[Figure]:
    """Measure the size of the wheel, and of this package and the vendor's when they are installed."""
    ours, vendor = "elevenlabs-tokens", "elevenlabs"
    return [
        _figure("wheel", "", "kB", wheel.stat().st_size / _KB, Target("<", 150.0)),
        _figure(INSTALLED, "", "MiB", _installed({ours}) / _MIB),
        _figure(f"{INSTALLED} {WITH_ALL}", "", "MiB", _installed(_required(ours)) / _MIB),
        _figure(INSTALLED, VENDOR, "MiB", _installed({vendor}) / _MIB),
        _figure(f"{INSTALLED} {WITH_ALL}", VENDOR, "MiB", _installed(_required(vendor)) / _MIB),
    ]


def _figure(measure: str, against: str, unit: Unit, size: float, target: Target | None = None) -> Figure:
    return Figure(measure, against, unit, Spread(size, size, size), target)


def _installed(names: set[str]) -> int:
    """Return the bytes that the files take on the disk, in whole blocks, compiled files included."""
    files = [file for name in names for file in metadata.files(name) or ()]
    return sum(path.stat().st_blocks * 512 for file in files if (path := Path(str(file.locate()))).is_file())


def _required(name: str) -> set[str]:
    found: set[str] = set()
    pending = [name]
    while pending:
        if (package := canonicalize_name(pending.pop())) in found:
            continue
        found.add(package)
        requirements = map(Requirement, metadata.requires(package) or ())
        pending += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found
