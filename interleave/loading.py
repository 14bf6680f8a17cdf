"""Finding models: in a file, in a folder, or in a class at hand."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import linecache
import sys
import types
from collections.abc import Mapping
from pathlib import Path

from interleave.errors import InterleaveError, ModelError, Place, UsageError
from interleave.model import RUNTIMES, Expectation, Model, is_parameter_value
from interleave.notes import notes_of, runtimes_of
from interleave.program.misuse import refuse_outside


def model_files(paths: list[Path]) -> list[Path]:
    """The files that paths name: files themselves, and the `.py` files in folders, by name.

    Raises `UsageError` for what is not there.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(
                file
                for file in path.rglob("*.py")
                if not any(part.startswith((".", "__")) for part in file.relative_to(path).parts)
            )
            if not found:
                raise UsageError(
                    f"there is no Python file in folder {path}", remedy="name a model file"
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"there is no file {path}", remedy="check the path")
    return list(dict.fromkeys(files))


def load_models(file: Path, *, required: bool = True) -> list[type[Model]]:
    """The model classes that a file defines, in order of definition.

    A class that is there only to be derived from does not count: one without threads, or one that
    lacks what others define that derive from it.
    Raises `ModelError` where the file cannot be run, and where it has no model, if `required`.
    """
    module_name = f"__interleave_model__.{file.stem}"
    linecache.checkcache(str(file))
    module = types.ModuleType(module_name)
    module.__file__ = str(file)
    sys.modules[module_name] = module
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        # Compiled under the path as it was given, so that reports show it so.
        text = importlib.util.decode_source(file.read_bytes())
        code = compile(text, str(file), "exec")
        exec(code, module.__dict__)  # noqa: S102  (it is the user's own file)
    except SyntaxError as error:
        line = error.lineno or 1
        column = None if error.offset is None else max(error.offset - 1, 0)
        raise ModelError(
            f"syntax error: {error.msg}", place=Place(error.filename or str(file), line, column)
        ) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if Place.of_error(str(file), error) is not None:
            raise _raised(error, file) from error
        raise ModelError(
            f"{file} cannot be read: {error}", remedy="name a text file with Python code"
        ) from None
    except InterleaveError as error:
        raise error.at(Place.of_error(str(file), error)) from None
    except (Exception, SystemExit) as error:
        raise _raised(error, file) from error
    finally:
        sys.path.remove(folder)
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Model)
        and value is not Model
        and value.__module__ == module_name
    ]
    models = list(dict.fromkeys(models))
    if models or required:
        refuse_outside(module, ast.parse(text), models)
    if not models and required:
        raise ModelError(
            f"there is no model in {file}",
            remedy="define one: `class Counter(Model):`, with `from interleave import Model`",
        )
    derived_from = {base for model in models for base in model.__mro__[1:]}
    return [m for m in models if not _is_base(m, models, derived=m in derived_from)]


def _is_base(model: type[Model], models: list[type[Model]], *, derived: bool) -> bool:
    """Whether a model is there only to be derived from."""
    if not derived and not inspect.isabstract(model):
        return False
    if not has_threads(model):
        return True
    from interleave.bases import is_base  # which needs the compiler

    return not notes_of(model).expectations and is_base(model, models)


def _raised(error: BaseException, file: Path) -> ModelError:
    return ModelError(
        f"the file raises {type(error).__name__}: {error}",
        remedy="a model file must be importable; keep what it runs under "
        'if __name__ == "__main__":',
        place=Place.of_error(str(file), error),
    )


def has_threads(model: type[Model]) -> bool:
    """Whether any method of a model is marked as a thread, a process, a task or a goroutine."""
    return bool(notes_of(model).threads)


def task_methods(model: type[Model]) -> list[str]:
    """The names of the methods of a model that are marked as tasks, sorted."""
    return sorted(notes_of(model).tasks)


def file_of(model: type[Model]) -> str:
    """The file that a model is defined in."""
    try:
        return inspect.getsourcefile(model) or "?"
    except TypeError:
        return "?"


def parameters_of(model: type[Model], given: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a model with their values: what is `given`, else the defaults.

    Values given as text (from the command line) are read as Python literals of the default's type.
    Raises `UsageError` for a value of another type.
    """
    found = {**notes_of(model).parameters}
    for name, value in given.items():
        if name in found:
            found[name] = _converted(model, name, value, found[name])
    return found


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


def expectation_of(model: type[Model], runtime: str) -> Expectation | None:
    """What the check of a model must find under a runtime; None where it does not say."""
    expectations = notes_of(model).expectations
    for wanted in (runtime, None):
        for expectation in expectations:
            if expectation.runtime == wanted:
                return expectation
    return None


def checked_runtime(runtime: str | None, model: type[Model] | None = None) -> str:
    """The runtime to use: the one asked for, but a `model` of processes, of tasks or of goroutines
    alone has its own. With tasks alone, "gil" can be asked for: it says how threads switch that
    they start.

    Raises `UsageError` for one that does not exist.
    """
    if runtime is not None and runtime not in RUNTIMES:
        raise UsageError(
            f"there is no runtime {runtime!r}", remedy=f"the runtimes are {', '.join(RUNTIMES)}"
        )
    notes = {} if model is None else notes_of(model).threads
    possible = runtimes_of({note.kind for note in notes.values()})
    return runtime if runtime in possible else possible[0]
