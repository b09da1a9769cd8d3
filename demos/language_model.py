"""A recurrent language model learns a text: samples while it learns, perplexity beside n-grams, and shares in time.

``python demos/language_model.py`` learns sentences that a small grammar makes, ``python demos/language_model.py
BOOK.txt`` any text. After Ctrl-C, ``--resume`` goes on from the last checkpoint, bit for bit, to ``--steps`` in all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autodiff.system.console import readable_output

SENTENCES = 1500
SAMPLES = 5  # while it learns
MOST_WORDS = 2000
NOUNS, RELATIVES = ("gull", "boat", "sailor", "lamp", "net"), ("that the {} {}", "near the {}", "")
VERBS = ("turn", "wait", "shine", "sleep")


def grammar_text(sentences: int = SENTENCES, seed: int = 0) -> str:
    """Sentences whose verb agrees with a noun that stands several words before it: a reason to remember."""
    random = np.random.default_rng(seed)

    def one_of(words: Sequence[str]) -> str:
        return words[int(random.integers(len(words)))]

    lines = []
    for _ in range(sentences):
        many, others = random.random(2) < 0.5
        inner, verb = one_of(NOUNS) + "s" * bool(others), one_of(VERBS)
        relative = one_of(RELATIVES).format(inner, "see" + "s" * (not others))
        subject = f"the {one_of(NOUNS)}{'s' * bool(many)} {relative}".strip()
        lines.append(f"{subject} {verb}{'s' * (not many)}.\n")
    return "".join(lines)


def parts_of(text: str, asked: argparse.Namespace) -> tuple[nn.Vocabulary, np.ndarray, np.ndarray]:
    """The vocabulary, and the text as ids: nine tenths to learn from, the rest held out."""
    vocabulary = nn.Vocabulary(text, words=asked.words, most=MOST_WORDS if asked.words else None)
    ids = vocabulary.ids(text)
    return vocabulary, *np.split(ids, [len(ids) * 9 // 10])


def baselines(known: np.ndarray, held_out: np.ndarray, symbols: int) -> dict[str, float]:
    """The perplexity of n-grams on the held-out text."""
    return {f"{n}-grams": nn.perplexity(nn.NGrams(known, n, symbols=symbols).loss(held_out)) for n in range(1, 6)}


def sample(net: nn.RecurrentLM, vocabulary: nn.Vocabulary, asked: argparse.Namespace) -> str:
    """A text that the net makes up."""
    random = np.random.default_rng(asked.seed)
    options = {"temperature": asked.temperature, "top_k": asked.top_k}
    return vocabulary.text(nn.generate(net, asked.sample, random=random, **options))


def train(net: nn.RecurrentLM, known: np.ndarray, asked: argparse.Namespace, measure: Callable[[], float]) -> Any:
    """The steps of a run that is saved again and again; it goes on from its checkpoint if that is asked."""
    x, y = nn.sequences(known, asked.length, streams=asked.streams)
    batches = nn.Batches(x, y, size=asked.streams, random=None)
    carried, history = nn.Carried(batches), nn.History()
    optimizer = nn.AdaGrad(net, rate=asked.rate, clip=asked.clip)
    parts = {"model": net, "optimizer": optimizer, "batches": batches, "carried": carried, "history": history}
    path = asked.output / "language-model.npz"
    if asked.resume:
        nn.resume(path, **parts)
    left = max(asked.steps - optimizer.t, 0)
    stream = nn.fit(net, carried, batches, optimizer=optimizer, steps=left)
    every = max(asked.steps // SAMPLES, 1)
    stream = history(nn.validated(nn.progress(stream, total=left), every=every, perplexity=measure))
    yield from nn.checkpoints(stream, path, every=every, **parts)
    if history:
        (asked.output / "language-model-history.svg").write_text(history.svg(), encoding="utf-8")


def shares(net: nn.RecurrentLM, ids: np.ndarray, asked: argparse.Namespace) -> None:
    """Print and draw how far errors reach: of the net that has learned, and of others before their first step."""
    stretch = ids[: asked.length + 1]
    others: dict[str, dict[str, Any]] = {
        "sigmoid": {"activation": "sigmoid"}, "relu-identity": {"activation": "relu", "init": "identity"},
    }  # fmt: skip
    fresh = {f"{name}, fresh": nn.RecurrentLM(net.symbols, net.units, **each) for name, each in others.items()}
    for said, each in {"learned": net, **fresh}.items():
        found = nn.shares_in_time(each, stretch[:-1], stretch[1:])
        path = asked.output / f"in-time-{said.partition(',')[0]}.svg"
        path.write_text(found.svg(title=f"Shares in time: {said}"), encoding="utf-8")
        far = len(stretch) - 2
        reach, bound = found.reach[far, 0], found.bound[far, 0]
        print(f"{said}: ‖∂h_t/∂h_k‖ is {reach:.3g} over {far} steps, and at most {bound:.3g}; see {path}")
        if each is net:
            print(found.table())


@readable_output()
def main(arguments: Sequence[str] | None = None) -> float:
    """Learn a text, show samples and shares in time, and return the held-out perplexity."""
    asked = parsed(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    text = asked.text.read_text(encoding="utf-8") if asked.text else grammar_text()
    vocabulary, known, held_out = parts_of(text, asked)
    print(f"{vocabulary}: {len(known):,} symbols to learn from, {len(held_out):,} held out")
    for name, reached in baselines(known, held_out, len(vocabulary)).items():
        print(f"  {name}: perplexity {reached:.2f} (e^J, J in nats)")
    net = nn.RecurrentLM(len(vocabulary), asked.units, random=np.random.default_rng(asked.seed))

    def measure() -> float:
        return nn.perplexity(nn.text_loss(net, held_out))

    for step in train(net, known, asked, measure):
        if "perplexity" in step.measures:
            print(f"\nstep {step.number:,}: perplexity {step.measures['perplexity']:.2f}")
            print(sample(net, vocabulary, asked))
    shares(net, held_out, asked)
    reached = measure()
    print(f"held-out perplexity of {net}: {reached:.2f}")
    return reached


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("text", type=Path, nargs="?", help="a UTF-8 text; sentences of a small grammar if left out")
    parser.add_argument("--words", action="store_true", help="learn words instead of characters")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    parser.add_argument("--output", type=Path, default=Path(), help="folder of checkpoint and pictures")
    numbers = {
        "units": (100, "hidden units"), "length": (25, "steps of a stretch"), "streams": (1, "stretches side by side"),
        "steps": (3000, "steps in all"), "sample": (200, "symbols of a sample"), "seed": (0, "of weights and samples"),
        "top-k": (None, "draw from the k likeliest only"),
    }  # fmt: skip
    for name, (default, said) in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{said} (default: {default})")
    for name, number, said in (
        ("rate", 0.1, "learning rate"), ("clip", 5.0, "largest norm of a gradient"), ("temperature", 0.8, "of samples"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=float, default=number, help=f"{said} (default: {number})")
    asked = parser.parse_args(arguments)
    if asked.length > 60:
        parser.error("--length is at most 60, so that its shares in time can be drawn")
    return asked


if __name__ == "__main__":
    main()
