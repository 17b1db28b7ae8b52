"""Layers for categories and texts: lookups, Hashing, TextVectorization and others."""

import functools
import pathlib
import tempfile

import numpy as np
from golden_builders import integers, normal, uniform
from golden_case import CallCase
from golden_kinds import ConfigCase, FactCase, RefusalCase

# ---- CategoryEncoding, Discretization ----


def _encoded(name, draw, **options):
    def call(k, x):
        return k.layers.CategoryEncoding(6, **options)(x)

    return CallCase(f"category_{name}", call, [draw])


def _binned(name, draw, adapt=None, **options):
    def call(k, x):
        layer = k.layers.Discretization(**options)
        if adapt is not None:
            layer.adapt(np.random.RandomState(3).normal(size=adapt).astype("float32"))
        return [layer(x), np.asarray(layer.bin_boundaries)]

    return CallCase(f"discretization_{name}", call, [draw])


BOUNDS = [-1.0, 0.0, 0.5]

NUMBERS = [
    _encoded("multi_hot", integers(6, 4, 3)),
    _encoded("count", integers(6, 4, 5), output_mode="count"),
    _encoded("one_hot", integers(6, 4), output_mode="one_hot"),
    _encoded("one_hot_column", integers(6, 4, 1), output_mode="one_hot"),
    _encoded("one_hot_matrix", integers(6, 4, 3), output_mode="one_hot"),
    _encoded("multi_hot_column", integers(6, 4, 1)),
    _encoded("count_vector", integers(6, 5), output_mode="count"),
    _encoded("keras_2_name", integers(6, 4, 3), output_mode="binary"),
    CallCase("category_weights", lambda k, x, w: k.layers.CategoryEncoding(
        6, output_mode="count")(x, count_weights=w), [integers(6, 4, 3), uniform(0, 2, 4, 3)]),
    _binned("int", normal(4, 3), bin_boundaries=BOUNDS),
    _binned("on_a_boundary", lambda rng: np.array([-1.0, 0.0, 0.25, 0.5, 9.0], "float32"),
            bin_boundaries=BOUNDS),
    *(_binned(mode, normal(4, 3), bin_boundaries=BOUNDS, output_mode=mode)
      for mode in ("one_hot", "multi_hot", "count")),
    _binned("adapted", normal(4, 3), adapt=(50, 2), num_bins=4),
    _binned("adapted_large", normal(4, 3), adapt=(3000,), num_bins=7),
    _binned("adapted_coarse", normal(4, 3), adapt=(500,), num_bins=5, epsilon=0.1),
    _binned("adapted_few", normal(4, 3), adapt=(6,), num_bins=3),
]  # fmt: skip


# ---- lookups ----

WORDS = ["fig", "apple", "fig", "pear", "apple", "fig", "plum", "quince", "pear"]
ASKED = [["apple", "fig"], ["kiwi", "pear"], ["fig", "fig"]]
TABLE = ["fig", "apple", "pear"]


def _looked_up(name, asked=ASKED, adapt=None, kind="StringLookup", **options):
    """What the layer gives, and its size."""

    def call(k):
        layer = getattr(k.layers, kind)(**options)
        if adapt is not None:
            layer.adapt(np.array(adapt))
        found = np.asarray(layer(np.array(asked)))
        return [found, np.array(layer.vocabulary_size())]

    return CallCase(f"{kind.lower()}_{name}", call)


def _vocabulary(name, adapt=None, kind="StringLookup", special=True, **options):
    def call(k):
        layer = getattr(k.layers, kind)(**options)
        if adapt is not None:
            layer.adapt(np.array(adapt))
        return [v if isinstance(v, str) else int(v) for v in layer.get_vocabulary(special)]

    return FactCase(f"{kind.lower()}_vocabulary_{name}", call)


def _back(k, kind, numbers, **options):
    found = np.asarray(getattr(k.layers, kind)(invert=True, **options)(np.array(numbers))).tolist()
    return [[v.decode() if isinstance(v, bytes) else v for v in row] for row in found]


