"""Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention, EinsumDense."""

from dataclasses import replace

import numpy as np
from golden_builders import fixed, layer_case, mask_pattern, normal
from golden_case import Built, CallCase, StepCase
from golden_kinds import ConfigCase, FactCase, RefusalCase

QUERY, VALUE, KEY = (3, 4, 6), (3, 5, 6), (3, 5, 6)


def _ids(shape, mask):
    ids = 1 + np.arange(np.prod(shape[:-1]), dtype=np.int32).reshape(shape[:-1])
    return ids if mask is None else ids * mask_pattern(mask, *shape[:-1])


def _case(name, layer, shapes, call, masks=(), extra=(), **options):
    """A layer on several inputs, each a table of embeddings as in `layer_case`.

    `call(layer, tensors)` gives the outputs; `extra` are further inputs, (shape, array).
    """
    masks = (*masks, *[None] * (len(shapes) - len(masks)))
    inputs = [fixed(_ids(shape, mask)) for shape, mask in zip(shapes, masks, strict=True)]
    inputs += [fixed(array) for array in extra]

    def build(k):
        made, parts, entries, tensors = layer(k), [], [], []
        for shape, mask in zip(shapes, masks, strict=True):
            ids = k.Input(shape=shape[1:-1], dtype="int32")
            rows = 1 + int(np.prod(shape[:-1]))
            table = k.layers.Embedding(rows, shape[-1], mask_zero=mask is not None)
            entries.append(ids)
            parts.append(table)
            tensors.append(table(ids))
        for array in extra:
            entries.append(k.Input(shape=array.shape[1:], dtype=str(array.dtype)))
            tensors.append(entries[-1])
        outputs = call(made, tensors)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        flat = [k.layers.Flatten()(t) for t in outputs]
        joined = flat[0] if len(flat) == 1 else k.layers.Concatenate()(flat)
        return Built(k.Model(entries, joined), [*parts, made])

    return StepCase(name, build, inputs, **options)


# ---- Attention and AdditiveAttention ----


def _attention(name, kind="Attention", shapes=(QUERY, VALUE), masks=(), call=None, **arguments):
    options = call or {}
    return _case(
        f"{name}",
        lambda k: getattr(k.layers, kind)(**arguments),
        shapes,
        lambda layer, tensors: layer(tensors, **options),
        masks,
    )


def _both(name, shapes=(QUERY, VALUE), masks=(), **call):
    return [
        _attention(f"{prefix}_{name}", kind, shapes, masks, call)
        for prefix, kind in (("attention", "Attention"), ("additive", "AdditiveAttention"))
    ]


SCORES = {"return_attention_scores": True}
CAUSAL = {"use_causal_mask": True}
SIMPLE = [
    *_both("plain"),
    *_both("key", (QUERY, (3, 5, 2), KEY)),
    *_both("one_query", ((3, 1, 6), VALUE)),
    *_both("causal", **CAUSAL),
    *_both("causal_more_queries", ((3, 6, 4), (3, 2, 4)), **CAUSAL),
    *_both("scores", **SCORES),
    *_both("scores_key", (QUERY, (3, 5, 2), KEY), **SCORES),
    *_both("query_mask", masks=("right", None)),
    *_both("value_mask", masks=(None, "right")),
    *_both("both_masks", masks=("gaps", "left")),
    *_both("masks_causal", masks=("gaps", "right"), **CAUSAL),
    *_both("masks_causal_scores", masks=("gaps", "right"), **CAUSAL, **SCORES),
    *_both("empty_row", masks=("empty_row", "empty_row")),
    *_both("key_mask", (QUERY, VALUE, KEY), masks=("right", "left", "gaps")),
    _attention("attention_scale", use_scale=True),
    _attention("attention_scale_masks", use_scale=True, masks=("right", "left")),
    _attention("attention_concat", score_mode="concat"),
    _attention("attention_concat_scale", score_mode="concat", use_scale=True),
    _attention("attention_concat_masks", score_mode="concat", masks=("right", "left"), call=SCORES),
    _attention("attention_dropout_at_rest", dropout=0.0, seed=3),
    _attention("additive_no_scale", "AdditiveAttention", use_scale=False),
    _attention("additive_no_scale_masks", "AdditiveAttention", use_scale=False, masks=("right",)),
]


# ---- MultiHeadAttention ----


