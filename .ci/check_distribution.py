"""Check what the wheel and the sdist in a folder hold: `python check_distribution.py dist`."""

import sys
import tarfile
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
(sdist,) = folder.glob("*.tar.gz")

names = zipfile.ZipFile(wheel).namelist()
tops = {name.split("/")[0] for name in names}
unexpected = {top for top in tops if top != "interleave" and not top.endswith(".dist-info")}
assert not unexpected, f"the wheel holds {sorted(unexpected)}"
assert "interleave/py.typed" in names, "the wheel lacks py.typed"
assert any(name.endswith("licenses/LICENSE") for name in names), "the wheel lacks the licence"
assert not any("__pycache__" in name for name in names), "the wheel holds caches"

with tarfile.open(sdist) as archive:
    parts = {name.split("/")[1] for name in archive.getnames() if "/" in name}
allowed = {
    "interleave", "models", "examples", "tests", "docs", "benchmarks", "README.md", "LICENSE",
    "pyproject.toml", "PKG-INFO", ".gitignore",
}  # fmt: skip
assert parts <= allowed, f"the sdist holds {sorted(parts - allowed)}"
print(f"{wheel.name} and {sdist.name} hold what they should")
