"""11,228 newswires of 1987 about 46 topics.

Source: D. D. Lewis, "Reuters-21578 text categorization test collection", 1997; as a file of word
ranks by the authors of Keras.
"""

import numpy as np

from seqrnn.datasets.indexed_texts import ORIGIN, limited, marked, read_index, shorter
from seqrnn.datasets.object_arrays import object_array, read_npz
from seqrnn.errors import public_names
from seqrnn.utils.download import get_file

_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
    "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem "
    "dlr gas silver wpi hog lead"
)


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """The newswires as lists of word numbers, and their topics; downloaded at the first call.

    `test_split` is the share of the newswires, at the end, that is for testing. The other
    arguments, what is returned and raised are as for `imdb.load_data`.
    """
    arrays = read_npz(get_file(fname=path, origin=f"{ORIGIN}reuters.npz", file_hash=_HASH))
    order = np.arange(len(arrays["x"]))
    np.random.RandomState(seed).shuffle(order)
    x, y = arrays["x"][order], arrays["y"][order]
    x, y = shorter(marked(x, start_char, index_from), y, maxlen)
    x = object_array(limited(x, num_words, skip_top, oov_char))
    n = int(len(x) * (1 - test_split))
    return (x[:n], y[:n]), (x[n:], y[n:])


def get_word_index(path="reuters_word_index.json"):
    """{word: its rank, from 1}; the number of a word in `load_data` is its rank + index_from."""
    return read_index(
        get_file(
            fname=path,
            origin=f"{ORIGIN}reuters_word_index.json",
            file_hash="4d44cc38712099c9e383dc6e5f11a921",
        )
    )


def get_label_names():
    """The names of the 46 topics, in the order of their numbers."""
    return tuple(_TOPICS.split())


__getattr__, __dir__ = public_names(__name__)