def _heads(name, shapes=((3, 4, 6),), masks=(), call=None, extra=(), kind=None, **arguments):
    """`shapes`: of query, value and key; one alone is all of them."""
    options = call or {}
    kind = kind or "MultiHeadAttention"
    if kind == "MultiHeadAttention":
        arguments = {"num_heads": 2, "key_dim": 3, **arguments}

    def applied(layer, tensors):
        tensors, more = tensors[: len(shapes)], tensors[len(shapes) :]
        named = {"attention_mask": more[0]} if more else {}
        tensors = tensors * 2 if len(tensors) == 1 else tensors
        return layer(*tensors, **options, **named)

    # A shift of all keys changes no weight: the gradient by their bias is 0, in float32 the
    # rounding of what cancels there. Small weights keep it below the floor of the comparison; with
    # the weights as an output they don't, so these rows have no biases.
    return _case(
        name,
        lambda k: getattr(k.layers, kind)(**arguments),
        shapes,
        applied,
        masks,
        extra,
        weight_scale=0.2,
    )


CROSS = ((3, 4, 6), (3, 5, 4))
APART = ((3, 4, 6), (3, 5, 4), (3, 5, 7))
PAIRS = np.random.RandomState(5).uniform(size=(3, 4, 5)) < 0.6
PAIRS[:, :, 0] |= ~PAIRS.any(-1)
GRID = ((2, 3, 4, 5),)


def _mha(name, *args, **kwargs):
    return _heads(f"mha_{name}", *args, **kwargs)


MULTI_HEAD = [
    _mha("self"),
    _mha("cross", CROSS),
    _mha("key", APART),
    _mha("one_head", num_heads=1),
    _mha("many_heads", num_heads=5, key_dim=1),
    _mha("value_dim", value_dim=4),
    _mha("value_dim_cross", CROSS, value_dim=2),
    _mha("no_bias", use_bias=False),
    _mha("output_shape", output_shape=4),
    _mha("output_shapes", output_shape=(2, 3)),
    _mha("gate", use_gate=True),
    _mha("gate_no_bias", APART, use_gate=True, use_bias=False, value_dim=4),
    _mha("causal", call=CAUSAL),
    _mha("causal_cross", CROSS, call=CAUSAL),
    _mha("window", sliding_window=2),
    _mha("window_causal", sliding_window=2, call=CAUSAL),
    _mha("scores", call=SCORES, use_bias=False),
    _mha("scores_causal", call={**SCORES, **CAUSAL}, use_bias=False),
    _mha("scores_self_value_dim", call=SCORES, value_dim=5, use_bias=False),
    _mha("masked_right", masks=("right",)),
    _mha("masked_gaps", masks=("gaps",)),
    _mha("masked_gaps_causal", masks=("gaps",), call=CAUSAL),
    _mha("masked_scores", masks=("gaps",), call=SCORES, use_bias=False),
    _mha("masked_empty_row", masks=("empty_row",)),
    _mha("masked_empty_row_scores", masks=("empty_row",), call=SCORES, use_bias=False),
    _mha("query_mask", CROSS, masks=("right", None)),
    _mha("value_mask", CROSS, masks=(None, "right")),
    _mha("cross_masks", CROSS, masks=("gaps", "left")),
    _mha("three_masks", APART, masks=("gaps", "left", "right")),
    _mha("attention_mask", CROSS, extra=(PAIRS,)),
    _mha("attention_mask_of_heads", CROSS, extra=(np.stack([PAIRS, ~PAIRS | PAIRS], 1),)),
    _mha("attention_mask_int", CROSS, extra=(PAIRS.astype(np.int32),)),
    _mha("attention_mask_and_masks", CROSS, masks=("gaps", "left"), extra=(PAIRS,)),
    _mha("attention_mask_causal", CROSS, extra=(PAIRS,), call=CAUSAL),
    _mha("one_step", ((3, 1, 6),)),
    _mha("4d", GRID),
    _mha("4d_axis_1", GRID, attention_axes=1),
    _mha("4d_axis_2", GRID, attention_axes=2),
    _mha("4d_axis_negative", GRID, attention_axes=(-2,)),
    _mha("4d_axes_both", GRID, attention_axes=(1, 2), use_bias=False),
    _mha("4d_cross", ((2, 3, 4, 5), (2, 2, 6, 5))),
    _mha("4d_axis_1_causal", GRID, attention_axes=1, call=CAUSAL),
    _mha("regularized", kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2"),
]


def _gqa(name, *args, **kwargs):
    arguments = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **kwargs}
    return _heads(f"gqa_{name}", *args, kind="GroupQueryAttention", **arguments)


GROUPED = [
    _gqa("self"),
    _gqa("key", ((3, 4, 6), (3, 5, 6), (3, 5, 7))),
    _gqa("one_shared", num_key_value_heads=1),
    _gqa("as_many", num_key_value_heads=4),
    _gqa("no_bias", use_bias=False),
    _gqa("gate", use_gate=True),
    _gqa("causal", call=CAUSAL),
    _gqa("window", sliding_window=2),
    _gqa("masked", masks=("gaps",)),
    _gqa("cross_masks", (QUERY, VALUE), masks=("gaps", "left")),
    _gqa("attention_mask", (QUERY, VALUE), extra=(PAIRS,)),
]