def _from_file(k):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "words.txt"
        path.write_text("\n".join(TABLE))
        k.config.enable_unsafe_deserialization() if k.__name__ == "keras" else None
        layer = k.layers.StringLookup(vocabulary=str(path))
        return [np.asarray(layer(np.array(ASKED))).tolist(), layer.get_vocabulary()]


def _dtype(kind, known, mode, k):
    layer = getattr(k.layers, kind)(vocabulary=known, output_mode=mode)
    return np.asarray(layer(np.array([known]))).dtype.name


COUNTED = [3, 7, 3, 100, -5, 7, 3, 100, 12]
NUMBERS_ASKED = [[3, 7], [8, 100], [12, 12]]
KNOWN = [12, 3, 100]
IDF = [0.5, 1.5, 2.0]
MODES = ("one_hot", "multi_hot", "count")
ROWS = [["a", "b", "a"], ["b", "c", "d"], ["b", "b", "b"]]

LOOKUPS = [
    _looked_up("given", vocabulary=TABLE),
    _looked_up("given_with_special", vocabulary=["[UNK]", *TABLE]),
    _looked_up("given_mask_and_special", vocabulary=["", "[UNK]", *TABLE], mask_token=""),
    _looked_up("mask", asked=[["", "fig"], ["x", ""]], vocabulary=TABLE, mask_token=""),
    _looked_up("adapted", adapt=WORDS),
    _looked_up("adapted_rows", adapt=ASKED),
    _looked_up("adapted_mask", adapt=[*WORDS, "", ""], mask_token=""),
    _looked_up("max_tokens", adapt=WORDS, max_tokens=3),
    _looked_up("no_oov", asked=["pear", "fig"], vocabulary=TABLE, num_oov_indices=0),
    _looked_up("three_axes", asked=[ASKED, ASKED], vocabulary=TABLE),
    *(_looked_up(mode, vocabulary=TABLE, output_mode=mode) for mode in MODES),
    *(_looked_up(f"{mode}_vector", asked=["fig", "kiwi"], vocabulary=TABLE, output_mode=mode)
      for mode in MODES),
    *(_looked_up(f"{mode}_mask", asked=[["", "fig"], ["fig", "fig"]], vocabulary=TABLE,
                 output_mode=mode, mask_token="") for mode in MODES),
    *(_looked_up(f"{mode}_padded", vocabulary=TABLE, output_mode=mode, max_tokens=7,
                 pad_to_max_tokens=True) for mode in MODES),
    _looked_up("one_hot_column", asked=[["fig"], ["pear"]], vocabulary=TABLE,
               output_mode="one_hot"),
    _looked_up("tf_idf", vocabulary=TABLE, idf_weights=IDF, output_mode="tf_idf"),
    _looked_up("tf_idf_special", vocabulary=["[UNK]", *TABLE], idf_weights=[0.25, *IDF],
               output_mode="tf_idf"),
    _looked_up("tf_idf_padded", vocabulary=TABLE, idf_weights=IDF, output_mode="tf_idf",
               max_tokens=6, pad_to_max_tokens=True),
    _looked_up("tf_idf_adapted", asked=ROWS, adapt=ROWS, output_mode="tf_idf"),
    _looked_up("tf_idf_adapted_padded", asked=ROWS, adapt=ROWS, output_mode="tf_idf",
               max_tokens=8, pad_to_max_tokens=True),
    _looked_up("tf_idf_adapted_limited", asked=ROWS, adapt=ROWS, output_mode="tf_idf",
               max_tokens=3),
    *(_looked_up(name, asked=asked, kind="IntegerLookup", **options)
      for name, asked, options in [
          ("given", NUMBERS_ASKED, {"vocabulary": KNOWN}),
          ("adapted", NUMBERS_ASKED, {"adapt": COUNTED}),
          ("max_tokens", NUMBERS_ASKED, {"adapt": COUNTED, "max_tokens": 4}),
          ("mask", [[0, 3], [0, 9]], {"vocabulary": KNOWN, "mask_token": 0}),
          ("oov_3", [[1, 2, 3], [4, 5, -7]], {"vocabulary": KNOWN, "num_oov_indices": 3}),
          ("oov_2_mask", [[1, 2, 0], [4, 5, -7]],
           {"vocabulary": KNOWN, "num_oov_indices": 2, "mask_token": 0}),
          ("no_oov", [12, 100], {"vocabulary": KNOWN, "num_oov_indices": 0}),
          ("large", [2**40, -(2**40), 5], {"vocabulary": [2**40, 5, -(2**40)]}),
          ("one_token", [4, 5], {"vocabulary": [5]}),
          ("tf_idf", NUMBERS_ASKED,
           {"vocabulary": KNOWN, "idf_weights": IDF, "output_mode": "tf_idf"}),
          ("tf_idf_adapted", NUMBERS_ASKED, {"adapt": NUMBERS_ASKED, "output_mode": "tf_idf"}),
          *((mode, NUMBERS_ASKED, {"vocabulary": KNOWN, "output_mode": mode}) for mode in MODES),
          *((f"{mode}_mask", [[0, 3], [3, 3]],
             {"vocabulary": KNOWN, "output_mode": mode, "mask_token": 0}) for mode in MODES),
          *((f"{mode}_padded", NUMBERS_ASKED,
             {"vocabulary": KNOWN, "output_mode": mode, "max_tokens": 7,
              "pad_to_max_tokens": True}) for mode in MODES),
      ]),
    _vocabulary("given", vocabulary=TABLE),
    _vocabulary("adapted", adapt=WORDS),
    _vocabulary("ties", adapt=["b", "a", "c", "B", "é", "aa"]),
    _vocabulary("mask", adapt=WORDS, mask_token="fig"),
    _vocabulary("multi_hot", adapt=WORDS, mask_token="", output_mode="multi_hot"),
    _vocabulary("without_special", adapt=WORDS, special=False),
    _vocabulary("oov_token", adapt=[*WORDS, "?"], oov_token="?"),
    _vocabulary("numbers", adapt=COUNTED, kind="IntegerLookup"),
    _vocabulary("numbers_mask", adapt=COUNTED, kind="IntegerLookup", mask_token=7),
    FactCase("stringlookup_invert",
             lambda k: _back(k, "StringLookup", [[1, 3], [0, 9]], vocabulary=TABLE)),
    FactCase("stringlookup_invert_mask", lambda k: _back(
        k, "StringLookup", [[0, 1], [2, 4]], vocabulary=TABLE, mask_token="-")),
    FactCase("integerlookup_invert",
             lambda k: _back(k, "IntegerLookup", [[1, 3], [0, 9]], vocabulary=KNOWN)),
    FactCase("integerlookup_invert_mask", lambda k: _back(
        k, "IntegerLookup", [[0, 1], [2, 4]], vocabulary=KNOWN, mask_token=0)),
    FactCase("stringlookup_file", _from_file),
    *(FactCase(f"{kind.lower()}_dtype_{mode}", functools.partial(_dtype, kind, known, mode))
      for kind, known in (("StringLookup", TABLE), ("IntegerLookup", KNOWN))
      for mode in ("int", *MODES)),
]  # fmt: skip


