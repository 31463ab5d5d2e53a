"""Make the CMake files of the ROS wheels name this interpreter's include folders.

The wheels export the include folders of Python and numpy of the machine that built them, and CMake
refuses targets whose include folders do not exist. Files are replaced, never edited in place:
installers may share them with a cache through hard links.
"""

import argparse
import re
import sys
import sysconfig
from pathlib import Path

NUMPY_INCLUDE = re.compile(r'[^";\n]+/site-packages/numpy/(?:_core|core)/include(?=[";\n])')
PYTHON_INCLUDE = re.compile(r'[^";\n]+/include/python3\.\d+(?=[";\n])')


def patch_text(text: str, python_include: str, numpy_include: str) -> str:
    """CMake text with every include folder of Python and numpy replaced by the given ones."""
    text = NUMPY_INCLUDE.sub(lambda _: numpy_include, text)
    return PYTHON_INCLUDE.sub(lambda _: python_include, text)


def patch_tree(prefix: Path, python_include: str, numpy_include: str) -> list[Path]:
    """Patch ``share/*/cmake/*.cmake`` below a prefix and return the files that changed."""
    changed = []
    for path in sorted(prefix.glob("share/*/cmake/*.cmake")):
        text = path.read_text(encoding="utf-8")
        patched = patch_text(text, python_include, numpy_include)
        if patched != text:
            replacement = path.with_name(path.name + ".new")
            replacement.write_text(patched, encoding="utf-8")
            replacement.chmod(path.stat().st_mode)
            replacement.replace(path)
            changed.append(path)
    return changed


def main() -> None:
    """Entry point: patch the environment that runs this script."""
    import numpy

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", type=Path, default=Path(sys.prefix))
    prefix = parser.parse_args().prefix
    python_include = sysconfig.get_path("include")
    if not (Path(python_include) / "Python.h").is_file():
        parser.error(
            f"{python_include}/Python.h is missing: install the headers of this Python "
            f"(Debian, Ubuntu: apt-get install python3-dev)"
        )
    changed = patch_tree(prefix, python_include, numpy.get_include())
    print(f"patched {len(changed)} CMake files of the ROS wheels")


if __name__ == "__main__":
    main()
