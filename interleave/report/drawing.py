"""Writing a diagram to a file: as DOT source, or rendered.

Graphviz's `dot` renders where it is installed. Else graphviz-pure does, a port of it that comes
with `pip install`. That one has no PDF and knows no fonts but its own, for Latin, Greek and
Cyrillic: for PDF, and for other characters in PNG, it draws an SVG, which typst converts with the
fonts of the machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import unicodedata
from pathlib import Path

from interleave.errors import InterleaveError
from interleave.interrupts import held_back
from interleave.report.formats import PICTURES

_DPI, _LEAST_DPI = 144, 48
_MOST_PIXELS = 16_000  # of a PNG's width or height
_TIMEOUT = 300.0  # seconds

# Graphviz's names for the fonts are those of PostScript; few machines have just these.
_FONTS = {
    "Helvetica,sans-Serif": "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif",
    "Courier,monospace": "Courier New, Liberation Mono, DejaVu Sans Mono, monospace",
}

_TYPST_PAGE = """\
#set document(date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg")
"""
_TYPST_DATE = "#set document(date: datetime(year: 2000, month: 1, day: 1))\n"
_NO_GLYPH = re.compile(r"the text `\"(.*?)\"` could not be displayed")
# What graphviz-pure's own fonts hold: up to Cyrillic, and the signs that reports are made of.
_HAS_BUILTIN_GLYPH = re.compile(
    r"[\t\n\r -~\xa0-\u017f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f"
    r"–—‘’“”•…→←≠≤≥−]*"
)


class DiagramError(InterleaveError):
    """A diagram that cannot be written: an unknown suffix, no renderer, or a renderer's failure."""


def check_suffix(path: Path) -> None:
    """Raise DiagramError where no diagram format has the suffix of a file."""
    if path.suffix.lower() not in PICTURES:
        raise DiagramError(
            f"no diagram format has the suffix {path.suffix!r} of {path}",
            remedy=f"name the file with one of {', '.join(PICTURES)}",
        )


def write_diagram(dot_source: str, path: Path) -> None:
    """Write DOT source to `path`, in the format that its suffix names.

    Raises DiagramError where the suffix is not one of `PICTURES`, where nothing on this machine
    can render the format or one of the characters, where rendering fails, and where the file
    cannot be written.
    """
    check_suffix(path)
    suffix = path.suffix.lower()
    data = PICTURES[suffix](dot_source, suffix)
    try:
        with held_back():  # not by half
            path.write_bytes(data)
    except OSError as error:
        raise DiagramError(f"cannot write {path}: {error.strerror or error}") from error


def source(dot_source: str, suffix: str) -> bytes:
    """The picture as it is written down."""
    return dot_source.encode()


def rendered(dot_source: str, suffix: str) -> bytes:
    """The picture in the format that has this suffix. Raises DiagramError where that fails."""
    form = suffix[1:]
    system_dot = shutil.which("dot")
    if system_dot is not None:
        return _run(system_dot, dot_source, form)
    pure = _find_graphviz_pure()
    drawable = _HAS_BUILTIN_GLYPH.fullmatch(dot_source) is not None
    if form == "svg" or (form == "png" and drawable):
        return _run(pure, dot_source, form)
    svg = _run(pure, dot_source, "svg").decode()
    return _convert(svg, form, _dots_per_inch(dot_source))


def _dots_per_inch(dot_source: str) -> int:
    """The resolution of a PNG: less for a drawing so large that few viewers could show it."""
    places = re.findall(r' pos="([0-9.]+),-?([0-9.]+)"', dot_source)
    inches = max((float(length) / 72 for place in places for length in place), default=0.0)
    return max(min(_DPI, int(_MOST_PIXELS / max(inches, 1.0))), _LEAST_DPI)


def _find_graphviz_pure() -> str:
    scripts = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    for folder in (*scripts, None):
        found = shutil.which("graphviz-pure", path=folder)
        if found is not None:
            return found
    raise DiagramError(
        "nothing on this machine can render a diagram",
        remedy="pip install graphviz-pure, or install Graphviz, or write a .dot file",
    )


def _run(executable: str, dot_source: str, form: str) -> bytes:
    command = [executable, f"-T{form}"]
    if form == "png":
        command.append(f"-Gdpi={_dots_per_inch(dot_source)}")
    try:
        done = subprocess.run(  # noqa: S603  (a renderer, found by name)
            command, input=dot_source.encode(), capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DiagramError(f"cannot run {executable}: {error}") from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DiagramError(
            f"{Path(executable).name} failed to render the diagram: "
            + (said[-1] if said else f"exit code {done.returncode}"),
            remedy="write a .dot file and render it elsewhere",
        )
    return done.stdout


def _convert(svg: str, form: str, dpi: int) -> bytes:
    """An SVG as PNG or PDF, with the fonts of this machine."""
    try:
        import typst
    except ImportError as error:
        raise DiagramError(
            f"a .{form} of this diagram needs Graphviz or the Python package typst",
            remedy="pip install typst, or install Graphviz, or write an .svg file",
        ) from error
    for name, families in _FONTS.items():
        svg = svg.replace(f'font-family="{name}"', f'font-family="{families}"')
    # Composed, since a letter with its accent apart keeps typst from finding fonts for the rest.
    inputs = {"svg": unicodedata.normalize("NFC", svg)}
    page = _TYPST_PAGE.encode()
    try:
        _check_glyphs(inputs)
        if form == "png":
            return typst.compile(page, format="png", ppi=float(dpi), sys_inputs=inputs)
        return typst.compile(page, format="pdf", sys_inputs=inputs)
    except typst.TypstError as error:
        raise DiagramError(f"typst failed to convert the diagram to .{form}: {error}") from error


def _check_glyphs(inputs: dict[str, str]) -> None:
    """Raise DiagramError where no font of this machine has one of the characters.

    Typst would draw an empty box instead, and say nothing. PDF/A forbids that, so it tells.
    """
    import typst

    try:
        typst.compile(
            (_TYPST_PAGE + _TYPST_DATE).encode(),
            format="pdf",
            pdf_standards="a-2b",
            sys_inputs=inputs,
        )
    except typst.TypstError as error:
        missing = _NO_GLYPH.search(str(error))
        if missing is not None:
            raise DiagramError(
                f"no font on this machine can draw {missing[1]}",
                remedy="install a font that can (Noto has all scripts), or write an .svg file",
            ) from error
