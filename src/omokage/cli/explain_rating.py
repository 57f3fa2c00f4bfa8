"""Blind verdicts on pairs of heat maps, for `omokage explain --rate`."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from omokage.cli.explain_words import line
from omokage.errors import InputError

if TYPE_CHECKING:
    from omokage.explain.rating import Agreement, Duel, Verdict
    from omokage.pipeline import Analyzer
    from omokage.results import RelevanceMap

_LOG = "verdicts.jsonl"


def rate(
    folder: Path, rater: str, images: list[Path], target: str, method: str, rules: str, crops: bool,
    analyzer: Analyzer, language: str = "en",
) -> None:  # fmt: skip
    """Pairs of heat maps into the folder, verdicts from standard input, agreement to standard output."""
    from omokage.explain.rating import VERDICTS, Verdict, agreement

    # Propagation takes part only where it was asked for.
    methods = ["occlusion", "gradients", "smoothgrad", *(["lrp"] if method == "lrp" else [])]
    listed = _pairs(folder, images, target, methods, rules, crops, analyzer)
    log = folder / _LOG
    verdicts = _verdicts(log)
    done = {v.duel for v in verdicts if v.rater == rater}
    typer.echo(line("which", language, target=_target(target, language)), err=True)
    for duel in listed:
        if duel.number in done:
            continue
        typer.echo(f"{folder / _file(duel)}: ", nl=False, err=True)
        choice = sys.stdin.readline().strip().lower()
        while choice and choice not in (*VERDICTS, "q"):
            typer.echo(line("choose", language), nl=False, err=True)
            choice = sys.stdin.readline().strip().lower()
        if choice not in VERDICTS:  # q, or the end of the input
            break
        verdicts.append(Verdict(rater, duel.number, choice))
        done.add(duel.number)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"rater": rater, "pair": duel.number, "choice": choice}) + "\n")
    _tell(listed, agreement(listed, verdicts), sum(duel.number not in done for duel in listed), language)


def _tell(listed: list[Duel], result: Agreement, left: int, language: str) -> None:
    """Which methods win, and how far raters agree."""
    from omokage.report.explain_words import explained

    if left:  # who knows which methods win so far would no longer judge the rest blind
        typer.echo(line("left", language, left=left, n=len(listed)))
    else:
        for name, (won, lost, drawn) in sorted(result.wins.items(), key=lambda item: -item[1][0]):
            typer.echo(line("wins", language, name=explained(name, language), won=won, lost=lost, drawn=drawn))
    if result.raters is None:
        typer.echo(line("one_rater", language))
    else:
        share, kappa = f"{100 * result.raters:.0f}", ""
        if result.kappa is not None:
            kappa = line("kappa", language, kappa=f"{result.kappa:.2f}")
        typer.echo(line("agreement", language, share=share, n=result.shared) + kappa)


def _target(target: str, language: str) -> str:
    from omokage.report.explain_words import target_name

    return target if language == "en" else target_name(target, language)


def _file(duel: Duel) -> str:
    return f"pair-{duel.number:03d}.png"


def _pairs(
    folder: Path, images: list[Path], target: str, methods: list[str], rules: str, crops: bool, analyzer: Analyzer
) -> list[Duel]:
    """The folder's pairs: those of an earlier run of the same question, else drawn and written now."""
    from omokage.explain.rating import Duel, duels
    from omokage.media.files import output_error, whole_file

    key = folder / "key.json"
    # Everything that the maps depend on: verdicts about other maps must not be counted together.
    asked = {"target": target, "pictures": [str(i) for i in images], "methods": methods, "rules": rules,
             "crops": crops, "weights": analyzer.describe(crops)}  # fmt: skip
    if key.is_file():
        try:
            known = json.loads(key.read_text(encoding="utf-8"))
            if known["asked"] != asked:
                raise InputError(f"{folder} holds pairs of another question or of other weights; choose another folder")
            return [Duel(**row) for row in known["pairs"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{key} is damaged ({error}); choose another folder") from error
    if (folder / _LOG).exists():
        raise InputError(f"{folder} holds verdicts but no key.json, which says about what; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    seed = secrets.randbits(32)  # a known one would tell every rater which side is whose
    listed = duels([str(i) for i in images], methods, seed)
    _draw(folder, listed, target, rules, crops, analyzer)
    with whole_file(key) as file:
        rows = [{"number": d.number, "picture": d.picture, "left": d.left, "right": d.right} for d in listed]
        file.write(json.dumps({"asked": asked, "seed": seed, "pairs": rows}, indent=1) + "\n")
    return listed


def _draw(folder: Path, listed: list[Duel], target: str, rules: str, crops: bool, analyzer: Analyzer) -> None:
    """Each pair as one picture: the crop, map A, map B."""
    import numpy as np

    from omokage.pipeline.explain import explain as why
    from omokage.report.explain import heat_map
    from omokage.report.pairs import beside, write_png

    maps: dict[tuple[str, str], RelevanceMap] = {}
    for duel in listed:
        for method in (duel.left, duel.right):
            if (duel.picture, method) not in maps:
                maps[duel.picture, method] = why(
                    Path(duel.picture), target, method, crops=crops, analyzer=analyzer, rules=rules
                )
        left, right = maps[duel.picture, duel.left], maps[duel.picture, duel.right]
        shown = beside([("", left.crop.image), ("A", heat_map(left)), ("B", heat_map(right))])
        write_png(folder / _file(duel), np.asarray(shown, np.uint8))


def _verdicts(log: Path) -> list[Verdict]:
    from omokage.explain.rating import VERDICTS, Verdict

    if not log.is_file():
        return []
    found = []
    for number, written in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(written)
            verdict = Verdict(str(row["rater"]), int(row["pair"]), str(row["choice"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{log}, line {number}: not a verdict; repair or delete the line") from error
        if verdict.choice in VERDICTS:
            found.append(verdict)
    return found