# ---- Hashing ----


def _hashed(name, asked, num_bins=1000, **options):
    return CallCase(
        f"hashing_{name}",
        lambda k: np.asarray(k.layers.Hashing(num_bins, **options)(np.array(asked))),
    )


# Of all lengths for which the hash has a formula of its own.
LENGTHS = [("word é " * 40).encode()[:n].decode(errors="ignore") for n in
           (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 127, 128, 129,
            192, 200)]  # fmt: skip
BINS = 2**31 - 1

HASHED = [
    _hashed("lengths", LENGTHS, BINS),
    _hashed("salted_lengths", LENGTHS, BINS, salt=[133, 137]),
    _hashed("salt", ASKED, salt=7),
    _hashed("matrix", ASKED),
    _hashed("numbers", [[1, 22], [-5, 2**40]]),
    _hashed("salted_numbers", [1, 22, 0], salt=3),
    _hashed("floats", np.array([1.0, 2.7, -3.9], "float32")),
    _hashed("mask", ["", "a", "b"], 3, mask_value=""),
    _hashed("mask_number", [0, 1, 2], 5, mask_value=0),
    _hashed("one_bin", ["a", "b"], 1, mask_value="a"),
    *(_hashed(mode, [["a", "b"], ["c", "c"]], 6, output_mode=mode) for mode in MODES),
    _looked_up("oov_3", asked=[["kiwi", "fig"], ["lime", "é"]], vocabulary=TABLE,
               num_oov_indices=3),
    _looked_up("oov_5_mask", asked=[["kiwi", ""], ["lime", "é"]], vocabulary=TABLE,
               num_oov_indices=5, mask_token=""),
    _looked_up("oov_salt", asked=[["kiwi", "fig"], ["lime", "é"]], vocabulary=TABLE,
               num_oov_indices=9, salt=4),
    _looked_up("oov_count", vocabulary=TABLE, num_oov_indices=4, output_mode="count"),
    _vocabulary("oov_3", vocabulary=TABLE, num_oov_indices=3),
]  # fmt: skip


