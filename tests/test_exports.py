"""The public skin: what is promised exists, and importing it costs nothing heavy."""

import json
import subprocess
import sys

import pytest

import omokage

HEAVY = ("torch", "numba", "cv2", "pyarrow", "PIL", "rich")


def test_every_public_name_resolves() -> None:
    assert omokage.__all__ == sorted(omokage.__all__, key=lambda n: (not n.isupper(), n.islower(), n))
    for name in omokage.__all__:
        assert getattr(omokage, name) is not None
    assert set(omokage.__all__) <= set(dir(omokage))


def test_nothing_is_lazy_but_not_listed() -> None:
    assert set(omokage._HOME_OF) == set(omokage.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = omokage.no_such_name


@pytest.mark.parametrize("module", ["omokage", "omokage.cli.main"])
def test_import_loads_nothing_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(m for m in {HEAVY!r} if m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_what_the_documentation_uses_is_public() -> None:
    from omokage.embeddings.predict import Embedder
    from omokage.media.sources import Source
    from omokage.pipeline.adapt import AdaptOptions, adapt
    from omokage.pipeline.dialogue import Talk

    assert omokage.adapt is adapt
    assert omokage.AdaptOptions is AdaptOptions
    assert (omokage.Embedder, omokage.Source, omokage.Talk) == (Embedder, Source, Talk)
