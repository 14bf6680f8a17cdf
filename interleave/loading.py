"""Finding models: in a file, in a folder, or in a class at hand."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import inspect
import io
import linecache
import os
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from interleave.blaming import blaming, raised_at
from interleave.errors import (
    MODEL_FILES,
    InterleaveError,
    ModelError,
    Place,
    UsageError,
    did_you_mean,
)
from interleave.explored import explored
from interleave.interrupts import Stopped, keeping_handlers, seen_from_outside, whole
from interleave.memory.streams import before_threads
from interleave.memory.values import members_of
from interleave.model import BOUNDS, OPTIONS, Expectation, Model, is_parameter_value
from interleave.notes import notes_of
from interleave.options import Options
from interleave.program.misuse import refuse_outside
from interleave.project import real_path
from interleave.records import dataclass
from interleave.runtimes import Runtime, runtimes_of
from interleave.said import said, said_by
from interleave.scripts.recognizing import is_script
from interleave.world.homes import CLASS_MODULE


def model_files(paths: list[Path]) -> list[Path]:
    """The files that paths name, each once: files, the `.py` files in folders, and modules, by
    their dotted names. Those in folders are sorted by name.

    Raises `UsageError` for what is not there.
    """
    files: list[Path] = []
    for path in paths:
        if os.path.isdir(path):
            files += _files_in(path)
        elif os.path.lexists(path):
            files.append(path)
        else:
            files += _files_of_module(str(path))
    return [*{real_path(file): file for file in reversed(files)}.values()][::-1]


def _files_in(folder: Path) -> list[Path]:
    found = sorted(
        file
        for file in folder.rglob("*.py")
        if not any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
    )
    if not found:
        raise UsageError(f"there is no Python file in folder {folder}", remedy="name a model file")
    return found


def _files_of_module(name: str) -> list[Path]:
    """The file of a module, or those of a package; modules here come before installed ones."""
    found = None
    if all(part.isidentifier() for part in name.split(".")):
        with _importing_from(Path.cwd()), _kept_out_of_the_process():
            try:
                found = importlib.util.find_spec(name)
            except Stopped:
                raise
            except InterleaveError as error:
                raise error.at(raised_at(error)) from None
            except BaseException as error:
                place = raised_at(error)
                # A package around it is imported, which may raise anything.
                if place is not None or not isinstance(error, ImportError | ValueError):
                    raise ModelError(
                        f"{name} cannot be imported: {said(error)}", place=place
                    ) from error
    if found is None:
        raise UsageError(f"there is no file {name}", remedy="check the path")
    if found.submodule_search_locations is not None:
        return [
            file for folder in found.submodule_search_locations for file in _files_in(here(folder))
        ]
    return [here(found.origin or name)]


def module_named(name: str) -> types.ModuleType:
    """A module, imported; those in the present folder come before installed ones.

    Raises `InterleaveError`.
    """
    with _importing_from(Path.cwd()), _kept_out_of_the_process(), seen_from_outside():
        try:
            return importlib.import_module(name)
        except Stopped:
            raise
        except InterleaveError as error:
            raise error.at(raised_at(error)) from None
        except BaseException as error:
            lacking = getattr(error, "name", None) or ""
            if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{lacking}."):
                known = [*sys.stdlib_module_names, *(each.name for each in pkgutil.iter_modules())]
                raise UsageError(
                    f"there is no module {lacking!r}",
                    remedy=did_you_mean(lacking, known) + "name one that Python can import here",
                ) from None
            raise ModelError(
                f"{name} cannot be imported: {said(error)}", place=raised_at(error)
            ) from error


def here(path: str) -> Path:
    """A path as a user would write it: from the present folder, if it is in there."""
    there, here = Path(path), Path.cwd()
    return there.relative_to(here) if there.is_relative_to(here) else there


Noted = Callable[[], AbstractContextManager[None]]
"""What an error is raised in that keeps nothing else from being checked."""


@dataclass(frozen=True)
class ModelFile:
    """A file that was run: what it is in words, and the classes of models that it defines."""

    file: Path
    module: types.ModuleType
    definitions: ast.Module
    defined: tuple[type[Model], ...]
    broken: frozenset[str]
    """The names of the classes that could not be made."""


def load_models(file: Path) -> list[type[Model]]:
    """The models of a file that is looked at on its own: see `models_in`."""
    return models_in(read_file(file), [])


def models_in(
    home: ModelFile,
    others: Sequence[ModelFile],
    *,
    required: bool = True,
    noted: Noted = nullcontext,
) -> list[type[Model]]:
    """The models of a file, in order of definition.

    A class that is there only to be derived from does not count: one without threads, or one that
    lacks what others define that derive from it, here or in `others`.
    Raises `ModelError` where there is none, if `required`; and within `noted()` for what belongs to
    no model.
    """
    if home.defined or required:
        elsewhere = [model for each in others for model in each.defined]
        with noted():
            refuse_outside(home.module, home.definitions, home.defined, elsewhere)
    if not home.defined and required and not home.broken:
        raise ModelError(
            f"there is no model in {home.file}",
            remedy="define one: `class Counter(Model):`, with `from interleave import Model`",
        )
    files = [home, *others]
    return [
        model
        for model in home.defined
        if not _is_base(
            model, [pair for each in files for pair in _derived_from(model, home, each)]
        )
    ]


def _derived_from(
    model: type[Model], home: ModelFile, other: ModelFile
) -> Iterator[tuple[type[Model], type]]:
    """The models of a file that derive from a model, each with that one as it has it.

    A file that is checked, and that another one imports, has been run twice.
    """
    for each in other.defined:
        for base in each.__mro__[1:]:
            if base is model or _is_copy(base, model, home, other):
                yield each, base


def _is_copy(base: type, model: type[Model], home: ModelFile, other: ModelFile) -> bool:
    """Whether a class is a model of the file `home`, as the file `other` has imported it."""
    if base.__qualname__ != model.__qualname__ or base.__module__ == other.module.__name__:
        return False
    file = getattr(sys.modules.get(base.__module__), "__file__", None)
    return file is not None and os.path.realpath(file) == os.path.realpath(home.file)


@contextmanager
@whole
def standing_in(file: Path, text: str) -> Iterator[None]:
    """Have a text be what whoever asks for the lines of a file is given, and not what is in it."""
    name = str(file)
    lines = io.StringIO(text).readlines()
    linecache.cache[name] = (len(text), None, lines, name)
    try:
        yield
    finally:
        linecache.cache.pop(name, None)


def read_file(
    file: Path,
    *,
    noted: Noted = nullcontext,
    script: Mapping[str, object] | None = None,
    text: str | None = None,
) -> ModelFile:
    """Run a file.

    It may be a script if `script` has what is to be replaced in it. `text` is what to take for what
    is in it, within `standing_in`.
    Raises `ModelError` where it cannot be run; and within `noted()` where a single class of the
    file cannot be made.
    """
    if not file.is_file():
        what = "a folder" if file.is_dir() else "no file that can be read"
        raise ModelError(f"{file} is {what}", remedy="name a text file with Python code")
    module_name = f"{MODEL_FILES}{file.stem}"
    linecache.checkcache(str(file))
    module = types.ModuleType(module_name)
    module.__file__ = str(file)
    folder, module.__package__ = _package_of(file)
    sys.modules[module_name] = module
    with _blaming_file(file):
        if text is None:
            text = importlib.util.decode_source(file.read_bytes())
        definitions = ast.parse(text, str(file))
        flags = compile(text, str(file), "exec", dont_inherit=True).co_flags & _FUTURE
    is_read_as_script = script is not None and is_script(definitions)
    folders = _importing_from(folder, real_path(file).parent)
    with folders, _kept_out_of_the_process(), seen_from_outside():
        if is_read_as_script:
            from interleave.scripts.script import Script  # which few files are

            with _blaming_file(file, as_script=True):
                model = Script(definitions, str(file), flags, script or {}).model(module)
            return ModelFile(file, module, definitions, (model,), frozenset())
        broken = _run(definitions, flags, file, module, noted)
    values: list[Any] = [*vars(module).values()]
    values += [test for value in values for test in _tests_in(value, module_name)]
    for place, value in enumerate(values):
        with noted():
            if (test := explored(value)) is not None:
                values[place] = test.model
    models = [
        value
        for value in values
        if issubclass(type(value), type)
        and issubclass(value, Model)
        and value is not Model
        and value.__module__ == module_name
    ]
    return ModelFile(file, module, definitions, tuple(dict.fromkeys(models)), broken)


def _tests_in(value: Any, module: str) -> Iterator[Any]:
    """The methods of a class of tests that a module defines, and of classes in it, which stand for
    models.
    """
    if issubclass(type(value), type) and CLASS_MODULE(value) == module:  # it is asked nothing
        for member in members_of(value).values():
            function = member.__func__ if type(member) is staticmethod else member
            if explored(function) is not None:
                yield function
            else:
                yield from _tests_in(member, module)


_FUTURE = annotations.compiler_flag
"""What a file may ask of the compiler for all its statements."""


def _run(
    definitions: ast.Module, flags: int, file: Path, module: types.ModuleType, noted: Noted
) -> frozenset[str]:
    """Run what a file defines, one by one; the names of the classes that cannot be made.

    What needs one of these is left out: its mistake is told of already.
    """
    broken: set[str] = set()
    for place, statement in enumerate(definitions.body):
        is_class = isinstance(statement, ast.ClassDef)
        if place and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # it would be taken for the docstring
        # Compiled under the path as it was given, so that reports show it so.
        single = ast.Module([statement], [])
        code = compile(single, str(file), "exec", flags, dont_inherit=True)
        is_made = False
        with noted() if is_class else nullcontext(), _blaming_file(file):
            try:
                exec(code, module.__dict__)  # noqa: S102  (it is the user's own file)
            except NameError as error:
                if error.name not in broken:
                    raise
            else:
                is_made = True
            finally:
                replaced = _put_back_builtins()
            if replaced:
                raise ModelError(
                    f"this puts something else in the place of Python's own {replaced[0]}, "
                    "for all modules",
                    remedy=f"a global of this file that is named {replaced[0]} is enough",
                    place=Place(str(file), statement.lineno),
                )
        if isinstance(statement, ast.ClassDef) and not is_made:
            broken.add(statement.name)
    return frozenset(broken)


_TO_OUTSIDE = frozenset({"__build_class__", "__import__", "breakpoint", "input", "open", "print"})
"""Functions of Python that programs replace, and on which nothing depends that is computed here."""

_BUILTINS = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type | types.BuiltinFunctionType) and name not in _TO_OUTSIDE
}


def _put_back_builtins() -> list[str]:
    """Have Python's own functions and classes be what they were. Gives the names of those that were
    not; until then, none of them can be called.
    """
    present = builtins.__dict__
    replaced = [name for name, real in _BUILTINS.items() if present.get(name) is not real]
    for name in replaced:
        present[name] = _BUILTINS[name]
    return replaced


@contextmanager
def _blaming_file(file: Path, *, as_script: bool = False) -> Iterator[None]:
    """Turn what is raised when a file is read and run into an error with a place in it."""
    try:
        yield
    except SyntaxError as error:
        line = error.lineno or 1
        column = None if error.offset is None else max(error.offset - 1, 0)
        raise ModelError(
            f"syntax error: {error.msg}", place=Place(error.filename or str(file), line, column)
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if Place.of_error(str(file), error) is not None:
            raise _raised(error, file, as_script=as_script) from error
        raise ModelError(
            f"{file} cannot be read: {said_by(error)}", remedy="name a text file with Python code"
        ) from None
    except InterleaveError as error:
        raise error.at(raised_at(error)) from None
    except Stopped:
        raise
    except BaseException as error:
        raise _raised(error, file, as_script=as_script) from error


def _is_base(model: type[Model], derived: list[tuple[type[Model], type]]) -> bool:
    """Whether a model is there only to be derived from."""
    if not derived and not inspect.isabstract(model):
        return False
    if not has_threads(model):
        return True
    from interleave.bases import is_base  # which needs the compiler

    return not notes_of(model).expectations and is_base(model, derived)


def _package_of(file: Path) -> tuple[Path, str]:
    """The folder that a file is imported from, and the name of the package that it is in, or ""."""
    folder, names = real_path(file).parent, []
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.append(folder.name)
        folder = folder.parent
    return folder, ".".join(reversed(names))


@contextmanager
@whole
def _importing_from(*folders: Path) -> Iterator[None]:
    """Have modules in these folders come first."""
    usual = [*sys.path]
    sys.path[:0] = map(str, dict.fromkeys(folders))
    try:
        yield
    finally:
        sys.path[:] = usual


@contextmanager
@whole
def _kept_out_of_the_process() -> Iterator[None]:
    """Keep what a file does when it is imported from what is done besides: other files are checked.

    It stays in its folder, and the process does not end. What it prints is no report. It may have
    calls go deeper, but not less deep than what is to be undone here. Handlers of signals stay, and
    so do modules.
    """
    folder, deepest, set_deepest = Path.cwd(), sys.getrecursionlimit(), sys.setrecursionlimit
    names = ("_exit", "abort", "fork", "forkpty")
    usual = {name: getattr(os, name) for name in names if hasattr(os, name)}
    for name in usual:
        setattr(os, name, partial(_refuse, name))
    modules = {**sys.modules}
    sys.setrecursionlimit = lambda limit, /: set_deepest(max(limit, deepest))
    try:
        with before_threads(), keeping_handlers():
            yield
    finally:
        sys.setrecursionlimit = set_deepest
        sys.setrecursionlimit(deepest)
        for name, function in usual.items():
            setattr(os, name, function)
        for name, module in modules.items():
            sys.modules.setdefault(name, module)
        os.chdir(folder)


def _refuse(name: str, *_: object) -> None:
    does = "doubles" if "fork" in name else "ends"
    raise ModelError(
        f"os.{name} {does} the process, with all that is checked in it",
        remedy='keep it under if __name__ == "__main__":',
    )


def _raised(error: BaseException, file: Path, *, as_script: bool) -> ModelError:
    remedy = "a model file must be importable; keep what it runs under "
    remedy += 'if __name__ == "__main__":'
    return ModelError(
        f"the file raises {said(error)}",
        remedy="a script must come to where it starts its threads" if as_script else remedy,
        place=raised_at(error) or Place.of_error(str(file), error),
    )


def own_options(model: type[Model]) -> Mapping[str, object]:
    """The options that a model is to be checked with, if nobody says otherwise."""
    found: Mapping[str, object] = vars(model).get(OPTIONS, {})
    return found


def has_threads(model: type[Model]) -> bool:
    """Whether any method of a model is marked as a thread, a process, a task or a goroutine."""
    return bool(notes_of(model).threads)


def task_methods(model: type[Model]) -> list[str]:
    """The names of the methods of a model that are marked as tasks, sorted."""
    return sorted(notes_of(model).tasks)


def file_of(model: type[Model]) -> str:
    """The file that a model is defined in, or what stands for it at a prompt and in a notebook."""
    try:
        return inspect.getsourcefile(model) or "?"
    except (TypeError, OSError):
        functions = (each for each in vars(model).values() if inspect.isfunction(each))
        return next((each.__code__.co_filename for each in functions), "?")


@blaming()
def parameters_of(model: type[Model], given: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a model with their values: what is `given`, else the defaults.

    Values given as text (from the command line) are read as Python literals of the default's type.
    Raises `UsageError` for a value of another type.
    """
    found = {**notes_of(model).parameters}
    replaced = dict(vars(model).get(BOUNDS, ()))
    for name, value in given.items():
        if name in found:
            found[name] = _converted(model, name, value, found[name])
    return {**found, **replaced}


