"""A recipe is a Python function that returns a typed configuration. This finds it, changes single values, and runs
it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from omokage.errors import InputError, TrainingError
from omokage.training.ranges import check_ranges

Recipe = Callable[..., Any]
_TREE = Path(__file__).resolve().parents[3]  # of an installed package: somebody else's folder
# The rooms whose processes share one run under torchrun.
_SHARING = ("omokage.attributes.train", "omokage.dialogue.train", "omokage.embeddings.train")


def recipe_folders() -> list[Path]:
    """Where recipes are looked for by name: ``recipes/`` here and, in a checkout, beside the package's source tree."""
    places = [Path.cwd() / "recipes", *([_TREE / "recipes"] if _in_checkout() else [])]
    return [p for i, p in enumerate(places) if p.is_dir() and p not in places[:i]]


def _in_checkout() -> bool:
    return (_TREE / "pyproject.toml").is_file()


def recipe_names() -> list[str]:
    """All recipes that can be called by name, as ``file.function``."""
    found: list[str] = []
    for folder in recipe_folders():
        for path in sorted(folder.glob("*.py")):
            found += [f"{path.stem}.{name}" for name in recipes_in(path)]
    return list(dict.fromkeys(found))


def recipes_in(path: Path) -> dict[str, Recipe]:
    """The public functions that a recipe file defines itself. Raises InputError when the file cannot be loaded."""
    spec = importlib.util.spec_from_file_location(f"omokage_recipe_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(
            f"{path} is no Python file: a recipe is a .py file with a function that returns a configuration"
        )
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file does
        raise InputError(f"the recipe file {path} cannot be loaded: {type(error).__name__}: {error}") from error
    own = inspect.getmembers(module, inspect.isfunction)
    return {name: f for name, f in own if f.__module__ == module.__name__ and not name.startswith("_")}


def find_recipe(name: str) -> Recipe:
    """A recipe by ``file.function`` (``attributes.shipped``), by path, or by ``path.py:function``; a file alone means
    its first recipe. Raises InputError."""
    text, _, function = name.partition(":")
    path = Path(text)
    if path.suffix == ".py":
        if not path.is_file():
            raise InputError(f"no recipe file {path}")
    else:
        stem, _, function = name.partition(".")
        matches = [folder / f"{stem}.py" for folder in recipe_folders() if (folder / f"{stem}.py").is_file()]
        if not matches:
            known = ", ".join(recipe_names()) or "none in a folder recipes/ here"
            where = "" if _in_checkout() else " (the project's own come with a checkout of it)"
            raise InputError(f"no recipe {name!r}: known are {known}{where}; or give the path of a .py file")
        path = matches[0]
    found = recipes_in(path)
    if not function and found:
        return min(found.values(), key=lambda f: int(f.__code__.co_firstlineno))
    if function not in found:
        raise InputError(f"{path} has no recipe {function!r}: it has {', '.join(found) or 'none'}")
    return found[function]


def configure(recipe: Recipe, changes: Sequence[str]) -> Any:
    """The recipe's configuration with ``key=value`` changes.

    A key is an argument of the recipe or a field of its configuration, with dots for nested ones
    (``loss.ordinal=coral``). Values are Python literals; what is none is text. Raises InputError for unknown keys and
    values of another type.
    """
    known = inspect.signature(recipe).parameters
    wanted = dict(_split(change) for change in changes)
    kinds = _kinds(recipe)
    arguments = {key: _argument(value, kinds.get(key), known[key].default, key)
                 for key, value in wanted.items() if key in known}  # fmt: skip
    needed = [
        n for n, p in known.items() if p.default is p.empty and p.kind is not p.VAR_KEYWORD and n not in arguments
    ]
    if needed:
        raise InputError(f"the recipe needs {', '.join(needed)}: add --set {needed[0]}=VALUE")
    config = recipe(**arguments)
    for key, value in wanted.items():
        if key not in arguments:
            config = _changed(config, key.split("."), value, key)
    return config