# ---- TextVectorization ----

TEXTS = ["The cat; sat on the MAT!", "A dog's  dog\tsat", "", "ÉTÉ d'été -- the end"]


def _vectorized(name, asked=TEXTS, adapt=TEXTS, **options):
    def call(k):
        layer = k.layers.TextVectorization(**options)
        if adapt is not None:
            layer.adapt(np.array(adapt))
        return [np.asarray(layer(np.array(asked))), np.array(layer.vocabulary_size())]

    return CallCase(f"text_{name}", call)


def _learned(name, texts=TEXTS, **options):
    def call(k):
        layer = k.layers.TextVectorization(**options)
        layer.adapt(np.array(texts))
        return layer.get_vocabulary()

    return FactCase(f"text_vocabulary_{name}", call)


COLUMN = [[text] for text in TEXTS]

VECTORIZED = [
    _vectorized("default"),
    _vectorized("unknown_words", asked=["the bird sat", "cat bird bird"]),
    _vectorized("column", asked=COLUMN, adapt=COLUMN),
    _vectorized("length", output_sequence_length=4),
    _vectorized("longer", output_sequence_length=9),
    _vectorized("max_tokens", max_tokens=4),
    _vectorized("ngrams", ngrams=2),
    _vectorized("ngrams_tuple", ngrams=(2, 3)),
    _vectorized("given", adapt=None, vocabulary=["the", "sat"]),
    _vectorized("given_special", adapt=None, vocabulary=["", "[UNK]", "the", "sat"]),
    _vectorized("lower", standardize="lower"),
    _vectorized("strip", standardize="strip_punctuation"),
    _vectorized("as_is", standardize=None),
    _vectorized("characters", split="character"),
    _vectorized("not_split", split=None, asked=["the end", "x"], adapt=["The end", "the end"]),
    *(_vectorized(mode, output_mode=mode) for mode in ("multi_hot", "count", "tf_idf")),
    *(_vectorized(f"{mode}_padded", output_mode=mode, max_tokens=20, pad_to_max_tokens=True)
      for mode in ("multi_hot", "count", "tf_idf")),
    _vectorized("count_ngrams", output_mode="count", ngrams=2, max_tokens=7),
    _vectorized("tf_idf_given", adapt=None, output_mode="tf_idf", vocabulary=["the", "sat"],
                idf_weights=[0.5, 2.0]),
    _learned("default"),
    _learned("lower", standardize="lower"),
    _learned("strip", standardize="strip_punctuation"),
    _learned("as_is", standardize=None),
    _learned("ngrams", ngrams=2),
    _learned("characters", split="character"),
    _learned("count", output_mode="count"),
    _learned("max_tokens", max_tokens=5),
    _learned("spaces", texts=["a\u00a0b c\u2003d", "e\x0bf\x0cg"], standardize=None),
]  # fmt: skip


# ---- configs ----

