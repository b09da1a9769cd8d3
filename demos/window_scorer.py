"""Train the notes' window scorer to find places: is the centre word of five words a place?

    python demos/window_scorer.py                     the small corpus in demos/data
    python demos/window_scorer.py FILE                any CoNLL-style file (tag in the last column), or windows in .npz

The score is s = Uᵀ f(Wx + b), where x is the concatenation of the vectors of the words and of their shapes (small
letters, Capitals, digits …). The objective is the max-margin objective J = Σ max(0, Δ + s_c − s) over pairs of a window
around a place and a corrupt window (the notes, sections 1.3 to 1.5). ``python -m autodiff predict`` uses the result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from window_baselines import LOGISTIC, baselines

import nn
from autodiff.system.console import readable_output
from autodiff.system.extras import install

SENTENCE = "Museums in Paris are amazing"
Row = tuple[str, float, nn.Found, nn.Found, float]  # title, AUC, of words, of entities, threshold


def prepared(asked: argparse.Namespace, random: np.random.Generator) -> tuple[nn.Corpus, dict[str, nn.Windows]]:
    """The corpus, and its windows by part; raises ValueError if a part has only targets, or none."""
    corpus = nn.read_tagged(asked.path, random, name=asked.name, words=asked.words)
    vocabulary = nn.WindowVocabulary.of(corpus.parts["train"], corpus.vectors, features=asked.features)
    windows = {
        part: nn.cut_windows(found, vocabulary, width=asked.window, tag=asked.tag)
        for part, found in corpus.parts.items()
    }
    for part, found in windows.items():
        if found.target.all() or not found.target.any():
            tags = ", ".join(sorted({token.tag for token in found.centres} - {"O"})) or "all O"
            raise ValueError(
                f"{asked.path}: the part {part!r} needs words that are tagged {asked.tag} and words that are not; "
                f"its tags are {tags}"
            )
        print(f"{part}: {len(found.sentences)} sentences, {len(found)} windows, {found.target.sum()} targets")
    return corpus, windows


def train(scorer: nn.WindowScorer, windows: dict[str, nn.Windows], asked: Any, random: np.random.Generator) -> None:
    """Train, print J and the AUC on dev after each epoch, and keep the parameters of the best epoch."""
    pairs = nn.WindowPairs(
        windows["train"], size=asked.batch, random=random, corrupt=asked.corrupt, repeats=asked.pairs,
        hidden=asked.unknown,
    )  # fmt: skip
    dev, history = windows["dev"], nn.History()

    def objective(scorer: nn.WindowScorer, true: Any, corrupt: Any) -> Any:
        return nn.max_margin(scorer(true), scorer(corrupt), margin=asked.margin)

    stream = nn.fit(scorer, objective, pairs, optimizer=nn.AdaGrad(scorer, rate=asked.rate), epochs=asked.epochs)
    best = nn.EarlyStopping("auc", patience=max(asked.epochs, 1), rising=True, model=scorer)
    measured = nn.validated(
        nn.progress(stream, total=asked.epochs * len(pairs)), every=len(pairs),
        auc=lambda: nn.auc(scorer.predict(dev.ids), dev.target),
    )  # fmt: skip
    total = 0.0
    for step in best(history(measured)):
        total += step.J
        if "auc" in step.measures:
            count = asked.pairs * windows["train"].target.sum()
            print(f"epoch {step.epoch:3}: J = {total / count:.4f} per pair, AUC {step.measures['auc']:.4f} on dev")
            total = 0.0


def measured(title: str, way: Any, dev: nn.Windows, test: nn.Windows) -> Row:
    """How well a way to score finds the targets of the test part, at the best threshold of the dev part."""
    scores, threshold = way(test), nn.best_threshold(way(dev), dev.target)
    said = scores >= threshold if np.ptp(scores) else np.zeros(len(test), bool)
    words = nn.precision_recall(said.astype(float), test.target, 0.5)
    return title, nn.auc(scores, test.target), words, nn.entity_f1(*test.tags(said)), threshold


def report(rows: Sequence[Row]) -> None:
    """Print the table, and for each other way whether the scorer beats it, and if not, in what."""
    print(f"\n{'on the test part':38}{'AUC':>8}{'P':>8}{'R':>8}{'F1':>8}{'F1 of entities':>16}   (threshold from dev)")
    for title, area, words, whole, _ in rows:
        print(f"{title:38}{area:8.4f}" + "".join(f"{x:8.4f}" for x in words) + f"{whole.f1:16.4f}")
    *others, own = rows
    for other in others:
        pairs = (("AUC", own[1], other[1]), ("F1", own[2].f1, other[2].f1), ("F1 of entities", own[3].f1, other[3].f1))
        lost = ", ".join(f"{name} {ours:.4f} against {theirs:.4f}" for name, ours, theirs in pairs if ours <= theirs)
        print(f"The scorer does not beat the {other[0]}: {lost}." if lost else f"The scorer beats the {other[0]}.")
    if LOGISTIC not in {other[0] for other in others}:
        print(f"The {LOGISTIC}, was not run: it needs scikit-learn, {install('demos')}.")


def run(asked: argparse.Namespace) -> list[Row]:
    """Train, compare and save; print everything, and return the rows of the table, the scorer's last."""
    if asked.seed < 0:
        raise ValueError(f"--seed must be at least 0, and got {asked.seed}")
    random = np.random.default_rng(asked.seed)
    corpus, windows = prepared(asked, random)
    vocabulary = windows["train"].vocabulary
    vectors = vocabulary.embedding(asked.dimensions, corpus.vectors, random=random)
    scorer = nn.WindowScorer(
        vectors, windows["train"].ids.shape[1], asked.hidden, activation=asked.activation, random=random
    )  # fmt: skip
    train(scorer, windows, asked, random)
    ways = {**baselines(windows["train"]), "window scorer": lambda found: scorer.predict(found.ids)}
    rows = [measured(title, way, windows["dev"], windows["test"]) for title, way in ways.items()]
    report(rows)
    nn.Tagger(scorer, vocabulary, tag=asked.tag, threshold=rows[-1][-1]).save(asked.output)
    print(f'\nSaved; now try: python -m autodiff predict {asked.output} "{SENTENCE}" --why 3')
    return rows


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("path", nargs="?", type=Path, default=Path(__file__).with_name("data") / "places.conll")
    add("--tag", type=str.upper, default="LOC", help="the tag to find; ANY for all tags but O (default: LOC)")
    add("--name", help="the corpus in an .npz archive (default: its first)")
    add("--words", type=Path, help="a file with the words of an .npz archive; line k (from 0) is the word with id k")
    add("--features", nargs="+", default=["word", "shape"], help="word, shape, suffix (default: word shape)")
    add("--corrupt", default="other", help="windows: other, or centre for a replaced centre (default: other)")
    add("--window", type=int, default=5, help="words in a window (default: 5)")
    add("--dimensions", type=int, default=20, help="length of word vectors, if the file has none (default: 20)")
    add("--hidden", type=int, default=16, help="hidden units (default: 16)")
    add("--activation", default="sigmoid", help="activation of the hidden units (default: sigmoid)")
    add("--epochs", type=int, default=15, help="epochs of training (default: 15)")
    add("--pairs", type=int, default=5, help="corrupt windows for each true window in an epoch (default: 5)")
    add("--batch", type=int, default=32, help="pairs in a step (default: 32)")
    add("--rate", type=float, default=0.05, help="learning rate of AdaGrad (default: 0.05)")
    add("--margin", type=float, default=1.0, help="Δ (default: 1)")
    add("--unknown", type=float, default=0.2, help="fraction of words hidden in training (default: 0.2)")
    add("--output", type=Path, default=Path("window-scorer.npz"), help="the model (default: window-scorer.npz)")
    add("--seed", type=int, default=0, help="seed of all random numbers (default: 0)")
    return parser.parse_args(arguments)


@readable_output()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 2, after one sentence, if a file or an option is wrong."""
    asked = parsed(arguments)
    try:
        run(asked)
    except (ValueError, TypeError, MemoryError, OSError) as error:
        print(f"window_scorer: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
