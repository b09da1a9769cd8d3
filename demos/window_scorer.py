"""Train the notes' window scorer to find places: is the centre word of five words a place?

    python demos/window_scorer.py                     the small corpus in demos/data
    python demos/window_scorer.py FILE                any CoNLL-style file (tag in the last column), or windows in .npz

The words of five windows are drawn in the folder window-scorer; --pictures names another one.

The score is s = Uᵀ f(Wx + b), where x is the concatenation of the vectors of the words and of their shapes (small
letters, Capitals, digits …). The objective is the max-margin objective J = Σ max(0, Δ + s_c − s) over pairs of a window
around a place and a corrupt window around another word (the notes, sections 1.3 to 1.5).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tagged_text import UNKNOWN, Corpus, Token, Vocabulary, Windows, cut, plain_tag, read
from window_picture import effects, window_picture

import nn
from autodiff import error_flow
from autodiff.engine.backward import backpropagate
from autodiff.system.console import readable_output
from autodiff.system.extras import install
from autodiff.telling.steps import steps
from autodiff.words.notation import number

LOGISTIC = "logistic regression, one-hot window"

Scores = Any  # an array with one score for each window

# ---- measures --------------------------------------------------------------------------------------------------------


def auc(scores: Scores, target: Any) -> float:
    """The probability that a random target window scores higher than a random other window; ties count half.

    >>> auc(np.array([0.9, 0.2, 0.2, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    hits = int(target.sum())
    return float((ranks[target].sum() - hits * (hits + 1) / 2) / (hits * (len(target) - hits)))


def f1(scores: Scores, target: Any, threshold: float) -> float:
    """F1 = 2·found/(predicted + targets); windows that score at least the threshold are predicted.

    >>> f1(np.array([0.9, 0.6, 0.1]), np.array([True, False, True]), 0.5)
    0.5
    """
    said = scores >= threshold
    return float(2 * (said & target).sum() / (said.sum() + target.sum()))


def best_threshold(scores: Scores, target: Any) -> float:
    """The score that gives the largest F1 as a threshold.

    >>> best_threshold(np.array([0.9, 0.6, 0.1]), np.array([True, True, False]))
    0.6
    """
    order = np.argsort(-scores, kind="stable")
    found, said = np.cumsum(target[order]), np.arange(1, len(order) + 1)
    last_of_its_score = np.append(np.diff(scores[order]) != 0, True)
    return float(scores[order][np.argmax(2 * found / (said + target.sum()) * last_of_its_score)])


@dataclass(frozen=True)
class Result:
    """AUC and F1 of one scoring method on the test part; its threshold is chosen on the development part."""

    title: str
    auc: float
    f1: float
    threshold: float


def measured(title: str, dev: tuple[Scores, Any], test: tuple[Scores, Any]) -> Result:
    """AUC and F1 on the test part, at the best threshold of the development part."""
    threshold = best_threshold(*dev)
    return Result(title, auc(*test), f1(*test, threshold), threshold)


# ---- baselines -------------------------------------------------------------------------------------------------------


def dictionary(train: Windows) -> Any:
    """Scores by the centre word alone: how often it was a target in training; the base rate for an unseen word."""
    centres = [_centre(window) for window in train.tokens]
    seen, hits = Counter(centres), Counter(word for word, hit in zip(centres, train.target, strict=True) if hit)
    base = train.target.mean()
    return lambda windows: np.array(
        [(hits[word] + base) / (seen[word] + 1) for word in map(_centre, windows.tokens)]
    )  # fmt: skip


def _centre(window: Sequence[Token]) -> tuple[str, str]:
    token = window[len(window) // 2]
    return token.text, token.shape


def logistic(train: Windows, words: int) -> Any:
    """Scores by logistic regression, with one feature for each place in the window and each word or shape."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    def features(windows: Windows) -> Any:
        count, places = windows.ids.shape
        columns = windows.ids + np.arange(places) * words
        rows = np.repeat(np.arange(count), places)
        return csr_matrix((np.ones(columns.size), (rows, columns.ravel())), shape=(count, places * words))

    model = LogisticRegression(max_iter=2000).fit(features(train), train.target)
    return lambda windows: model.decision_function(features(windows))


# ---- training --------------------------------------------------------------------------------------------------------


def train(
    scorer: nn.WindowScorer, data: dict[str, Windows], unknown: int, options: Any, random: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Train, and yield (mean J per pair, AUC on dev) after each epoch; finally, restore the best epoch's parameters."""
    optimiser = nn.AdaGrad(scorer, rate=options.rate)
    true, others = (data["train"].ids[choice] for choice in (data["train"].target, ~data["train"].target))
    best, kept = -1.0, scorer.state()
    for _ in range(options.epochs):
        pairs = random.permutation(np.tile(true, (options.pairs, 1)))
        corrupts = others[random.integers(0, len(others), len(pairs))]
        total = 0.0
        for start in range(0, len(pairs), options.batch):
            both = (
                _with_unknowns(side[start : start + options.batch], unknown, options.unknown, random)
                for side in (pairs, corrupts)
            )
            optimiser.zero_grad()
            J = nn.max_margin(*map(scorer, both), margin=options.margin)
            J.backward()
            optimiser.step()
            total += J.item()
        reached = auc(scorer.predict(data["dev"].ids), data["dev"].target)
        if reached > best:
            best, kept = reached, scorer.state()
        yield total / len(pairs), reached
    scorer.load(kept)


def _with_unknowns(ids: Any, unknown: int, share: float, random: np.random.Generator) -> Any:
    """Ids with a fraction of the words, not of the shapes, made unknown, so that the rest of the window is learned."""
    hidden = random.random(ids.shape) < share
    hidden[:, 1::2] = False
    return np.where(hidden, unknown, ids)


# ---- examples --------------------------------------------------------------------------------------------------------


def examples(scores: Scores, target: Any, threshold: float) -> list[tuple[str, int]]:
    """Up to five interesting windows, each with the reason."""
    said = scores >= threshold
    kinds = [
        ("found, with the highest score", said & target, -scores),
        ("found, but only just", said & target, scores),
        ("missed, by the widest margin", ~said & target, scores),
        ("false alarm, with the highest score", said & ~target, -scores),
        ("correctly rejected, but only just", ~said & ~target, -scores),
    ]
    chosen: list[tuple[str, int]] = []
    for title, choice, order in kinds:
        places = [k for k in np.flatnonzero(choice) if k not in {taken for _, taken in chosen}]
        if places:
            chosen.append((title, int(min(places, key=lambda k: order[k]))))
    return chosen


def explain(scorer: nn.WindowScorer, ids: Any, window: Sequence[Token]) -> Iterator[str]:
    """The contribution of each word to the score, and the flow of the error to the weight that affects it most."""
    values = scorer.scalar()
    s = values(ids)
    signals = backpropagate(s)
    x = values.vectors(ids)
    pairs = zip(window, effects(scorer, ids, window), strict=True)
    words = (f"{token.text} {number(effect, 2)}" for token, effect in pairs)
    yield "contribution of each word to s, to first order (∂s/∂x · x): " + ", ".join(words)
    weight, word = _busiest_weight(values, x, signals, window)
    flow = error_flow(s, weight)
    yield f"{weight.name} reads {word}: {flow.derivative} = {flow.formula()}"
    yield from (f"  {line}" for step in steps(flow) for line in str(step).splitlines())


def _busiest_weight(
    values: nn.WindowScorer, x: Any, signals: dict[Any, Any], window: Sequence[Token]
) -> tuple[Any, str]:
    """The weight with the largest |∂s/∂W| among those that read the centre word or its shape, and what it reads."""
    dimensions, first = values.L.shape[1], len(x) // len(window) * (len(window) // 2)
    weights = values.layer.W[:, first : first + 2 * dimensions]
    row, column = max(np.ndindex(weights.shape), key=lambda place: abs(signals[weights[place]]))
    token, dimension = window[len(window) // 2], column % dimensions + 1
    return weights[row, column], f"dimension {dimension} of {token.word if column < dimensions else token.shape}"


# ---- the program -----------------------------------------------------------------------------------------------------


def prepared(options: Any, random: np.random.Generator) -> tuple[Corpus, Vocabulary, dict[str, Windows]]:
    """The corpus, its vocabulary and its windows by part; raises ValueError if a part has only targets, or none."""
    corpus = read(options.path, random, name=options.name, words=options.words)
    vocabulary = Vocabulary(corpus.parts["train"], corpus.vectors)
    data = {part: cut(found, vocabulary, width=options.window, tag=options.tag) for part, found in corpus.parts.items()}
    for part, windows in data.items():
        if not windows.target.any() or windows.target.all():
            tags = sorted({token.tag for sentence in corpus.parts[part] for token in sentence} - {"O"})
            raise ValueError(
                f"{options.path}: the part {part!r} needs words that are tagged {options.tag} and words that are not; "
                f"its tags are {', '.join(tags) or 'all O'}"
            )
    return corpus, vocabulary, data


def run(options: Any) -> list[Result]:
    """Train, measure, compare and explain; print everything, and return the rows of the table."""
    random = np.random.default_rng(options.seed)
    corpus, vocabulary, data = prepared(options, random)
    embedding = vocabulary.embedding(options.dimensions, corpus.vectors, random)
    scorer = nn.WindowScorer(
        embedding, 2 * options.window, options.hidden, activation=options.activation, random=random
    )  # fmt: skip
    for part, windows in data.items():
        count = len(corpus.parts[part])
        print(f"{part}: {count} sentences, {len(windows.target)} windows, {windows.target.sum()} targets")
    sizes = {str(name): item.shape for name, item in scorer.parameters().items()}
    print("parameters:", ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in sizes.items()))
    epochs = train(scorer, data, vocabulary[UNKNOWN], options, random)
    with options.bar(total=options.epochs, unit="epoch", disable=None) as bar:
        for k, (J, reached) in enumerate(epochs, start=1):
            bar.write(f"epoch {k:3}: J = {J:.4f} per pair, AUC {reached:.4f} on dev")
            bar.update()
    results = compared(scorer.predict, data, len(vocabulary))
    report(results)
    show_examples(scorer, data["test"], results[-1], options.pictures)
    print(f"\n{conclusion(results)}")
    return results


def compared(score: Any, data: dict[str, Windows], words: int) -> list[Result]:
    """The result of each scoring method, that of the scorer last."""
    dev, test = data["dev"], data["test"]
    ways = {"centre-word dictionary": dictionary(data["train"])}
    try:
        ways[LOGISTIC] = logistic(data["train"], words)
    except ImportError:
        print(f"logistic regression was not run: it needs scikit-learn, {install('demos')}")
    ways["window scorer"] = lambda windows: score(windows.ids)
    majority = Result("majority (never a target)", auc=0.5, f1=0.0, threshold=np.inf)
    rows = [measured(title, (way(dev), dev.target), (way(test), test.target)) for title, way in ways.items()]
    return [majority, *rows]


def report(results: Sequence[Result]) -> None:
    """Print the table, and whether the scorer beats each of the other methods."""
    print(f"\n{'on the test part':38}{'AUC':>8}{'F1':>8}   (threshold from the dev part)")
    for result in results:
        print(f"{result.title:38}{result.auc:8.4f}{result.f1:8.4f}")
    *others, scorer = results
    for other in others:
        print(verdict(scorer, other))
    if LOGISTIC not in {other.title for other in others}:
        print(f"The {LOGISTIC}, was not run, so the scorer is not compared with it.")


def verdict(scorer: Result, other: Result) -> str:
    """Whether the scorer beats another method in both measures, and if not, in which it does not.

    >>> verdict(Result("scorer", 0.9, 0.541, 0.0), Result("logistic regression", 0.8, 0.587, 0.0))
    'The scorer does not beat the logistic regression: F1 0.5410 against 0.5870.'
    """
    measures = (("AUC", scorer.auc, other.auc), ("F1", scorer.f1, other.f1))
    lost = [f"{name} {own:.4f} against {theirs:.4f}" for name, own, theirs in measures if not own > theirs]
    if not lost:
        return f"The scorer beats the {other.title}, in both measures."
    return f"The scorer does not beat the {other.title}: {', '.join(lost)}."


def conclusion(results: Sequence[Result]) -> str:
    """The closing sentence: the scorer's measures, and every other method that beats it, with the measure in which.

    >>> rows = [Result("dictionary", 0.8, 0.5, 0.0), Result("regression", 0.8, 0.587, 0.0)]
    >>> conclusion([*rows, Result("window scorer", 0.9, 0.541, 0.0)])
    'The window scorer reaches AUC 0.9000 and F1 0.5410; the regression beats it in F1 (0.5870).'
    """
    *others, scorer = results
    beaten = []
    for other in others:
        pairs = (("AUC", scorer.auc, other.auc), ("F1", scorer.f1, other.f1))
        better = [f"{name} ({theirs:.4f})" for name, own, theirs in pairs if theirs > own]
        if better:
            beaten.append(f"the {other.title} beats it in {' and '.join(better)}")
    said = ", ".join(beaten) or "no other method that was run beats it"
    return f"The {scorer.title} reaches AUC {scorer.auc:.4f} and F1 {scorer.f1:.4f}; {said}."


def show_examples(scorer: nn.WindowScorer, test: Windows, result: Result, pictures: Path) -> None:
    """Print up to five windows of the test part with their scores and flows, and draw their words."""
    pictures.mkdir(parents=True, exist_ok=True)
    scores = scorer.predict(test.ids)
    for k, (title, place) in enumerate(examples(scores, test.target, result.threshold), start=1):
        window = test.tokens[place]
        words = [f"[{token.text}]" if j == len(window) // 2 else token.text for j, token in enumerate(window)]
        print(f"\nexample {k}: {' '.join(words)}")
        print(f"{title}: s = {number(scores[place])}, the threshold is {number(result.threshold)}")
        print("\n".join(explain(scorer, test.ids[place], window)))
        drawn = window_picture(scorer, test.ids[place], window).save(pictures / f"example-{k}.svg")
        print(f"drawn: {drawn.path}")


def _number(kind: type, title: str, holds: Callable[[Any], bool]) -> Callable[[str], Any]:
    """A function that reads a number of the command line; its name is the title that argparse uses in its error."""

    def read_number(text: str) -> Any:
        value = kind(text)
        if not holds(value):
            raise ValueError
        return value

    read_number.__name__ = title
    return read_number


_natural = _number(int, "whole number from 0", lambda n: n >= 0)
_count = _number(int, "whole number from 1", lambda n: n >= 1)
_odd = _number(int, "odd number", lambda n: n >= 1 and n % 2 == 1)
_positive = _number(float, "positive number", lambda x: 0 < x < np.inf)
_share = _number(float, "fraction from 0 to below 1", lambda x: 0 <= x < 1)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("path", nargs="?", type=Path, default=Path(__file__).with_name("data") / "places.conll")
    add("--tag", type=plain_tag, default="LOC", help="the tag to find; ANY for all tags but O (default: LOC)")
    add("--name", help="the corpus in an .npz archive (default: its first)")
    add("--words", type=Path, help="a file with the words of an .npz archive; line k (from 0) is the word with id k")
    add("--window", type=_odd, default=5, help="words in a window (default: 5)")
    add("--dimensions", type=_count, default=20, help="length of word vectors, if the file has none (default: 20)")
    add("--hidden", type=_count, default=16, help="hidden units (default: 16)")
    add("--activation", default="sigmoid", help="activation of the hidden units (default: sigmoid)")
    add("--epochs", type=_count, default=15, help="epochs of training (default: 15)")
    add("--pairs", type=_count, default=5, help="corrupt windows for each true window in an epoch (default: 5)")
    add("--batch", type=_count, default=32, help="pairs in a step (default: 32)")
    add("--rate", type=_positive, default=0.05, help="learning rate of AdaGrad (default: 0.05)")
    add("--margin", type=_positive, default=1.0, help="Δ (default: 1)")
    add("--unknown", type=_share, default=0.2, help="fraction of words hidden in training (default: 0.2)")
    add("--pictures", type=Path, default=Path("window-scorer"), help="folder of the pictures (default: window-scorer)")
    add("--seed", type=_natural, default=0, help="seed of all random numbers (default: 0)")
    return parser.parse_args(arguments)


@readable_output()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 2, after one sentence, if a file or an option is wrong."""
    options = parsed(arguments)
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"window_scorer: the progress bar needs tqdm, {install('demos')}", file=sys.stderr)
        return 2
    options.bar = tqdm
    try:
        run(options)
    except (ValueError, MemoryError, OSError) as error:
        print(f"window_scorer: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