CONFIGS = [
    ConfigCase("config_category", lambda k: k.layers.CategoryEncoding(4, output_mode="count")),
    ConfigCase("config_discretization", lambda k: k.layers.Discretization([0.0, 1.0])),
    ConfigCase("config_discretization_bins", lambda k: k.layers.Discretization(num_bins=4)),
    ConfigCase("config_stringlookup", lambda k: k.layers.StringLookup(vocabulary=TABLE)),
    ConfigCase("config_stringlookup_empty", lambda k: k.layers.StringLookup(mask_token="")),
    ConfigCase("config_integerlookup", lambda k: k.layers.IntegerLookup(vocabulary=KNOWN)),
    ConfigCase("config_integerlookup_count", lambda k: k.layers.IntegerLookup(
        vocabulary=KNOWN, output_mode="count", max_tokens=9, pad_to_max_tokens=True)),
    ConfigCase("config_hashing", lambda k: k.layers.Hashing(4, salt=[1, 2])),
    ConfigCase("config_hashing_count", lambda k: k.layers.Hashing(
        4, mask_value="", output_mode="count")),
    ConfigCase("config_stringlookup_salt", lambda k: k.layers.StringLookup(
        vocabulary=TABLE, num_oov_indices=3, salt=5)),
    ConfigCase("config_text", lambda k: k.layers.TextVectorization(max_tokens=9)),
    ConfigCase("config_text_given", lambda k: k.layers.TextVectorization(
        vocabulary=TABLE, ngrams=(1, 2), output_sequence_length=3)),
]  # fmt: skip


# ---- what is refused ----


def _refused(name, words, make, **options):
    return RefusalCase(f"refused_{name}", lambda k: make(k.layers), words, **options)


