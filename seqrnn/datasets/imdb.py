"""25,000 film reviews for training and as many for testing, each positive (1) or negative (0).

Source: A. L. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011; as a file of
word ranks by the authors of Keras.
"""

import numpy as np

from seqrnn.datasets.indexed_texts import ORIGIN, limited, marked, read_index, shorter
from seqrnn.datasets.object_arrays import object_array, read_npz
from seqrnn.errors import public_names
from seqrnn.utils.download import get_file

_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """The reviews as lists of word numbers; downloaded at the first call.

    Args:
        path: name of the file in ~/.keras/datasets.
        num_words: words from this number on (ranks from num_words - index_from on) are replaced.
            None: only the largest number is, as in Keras.
        skip_top: words below this number are replaced.
        maxlen: reviews of so many words or more are left out.
        seed: of the order of the reviews.
        start_char: what each review begins with; None for nothing.
        oov_char: what replaces words; None to leave them out.
        index_from: added to the rank of every word.

    Returns: (x_train, y_train), (x_test, y_test): x are object arrays of lists of ints, y int64.

    Raises ConnectionError when the file can't be had, ValueError if no review is short enough.
    """
    path = get_file(fname=path, origin=f"{ORIGIN}imdb.npz", file_hash=_HASH)
    arrays, random = read_npz(path), np.random.RandomState(seed)
    texts, labels = [], []
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        order = np.arange(len(x))
        random.shuffle(order)
        x, y = shorter(marked(x[order], start_char, index_from), y[order], maxlen)
        texts.append(x)
        labels.append(y)
    n = len(texts[0])
    texts = limited(texts[0] + texts[1], num_words, skip_top, oov_char)
    return (object_array(texts[:n]), labels[0]), (object_array(texts[n:]), labels[1])


def get_word_index(path="imdb_word_index.json"):
    """{word: its rank, from 1}; the number of a word in `load_data` is its rank + index_from."""
    return read_index(
        get_file(
            fname=path,
            origin=f"{ORIGIN}imdb_word_index.json",
            file_hash="bfafd718b763782e994055a2d397834f",
        )
    )


__getattr__, __dir__ = public_names(__name__)
