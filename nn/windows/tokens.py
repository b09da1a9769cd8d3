"""Words as a window scorer sees them: text, form, shape and tag; and sentences from plain text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["OUTSIDE", "Sentence", "Token", "plain_sentences", "plain_tag", "token"]

#: The tag of a word that is part of no entity.
OUTSIDE: Final = "O"
_SYNONYMS: Final = {"L": "LOC", "E": "MISC", "0": OUTSIDE, "1": "LOC", "2": "MISC"}
_PREFIX: Final = re.compile("([BIESLU])-")
_WORD: Final = re.compile(r"\w+(?:[-'’.]\w+)*|[^\w\s]")
_ENDS: Final = {".", "!", "?"}


class Token(NamedTuple):
    """One word: its text, its form in the vocabulary, its shape (the kind of its letters), its tag, and its prefix.

    The prefix is B, I, E, S, L or U, the place of the word in its entity, where the file says it; it is "" otherwise.
    """

    text: str
    word: str
    shape: str
    tag: str
    prefix: str = ""


Sentence = list[Token]


def token(text: str, tag: str = OUTSIDE) -> Token:
    """The token of a word: its form has small letters, and each digit is 0.

    >>> token("B2", "B-loc")
    Token(text='B2', word='b0', shape='<0>', tag='LOC', prefix='B')
    """
    prefix = _PREFIX.match(tag.upper())
    return Token(text, re.sub("[0-9]", "0", text.lower()), _shape(text), plain_tag(tag), prefix[1] if prefix else "")


def plain_tag(tag: str) -> str:
    """A tag without its B- or I-, in capitals; synonyms such as L and LOC become one.

    >>> plain_tag("B-loc"), plain_tag("L"), plain_tag("O")
    ('LOC', 'LOC', 'O')
    """
    name = _PREFIX.sub("", tag.upper(), count=1)
    return _SYNONYMS.get(name, name)


def plain_sentences(text: str) -> list[Sentence]:
    """The sentences of a text without tags; words and marks are tokens, and ``.``, ``!`` and ``?`` end a sentence.

    >>> [[each.text for each in sentence] for sentence in plain_sentences("It's in Paris. Where?")]
    [["It's", 'in', 'Paris', '.'], ['Where', '?']]
    """
    found: list[Sentence] = [[]]
    for word in _WORD.findall(text):
        found[-1].append(token(word))
        if word in _ENDS:
            found.append([])
    return [sentence for sentence in found if sentence]


def _shape(text: str) -> str:
    if any(letter.isdigit() for letter in text):
        return "<0>"
    if not any(letter.isalpha() for letter in text):
        return "<.>"
    if text[0].isupper():
        return "<XX>" if text.isupper() and len(text) > 1 else "<Xx>"
    return "<x>"
