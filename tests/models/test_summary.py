"""The table of summary()."""

import io
import sys

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


@pytest.fixture(autouse=True)
def names():
    keras.utils.clear_session()


def text_of(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    assert len(texts) == 1
    return texts[0]


@pytest.fixture
def utf8(monkeypatch):
    class Stream(io.StringIO):
        encoding = "utf-8"

    monkeypatch.setattr(sys, "stdout", Stream())


def conv_net():
    return keras.Sequential(
        [
            layers.Conv1D(20, 4, strides=2, input_shape=[None, 1]),
            layers.BatchNormalization(),
            layers.Dense(10),
        ]
    )


TABLE = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
┃ Layer (type)                ┃ Output Shape          ┃        Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
│ conv1d (Conv1D)             │ (None, None, 20)      │            100 │
├─────────────────────────────┼───────────────────────┼────────────────┤
│ batch_normalization         │ (None, None, 20)      │             80 │
│ (BatchNormalization)        │                       │                │
├─────────────────────────────┼───────────────────────┼────────────────┤
│ dense (Dense)               │ (None, None, 10)      │            210 │
└─────────────────────────────┴───────────────────────┴────────────────┘
 Total params: 390 (1.52 KB)
 Trainable params: 350 (1.37 KB)
 Non-trainable params: 40 (160.00 B)"""


def test_table(utf8):
    assert text_of(conv_net(), line_length=72) == TABLE


def test_ascii(monkeypatch):
    class Stream(io.StringIO):
        encoding = "ascii"

    monkeypatch.setattr(sys, "stdout", Stream())
    text = text_of(conv_net(), line_length=72)
    assert text.isascii() and "| dense (Dense)" in text


def test_all_lines_of_the_table_are_equally_wide(utf8):
    for width in (60, 80, 100):
        lines = text_of(conv_net(), line_length=width).split("\n")[1:-3]
        assert {len(line) for line in lines} == {width}


def test_optimizer_is_a_line_of_its_own(utf8):
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse", optimizer="adam")
    model.fit([[0.0, 1.0]], [[1.0]], verbose=0)
    lines = text_of(model).split("\n")
    assert " Total params: 3 (12.00 B)" in lines and " Optimizer params: 6 (24.00 B)" in lines


def test_before_it_is_built(utf8):
    text = text_of(keras.Sequential([layers.Dense(1)]))
    assert "?" in text and "0 (unbuilt)" in text and "Total params: 0 (0.00 B)" in text


def test_undeclared_model_after_its_first_data(utf8):
    model = keras.Sequential([layers.GRU(4, return_sequences=True), layers.Dense(2)])
    model.predict([[[0.0], [1.0]]], verbose=0)
    assert "(None, None, 4)" in text_of(model) and "(None, None, 2)" in text_of(model)
    model = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    model.predict([[[0.0], [1.0]]], verbose=0)
    assert "(None, 2)" in text_of(model)


def test_stateful_model_after_its_first_data(utf8):
    model = keras.Sequential([layers.GRU(3, stateful=True), layers.Dense(2)])
    model(np.zeros((4, 5, 1), "float32"))
    assert "(4, 3)" in text_of(model) and "(4, 2)" in text_of(model)
    assert model.output_shape == (4, 2)


def test_graph_names_what_feeds_each_layer(utf8):
    x = keras.Input([None, 1], name="x")
    a, b = layers.Dense(2, name="a")(x), layers.Dense(2, name="b")(x)
    text = text_of(keras.Model(x, layers.Add(name="sum")([a, b]), name="net"), line_length=110)
    lines = text.split("\n")
    assert lines[0] == 'Model: "net"' and "Connected to" in lines[2]
    row = next(line for line in lines if "sum (Add)" in line)
    assert "a[0][0], b[0][0]" in row and "(None, None, 2)" in row
    assert any("x (InputLayer)" in line for line in lines)


def test_options(utf8):
    inner = keras.Sequential([layers.Dense(2, name="deep", input_shape=[3])], name="inner")
    model = keras.Sequential([inner, layers.Dense(1, name="top", trainable=False)])
    text = text_of(model, expand_nested=True, show_trainable=True, line_length=100)
    assert "└ deep (Dense)" in text and "Trainable" in text
    assert (
        next(line for line in text.split("\n") if "top (Dense)" in line).rstrip("│ ").endswith("N")
    )
    assert "inner" not in text_of(model, layer_range=("top", "top")).split("\n", 1)[1]
    with pytest.raises(ValueError, match="layer_range"):
        model.summary(layer_range=("x", "top"))


def test_prints_by_default(capsys):
    conv_net().summary()
    assert "Total params: 390" in capsys.readouterr().out


class Two(keras.Model):
    """A class of its own, with a layer that gives two tensors and one that is never called."""

    def __init__(self):
        super().__init__(name="two")
        self.gru = layers.GRU(4, return_sequences=True, return_state=True, name="gru")
        self.out = layers.Dense(2, name="out")
        self.unused = layers.Dropout(0.5, name="unused")

    def call(self, x):
        sequence, _ = self.gru(x)
        return self.out(sequence)


def row_of(text, name):
    return next(line for line in text.split("\n") if f" {name} (" in line)


def test_a_class_of_ones_own_after_its_first_data(utf8):
    model = Two()
    assert "?" in row_of(text_of(model), "gru")
    model.predict([[[0.0], [1.0]]], verbose=0)
    text = text_of(model, line_length=100)
    assert "[(None, None, 4), (None, 4)]" in row_of(text, "gru")
    assert "(None, None, 2)" in row_of(text, "out") and "?" in row_of(text, "unused")


def test_a_shared_layer_lists_all_that_feeds_it(utf8):
    a, b = keras.Input([3], name="a"), keras.Input([3], name="b")
    shared = layers.Dense(2, name="shared")
    model = keras.Model([a, b], layers.Add(name="sum")([shared(a), shared(b)]))
    text = text_of(model, line_length=110)
    assert "a[0][0], b[0][0]" in row_of(text, "shared")
    assert "shared[0][0]," in row_of(text, "sum") and "shared[1][0]" in text


def test_dot_text(tmp_path):
    x = keras.Input([5, 2], name="x")
    inner = keras.Sequential([keras.Input([5, 2]), layers.Dense(3, "relu", name="in")], name="box")
    y = layers.GRU(4, name="gru", trainable=False)(inner(x))
    model = keras.Model(x, layers.Dense(1, name='o"o')(y), name="net")
    shown = {"show_shapes": True, "show_dtype": True, "show_trainable": True}
    text = str(
        keras.utils.model_to_dot(
            model, expand_nested=True, show_layer_activations=True, rankdir="LR", **shown
        )
    )
    lines = [line.strip() for line in text.split("\n")]
    assert lines[0] == 'digraph "net" {' and 'rankdir="LR"' in lines[1]
    assert r'n1 [label="x (InputLayer)\noutput: (None, 5, 2)\ndtype: float32"];' in lines
    assert 'label="box";' in lines
    relu = r"in (Dense)\nactivation: relu\noutput: (None, 5, 3)\ndtype: float32\ntrainable"
    assert f'n2 [label="{relu}"];' in lines
    assert any(r"gru (GRU)" in line and "not trainable" in line for line in lines)
    assert r"o\"o (Dense)" in text
    assert [line for line in lines if "->" in line] == ["n1 -> n2;", "n2 -> n3;", "n3 -> n4;"]
    plain = keras.utils.plot_model(model, tmp_path / "net.dot")
    assert (tmp_path / "net.dot").read_text() == plain.to_string()
    assert 'n2 [label="Sequential"];' in plain.to_string()


def test_pictures_need_graphviz(tmp_path, monkeypatch):
    model = conv_net()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match="Graphviz"):
        keras.utils.plot_model(model, tmp_path / "net.png")
    with pytest.raises(ValueError, match=r"must end in \.dot"):
        keras.utils.plot_model(model, tmp_path / "net.txt")
    with pytest.raises(ValueError, match="has not been built"):
        keras.utils.plot_model(keras.Sequential([layers.Dense(1)]))
