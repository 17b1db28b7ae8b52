"""What data sets of texts share that hold a text as the ranks of its words, 1 the most frequent."""

import json

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def marked(texts, start_char, index_from):
    """The texts with every word `index_from` higher, and `start_char` before them."""
    first = [] if start_char is None else [start_char]
    return [first + [word + (index_from or 0) for word in text] for text in texts]


def shorter(texts, labels, maxlen):
    """Of the texts those with fewer than `maxlen` words, and their labels."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"No text has fewer than maxlen={maxlen} words; increase maxlen.")
    return [texts[i] for i in kept], labels[kept]


def limited(texts, num_words, skip_top, oov_char):
    """The words outside of [skip_top, num_words) become `oov_char`, or are left out for None.

    Without `num_words` the limit is the largest word, which so goes too, as in Keras.
    """
    limit = num_words or max((max(text, default=0) for text in texts), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def read_index(path):
    """{word: rank} of a JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)