EINSUM = [
    layer_case(f"einsum_dense_{name}", lambda k, a=arguments: k.layers.EinsumDense(**a), shape)
    for name, shape, arguments in [
        ("dense", (4, 5), {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}),
        ("heads", (2, 4, 5), {"equation": "abc,cde->abde", "output_shape": (4, 2, 3)}),
        (
            "heads_bias",
            (2, 4, 5),
            {"equation": "abc,cde->abde", "output_shape": (4, 2, 3), "bias_axes": "de"},
        ),
        (
            "bias_of_time",
            (2, 4, 5),
            {"equation": "abc,cd->abd", "output_shape": (4, 3), "bias_axes": "b"},
        ),
        (
            "dots_in_front",
            (2, 4, 5),
            {
                "equation": "...x,xy->...y",
                "output_shape": 3,
                "bias_axes": "y",
                "activation": "tanh",
            },
        ),
        (
            "dots_behind",
            (2, 4, 5),
            {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        ),
        ("by_time", (2, 4, 5), {"equation": "abc,bcd->abd", "output_shape": (4, 3)}),
        ("joined", (2, 4, 5), {"equation": "abc,bcd->ad", "output_shape": 3}),
    ]
]


# ---- facts, configs, errors ----


def _paths(build):
    """Names and shapes of the weights, in order."""

    def call(k, *arrays):
        layer = build(k)
        layer(*arrays)
        return [[w.path, list(w.shape)] for w in layer.weights]

    return call


Q, V = normal(2, 3, 8), normal(2, 5, 8)
FACTS = [
    FactCase("mha_weights", _paths(lambda k: k.layers.MultiHeadAttention(2, 4)), [Q, V]),
    FactCase(
        "mha_gate_weights",
        _paths(lambda k: k.layers.MultiHeadAttention(2, 4, 3, use_gate=True)),
        [Q, V],
    ),
    FactCase("gqa_weights", _paths(lambda k: k.layers.GroupQueryAttention(4, 4, 2)), [Q, V]),
    FactCase(
        "attention_weights",
        lambda k, q, v: _paths(lambda k: k.layers.AdditiveAttention())(k, [q, v]),
        [Q, V],
    ),
    FactCase(
        "attention_output_shape",
        lambda k: k.layers.Attention().compute_output_shape([(None, 3, 8), (None, 5, 4)]),
    ),
    FactCase(
        "mha_shape_of_output",
        lambda k: k.layers.MultiHeadAttention(2, 4, output_shape=(3, 2)).compute_output_shape(
            (None, 3, 8), (None, 5, 4)
        ),
    ),
    FactCase(
        "mha_symbolic_shape",
        lambda k: k.layers.MultiHeadAttention(2, 4)(k.Input((None, 8)), k.Input((5, 8))).shape,
    ),
    FactCase(
        "mha_axes_after_build",
        lambda k, q: [
            layer := k.layers.MultiHeadAttention(2, 4),
            layer(q, q),
            layer.get_config()["attention_axes"],
        ][-1],
        [Q],
    ),
    FactCase(
        "mha_explicit_query_mask",
        lambda k, q: bool(
            np.allclose(
                (layer := k.layers.MultiHeadAttention(2, 4, seed=1))(q, q),
                layer(q, q, query_mask=np.array([[True, False, False]] * 2)),
            )
        ),
        [Q],
        differs="an explicit query_mask counts; Keras drops it for the one that travels along",
        here=False,
    ),
]

CONFIGS = [
    ConfigCase("attention", lambda k: k.layers.Attention()),
    ConfigCase(
        "attention_all", lambda k: k.layers.Attention(True, "concat", 0.2, 7, name="looking")
    ),
    ConfigCase("additive", lambda k: k.layers.AdditiveAttention(False, 0.1)),
    ConfigCase("mha", lambda k: k.layers.MultiHeadAttention(2, 4)),
    ConfigCase(
        "mha_all",
        lambda k: k.layers.MultiHeadAttention(
            2,
            4,
            5,
            dropout=0.1,
            use_bias=False,
            output_shape=[3, 4],
            attention_axes=[1, 2],
            sliding_window=3,
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l1",
            kernel_constraint="non_neg",
            bias_constraint="max_norm",
            use_gate=True,
            seed=3,
            name="heads",
        ),
    ),
    ConfigCase("gqa", lambda k: k.layers.GroupQueryAttention(4, 6, 2, use_gate=True, seed=1)),
    ConfigCase(
        "einsum_dense",
        lambda k: k.layers.EinsumDense("abc,cd->abd", (None, 3), "relu", "d"),
    ),
]


def _refused(name, call, words, **options):
    return RefusalCase(name, call, words, inputs=[Q], **options)


def _both_refused(name, call, words, **options):
    return [
        _refused(
            f"{kind}_{name}",
            lambda k, q, kind=kind: call(getattr(k.layers, kind), q),
            words,
            **options,
        )
        for kind in ("Attention", "AdditiveAttention")
    ]


def _misfit(words):
    return {"words": words, "raises": ValueError, "differs": "Keras leaves it to the backend"}


REFUSED = [
    *_both_refused("one_tensor", lambda layer, q: layer()(q), ["list", "query", "3, 8)"]),
    *_both_refused("list_of_one", lambda layer, q: layer()([q]), ["list", "1"]),
    *_both_refused("list_of_four", lambda layer, q: layer()([q] * 4), ["list", "4"]),
    *_both_refused(
        "mask_no_list",
        lambda layer, q: layer()([q, q], mask=np.ones((2, 3), bool)),
        ["mask", "list", "(2, 3)"],
    ),
    *_both_refused(
        "mask_of_one", lambda layer, q: layer()([q, q], mask=[np.ones((2, 3), bool)]), ["mask", "1"]
    ),
    *_both_refused(
        "features", lambda layer, q: layer()([q, q[..., :4]]), **_misfit(["features", "(2, 3, 4)"])
    ),
    *_both_refused(
        "steps", lambda layer, q: layer()([q, q, q[:, :2]]), **_misfit(["steps", "(2, 2, 8)"])
    ),
    *_both_refused(
        "dropout", lambda layer, q: layer(dropout=2.0), ["dropout", "2.0"], raises=ValueError
    ),
    _refused(
        "attention_score_mode", lambda k, q: k.layers.Attention(score_mode="x"), ["score_mode", "x"]
    ),
    *[
        _refused(f"mha_{name}", lambda k, q, a=arguments: k.layers.MultiHeadAttention(**a)(q, q), w)
        for name, arguments, w in [
            ("num_heads", {"num_heads": 0, "key_dim": 2}, ["num_heads", "0"]),
            ("key_dim", {"num_heads": 2, "key_dim": -1}, ["key_dim", "-1"]),
            ("value_dim", {"num_heads": 2, "key_dim": 2, "value_dim": 0}, ["value_dim", "0"]),
            (
                "output_shape",
                {"num_heads": 2, "key_dim": 2, "output_shape": 1.5},
                ["output_shape", "1.5"],
            ),
            (
                "attention_axes",
                {"num_heads": 2, "key_dim": 2, "attention_axes": "a"},
                ["attention_axes", "a"],
            ),
            ("dropout", {"num_heads": 2, "key_dim": 2, "dropout": 2.0}, ["dropout", "2.0"]),
            (
                "sliding_window",
                {"num_heads": 2, "key_dim": 2, "sliding_window": 0},
                ["sliding_window", "0"],
            ),
        ]
    ],
    _refused(
        "mha_flash_attention",
        lambda k, q: k.layers.MultiHeadAttention(2, 4, flash_attention=True)(q, q),
        ["flash_attention"],
    ),
    _refused(
        "mha_key_steps",
        lambda k, q: k.layers.MultiHeadAttention(2, 4)(q, q, q[:, :2]),
        ["value", "key", "(None, 3, 8)", "(None, 2, 8)"],
    ),
    _refused(
        "gqa_heads",
        lambda k, q: k.layers.GroupQueryAttention(4, 4, 3),
        ["num_query_heads", "4", "3"],
    ),
    _refused("einsum_dense_equation", lambda k, q: k.layers.EinsumDense("ab->c", 3)(q), ["ab->c"]),
    _refused(
        "einsum_dense_output",
        lambda k, q: k.layers.EinsumDense("abc,cd->abe", (None, 3))(q),
        ["abc,cd->abe", "'e'"],
    ),
    _refused(
        "einsum_dense_sizes",
        lambda k, q: k.layers.EinsumDense("abc,cd->abd", (7, 3))(q),
        ["'b'", "3", "7"],
    ),
]

EAGER = [
    CallCase(
        "eager_mask_argument",
        lambda k, q, v: k.layers.Attention()([q, v], mask=[q[..., 0] > 0, v[..., 0] > 0]),
        [Q, V],
    ),
]

CASES = [
    *SIMPLE,
    *MULTI_HEAD,
    *GROUPED,
    *EINSUM,
    *FACTS,
    *[replace(case, name=f"config_{case.name}") for case in CONFIGS],
    *[replace(case, name=f"refused_{case.name}") for case in REFUSED],
    *EAGER,
]
