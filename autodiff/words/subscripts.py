"""Letters with a letter below them, by which the notes tell the weights of a net over time apart: W_hh, W_hx, W_S."""

import re
from typing import Final

__all__ = ["SPELLINGS", "spelled_in_latex"]

#: Of the recurrent language model (hh, hx, S); of the gates of GRU and LSTM; of attention (Q, K, V, O).
_BELOW: Final = {
    "W": ("hh", "hx", "S", "z", "r", "h", "i", "f", "o", "c", "Q", "K", "V", "O"),
    "U": ("z", "r", "h", "i", "f", "o", "c"),
    "b": ("h", "S", "z", "r", "i", "f", "o", "c"),
}

#: Every spelling of each such letter, the longest first, so that W_hh is not read as W_h.
SPELLINGS: Final = {
    spelling: f"{base}_{below}"
    for base, all_below in _BELOW.items()
    for below in sorted(all_below, key=len, reverse=True)
    for spelling in (f"{{{base}_{{{below}}}}}", f"{{{base}_{below}}}", f"{base}_{{{below}}}", f"{base}_{below}")
}


def spelled_in_latex(letter: str) -> str:
    """The letter with all that stands below it in braces, where that is more than one letter.

    >>> spelled_in_latex("W_hh"), spelled_in_latex("s_c")
    ('W_{hh}', 's_c')
    """
    return re.sub("_(..+)", r"_{\1}", letter)