REFUSED = [
    _refused("category_no_tokens", ["num_tokens"], lambda m: m.CategoryEncoding()),
    _refused("category_zero", ["num_tokens", "0"], lambda m: m.CategoryEncoding(0)),
    _refused("category_mode", ["output_mode", "hot"],
             lambda m: m.CategoryEncoding(3, output_mode="hot")),
    _refused("category_weights", ["count_weights", "multi_hot"], lambda m: m.CategoryEncoding(3)(
        np.array([[1]]), count_weights=np.array([[1.0]]))),
    _refused("discretization_both", ["bin_boundaries", "num_bins"],
             lambda m: m.Discretization([0.0], num_bins=2)),
    _refused("discretization_neither", ["bin_boundaries", "num_bins"],
             lambda m: m.Discretization()),
    _refused("discretization_not_adapted", ["adapt"],
             lambda m: m.Discretization(num_bins=2)(np.ones((2, 2)))),
    _refused("discretization_adapt_given", ["bin_boundaries", "num_bins"],
             lambda m: m.Discretization([0.0]).adapt(np.ones(3))),
    _refused("lookup_max_tokens", ["max_tokens", "1"], lambda m: m.StringLookup(max_tokens=1)),
    _refused("lookup_pad", ["pad_to_max_tokens", "max_tokens"],
             lambda m: m.StringLookup(pad_to_max_tokens=True)),
    _refused("lookup_oov_negative", ["num_oov_indices", "-1"],
             lambda m: m.IntegerLookup(num_oov_indices=-1)),
    _refused("lookup_mode", ["output_mode", "ints"], lambda m: m.StringLookup(output_mode="ints")),
    _refused("lookup_invert", ["invert", "count"],
             lambda m: m.StringLookup(invert=True, output_mode="count")),
    _refused("lookup_idf", ["idf_weights", "tf_idf"],
             lambda m: m.StringLookup(vocabulary=TABLE, idf_weights=IDF)),
    _refused("lookup_no_idf", ["idf_weights", "tf_idf"],
             lambda m: m.StringLookup(vocabulary=TABLE, output_mode="tf_idf")),
    _refused("lookup_idf_length", ["idf_weights", "3"], lambda m: m.StringLookup(
        vocabulary=TABLE, output_mode="tf_idf", idf_weights=[1.0])),
    _refused("lookup_repeated", ["repeated", "fig"],
             lambda m: m.StringLookup(vocabulary=["fig", "fig"])),
    _refused("lookup_empty", ["empty"], lambda m: m.StringLookup(vocabulary=[])),
    _refused("lookup_mask_inside", ["reserved", "-"],
             lambda m: m.StringLookup(vocabulary=["a", "-"], mask_token="-")),
    _refused("lookup_too_many", ["max_tokens", "3"],
             lambda m: m.StringLookup(vocabulary=TABLE, max_tokens=3)),
    _refused("lookup_adapt_given", ["given", "adapt"],
             lambda m: m.StringLookup(vocabulary=TABLE).adapt(np.array(["a"]))),
    _refused("lookup_unknown_number", ["7", "num_oov_indices"], raises=ValueError,
             differs="the backend's error in Keras", make=lambda m: m.IntegerLookup(
                 vocabulary=KNOWN, num_oov_indices=0)(np.array([7]))),
    _refused("lookup_unknown_string", ["kiwi", "num_oov_indices"], raises=ValueError,
             differs="the backend's error in Keras", make=lambda m: m.StringLookup(
                 vocabulary=TABLE, num_oov_indices=0)(np.array(["kiwi"]))),
    _refused("lookup_dtype", ["vocabulary_dtype", "int32"],
             lambda m: m.IntegerLookup(vocabulary_dtype="int32")),
    _refused("lookup_count_not_adapted", ["adapt", "vocabulary"], raises=ValueError,
             differs="a RuntimeError in Keras", make=lambda m: m.StringLookup(
                 output_mode="count")(np.array(["a"]))),
    _refused("lookup_file", ["file", "nowhere.txt"],
             lambda m: m.StringLookup(vocabulary="nowhere.txt")),
    _refused("text_standardize", ["standardize", "upper"],
             lambda m: m.TextVectorization(standardize="upper")),
    _refused("text_split", ["split", "word"], lambda m: m.TextVectorization(split="word")),
    _refused("text_ngrams", ["ngrams", "2.5"], lambda m: m.TextVectorization(ngrams=2.5)),
    _refused("text_length", ["output_sequence_length", "count"],
             lambda m: m.TextVectorization(output_mode="count", output_sequence_length=3)),
    _refused("text_columns", ["(2, 2)"], lambda m: m.TextVectorization(vocabulary=TABLE)(
        np.array([["a", "b"], ["c", "d"]]))),
    # not supported
    *(_refused(f"{kind}_sparse".lower(), ["sparse"], raises=ValueError, lacking=True,
               make=lambda m, kind=kind, o=options: getattr(m, kind)(sparse=True, **o))
      for kind, options in [("CategoryEncoding", {"num_tokens": 3}),
                            ("StringLookup", {"output_mode": "count"}),
                            ("IntegerLookup", {"output_mode": "count"}),
                            ("TextVectorization", {"output_mode": "count"}),
                            ("Hashing", {"num_bins": 3, "output_mode": "count"}),
                            ("Discretization", {"num_bins": 3, "output_mode": "count"})]),
    _refused("text_ragged", ["ragged"], lambda m: m.TextVectorization(ragged=True),
             raises=ValueError, lacking=True),
    _refused("string_salt", ["salt", "x"], lambda m: m.StringLookup(salt="x")),
    _refused("integer_salt", ["salt"], lambda m: m.IntegerLookup(salt=3)),
    _refused("hashing_bins", ["num_bins", "0"], lambda m: m.Hashing(0)),
    _refused("hashing_dtype", ["dtype", "float32"], lambda m: m.Hashing(3, dtype="float32")),
    _refused("hashing_mode", ["output_mode", "tf_idf"],
             lambda m: m.Hashing(3, output_mode="tf_idf")),
    _refused("hashing_salt", ["salt", "3"], lambda m: m.Hashing(3, salt=[1, 2, 3])),
    _refused("integer_farmhash", ["oov_method", "farmhash"], raises=ValueError, lacking=True,
             make=lambda m: m.IntegerLookup(oov_method="farmhash")),
    RefusalCase("refused_strings_in_a_model", lambda k: k.Sequential(
        [k.layers.StringLookup(vocabulary=TABLE)])(k.Input((1,))), ["strings", "Apply"],
        raises=ValueError, lacking=True),
]  # fmt: skip

CASES = [*NUMBERS, *LOOKUPS, *HASHED, *VECTORIZED, *CONFIGS, *REFUSED]