def run_recipe(config: Any, resume: bool = False) -> Any:
    """Train as the configuration says: by the `train` function of the module that defines its type, or of ``train.py``
    beside that.

    Returns what that function returns. Raises TrainingError when there is none, for numbers that cannot be, and where
    ``torchrun`` would let each process train the whole run.
    """
    place = type(config).__module__
    module = importlib.import_module(place)
    beside = f"{place.rpartition('.')[0]}.train"
    if place.startswith("omokage.") and not hasattr(module, "train") and importlib.util.find_spec(beside):
        module = importlib.import_module(beside)
    if not place.startswith("omokage.") or not hasattr(module, "train"):
        raise TrainingError(f"nothing knows how to train from a {type(config).__name__}")
    if module.__name__ not in _SHARING and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainingError("this room trains in one process: start it without torchrun")
    check_ranges(config)
    takes = inspect.signature(module.train).parameters
    return module.train(config, resume=resume) if "resume" in takes else module.train(config)


def settings_of(config: Any) -> Mapping[str, Any]:
    """All fields of a configuration, nested ones with dots, for printing."""
    found: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value) and not isinstance(value, type) and hasattr(value, "__dataclass_fields__"):
            found |= {f"{field.name}.{name}": inner for name, inner in settings_of(value).items()}
        else:
            found[field.name] = value
    return found


def _split(change: str) -> tuple[str, Any]:
    key, sign, text = change.partition("=")
    if not sign or not key:
        raise InputError(f"--set {change!r} is not key=value, for example --set steps=1000")
    try:
        return key.strip(), ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return key.strip(), text


def _changed(config: Any, path: Sequence[str], value: Any, key: str) -> Any:
    names = [f.name for f in fields(config)] if is_dataclass(config) else []
    if path[0] not in names:
        raise InputError(f"--set {key}: there is no {path[0]!r} here; there are {', '.join(names) or 'no settings'}")
    old = getattr(config, path[0])
    if len(path) > 1:
        return replace(config, **{path[0]: _changed(old, path[1:], value, key)})
    new, kind = _fitting(old, value, key), _kinds(type(config)).get(path[0])
    if not _fits(new, kind):
        raise InputError(f"--set {key}={value!r}: it must be {_named(kind)}")
    return replace(config, **{path[0]: new})


def _fitting(old: Any, value: Any, key: str) -> Any:
    """The value in the type of the one that it replaces. Raises InputError when that is not possible."""
    _check_amount(value, key)
    if isinstance(old, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    same = isinstance(value, type(old)) and isinstance(value, bool) == isinstance(old, bool)
    if old is None or value is None or same:
        return value
    raise InputError(f"--set {key}={value!r}: it must be of the same kind as {_short(old)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _argument(value: Any, kind: Any, default: Any, key: str) -> Any:
    """The value for an argument of a recipe, which may compute with it: so its kind is checked before. Raises
    InputError."""
    _check_amount(value, key)
    if (kind is str or _of_texts(kind)) and isinstance(value, int | float):
        return str(value)  # a folder may be called 5
    if _fits(value, kind):
        return value
    like = "" if default is inspect.Parameter.empty else f", such as {default!r}"
    raise InputError(f"--set {key}={value!r}: it must be {_named(kind)}{like}")


def _check_amount(value: Any, key: str) -> None:
    """Raises InputError for less than no steps or minutes, or an endless number of them."""
    if key.rpartition(".")[2] in ("steps", "minutes") and isinstance(value, int | float) and not 0 <= value < math.inf:
        raise InputError(f"--set {key}={value!r}: it must be finite, 0 or more")


def _kinds(of: Any) -> Mapping[str, Any]:
    """The types that a recipe's arguments or a configuration's fields are declared with, as far as they are known."""
    try:
        return get_type_hints(of)
    except Exception:  # whatever the user's file names
        return {}


def _fits(value: Any, kind: Any) -> bool:
    """Whether a literal may stand where this type is declared; types that this does not know take everything."""
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is type(None):
        return value is None
    if kind in (int, float):
        return isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    if kind in (str, bool):
        return isinstance(value, kind)
    if _of_texts(kind):  # recipes take folders as one text with commas, too
        return isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(v, str) for v in value))
    return True


def _of_texts(kind: Any) -> bool:
    return get_origin(kind) in (Sequence, list, tuple) and set(get_args(kind)) <= {str, ...}


def _named(kind: Any) -> str:
    """A declared type in words."""
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(_named(part) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if _of_texts(kind):
        return "a text, or a list of texts"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", type(None): "None"}
    return names.get(kind, str(kind))