class Text(str):
    """A parameter's value as it was typed: what type it is of, its default says."""


def _converted(model: type[Model], name: str, value: object, default: object) -> object:
    if isinstance(value, Text):
        value = str(value) if isinstance(default, str) else _read(value)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if not is_parameter_value(value):
        raise UsageError(
            f"parameter {name} of {model.__name__} cannot be {value!r}",
            remedy="give a number, a string, a bool, None, or a tuple of these",
        )
    if default is not None and type(value) is not type(default):
        wanted = type(default).__name__
        raise UsageError(
            f"parameter {name} of {model.__name__} cannot be {value!r}: "
            f"it is {'an' if wanted[0] in 'aeiou' else 'a'} {wanted}",
            remedy=f"give a value like the default, {default!r}",
        )
    return value


def _read(text: str) -> object:
    """The literal that a text stands for, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return str(text)


def expectation_of(model: type[Model], runtime: Runtime) -> Expectation | None:
    """What the check of a model must find under a runtime; None where it does not say."""
    expectations = notes_of(model).expectations
    for wanted in (runtime.name, None):
        for expectation in expectations:
            if expectation.runtime == wanted:
                return expectation
    return None


def loop_settings(model: type[Model], options: Options) -> dict[str, object]:
    """What the event loop of a model is asked to do, as parameters; {} where it has none."""
    tasks = task_methods(model)
    has_order = options.order and notes_of(model).has_loops
    found: dict[str, object] = {"ORDER": options.order} if has_order else {}
    cancels = tuple(each for each in options.cancel if each.partition("[")[0] in tasks)
    return {**found, "CANCEL": cancels} if cancels else found


def checked_runtime(runtime: str | None, model: type[Model]) -> Runtime:
    """The runtime to use: the one asked for by name, if the threads of a model can be checked
    under it; else their own.
    """
    possible = runtimes_of({note.kind for note in notes_of(model).threads.values()})
    return next((each for each in possible if each.name == runtime), possible[0])
