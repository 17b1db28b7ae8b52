"""Names around models: tree, policies, input specs, small functions of config and utils."""

import collections

import numpy as np
from golden_builders import normal
from golden_kinds import FactCase, RefusalCase

NESTED = {"b": [1, 2], "a": (3, None)}
Pair = collections.namedtuple("Pair", "x y")


def _fact(name, call, **options):
    return FactCase(name, call, **options)


def _refused(name, call, *words, **options):
    return RefusalCase(name, call, words, **options)


# ---- tree ----


def doubled(k, **options):
    return k.tree.traverse(
        lambda x: 2 * x if isinstance(x, int) else None, [1, (2, "a")], **options
    )


def seen_by_traverse(k, top_down):
    seen = []
    k.tree.traverse(lambda x: seen.append(repr(x)), [1, [2]], top_down=top_down)
    return seen


TREE = [
    _fact("tree_flatten", lambda k: k.tree.flatten(NESTED)),
    _fact("tree_flatten_leaf", lambda k: k.tree.flatten(3)),
    _fact("tree_flatten_none", lambda k: k.tree.flatten(None)),
    _fact("tree_flatten_empty", lambda k: k.tree.flatten([(), {}, []])),
    _fact("tree_flatten_named", lambda k: k.tree.flatten(Pair([1], {"z": 2, "y": 3}))),
    _fact("tree_paths", lambda k: [list(p) for p, _ in k.tree.flatten_with_path(NESTED)]),
    _fact("tree_map", lambda k: k.tree.map_structure(lambda x: [x], NESTED)),
    _fact("tree_map_two", lambda k: k.tree.map_structure(lambda x, y: (x, y), [1, [2]], [3, [4]])),
    _fact(
        "tree_map_dicts",
        lambda k: k.tree.map_structure(lambda x, y: x - y, {"b": 1, "a": 2}, {"a": 5, "b": 7}),
    ),
    _fact("tree_map_named", lambda k: type(k.tree.map_structure(str, Pair(1, 2))).__name__),
    _fact("tree_map_none", lambda k: k.tree.map_structure(lambda x: x is None, [1, None])),
    _fact(
        "tree_map_none_kept",
        lambda k: k.tree.map_structure(lambda x: x + 1, [1, None], none_is_leaf=False),
    ),
    _fact("tree_pack", lambda k: k.tree.pack_sequence_as(NESTED, [7, 8, 9, 10])),
    _fact("tree_pack_leaf", lambda k: k.tree.pack_sequence_as(0, [5])),
    _fact(
        "tree_nested",
        lambda k: [k.tree.is_nested(x) for x in ([], (), {}, Pair(1, 2), 3, None, "ab")],
    ),
    _fact("tree_up_to", lambda k: k.tree.map_structure_up_to([1, 2], str, [[1, 2], 3])),
    _fact("tree_traverse", doubled),
    _fact("tree_traverse_up", lambda k: doubled(k, top_down=False)),
    _fact("tree_traverse_order", lambda k: seen_by_traverse(k, True)),
    _fact("tree_traverse_order_up", lambda k: seen_by_traverse(k, False)),
    _fact(
        "tree_traverse_none",
        lambda k: k.tree.traverse(lambda x: k.tree.MAP_TO_NONE if x == 1 else None, [1, [2]]),
    ),
    _fact("tree_tuples", lambda k: type(k.tree.lists_to_tuples([1, [2]])).__name__),
    _fact("tree_shapes", lambda k: k.tree.map_shape_structure(list, {"a": (1, None), "b": [(3,)]})),
    _fact("tree_same", lambda k: k.tree.assert_same_structure({"a": [1]}, {"a": [2]})),
    _fact("tree_same_paths", lambda k: k.tree.assert_same_paths([1, (2,)], (1, [2]))),
    _refused("tree_lengths", lambda k: k.tree.assert_same_structure([1, 2], [1]), "2", "1"),
    _refused("tree_classes", lambda k: k.tree.assert_same_structure([1, 2], (1, 2)), "list"),
    _refused("tree_keys", lambda k: k.tree.assert_same_structure({"a": 1}, {"b": 1}), "a", "b"),
    _refused("tree_leaf", lambda k: k.tree.assert_same_structure([1], 1), "1"),
    _refused("tree_other_paths", lambda k: k.tree.assert_same_paths([1], [1, 2]), "1"),
    _refused("tree_map_lengths", lambda k: k.tree.map_structure(max, [1, 2], [1]), "2"),
    _refused("tree_map_nothing", lambda k: k.tree.map_structure(max), "structure"),
    _refused("tree_map_number", lambda k: k.tree.map_structure(3, [1]), "3"),
    _refused("tree_pack_few", lambda k: k.tree.pack_sequence_as([1, 2], [1]), "2", "1"),
    _refused("tree_pack_many", lambda k: k.tree.pack_sequence_as([1], [1, 2]), "1", "2"),
]

# ---- policies ----


def with_policy(k, policy):
    k.config.set_dtype_policy(policy)
    try:
        dense = k.layers.Dense(2)
        return [dense.dtype, k.Input((2,)).dtype, k.config.floatx(), k.config.dtype_policy().name]
    finally:
        k.config.set_dtype_policy("float32")


POLICIES = [
    _fact(
        "policy_names",
        lambda k: [
            [p.name, p.compute_dtype, p.variable_dtype]
            for p in (k.DTypePolicy("float32"), k.dtype_policies.DTypePolicy("float64"))
        ],
    ),
    _fact("policy_default", lambda k: [k.config.dtype_policy().name, k.DTypePolicy().name]),
    _fact("policy_text", lambda k: str(k.DTypePolicy("float32"))),
    _fact("policy_equal", lambda k: k.DTypePolicy("float32") == k.DTypePolicy("float32")),
    _fact("policy_not_equal", lambda k: k.DTypePolicy("float32") == k.DTypePolicy("float64")),
    _fact("policy_config", lambda k: k.DTypePolicy("float64").get_config()),
    _fact("policy_serialized", lambda k: k.dtype_policies.serialize(k.DTypePolicy("float64"))),
    _fact(
        "policy_again",
        lambda k: (
            k.dtype_policies.deserialize(k.dtype_policies.serialize(k.DTypePolicy("float64"))).name
        ),
    ),
    _fact("policy_get", lambda k: k.dtype_policies.get("float64").name),
    _fact("policy_of_layer", lambda k: k.layers.Dense(2).dtype_policy.name),
    _fact("policy_as_dtype", lambda k: k.layers.GRU(2, dtype=k.DTypePolicy("float64")).dtype),
    _fact("policy_set", lambda k: with_policy(k, "float64")),
    _fact("policy_set_object", lambda k: with_policy(k, k.DTypePolicy("float64"))),
    _fact("policy_mixed_module", lambda k: k.mixed_precision.set_global_policy("float32")),
    _fact("policy_mixed_global", lambda k: k.mixed_precision.global_policy().name),
    _fact("policy_mixed_class", lambda k: k.mixed_precision.Policy("float32").name),
    _refused("policy_unknown", lambda k: k.DTypePolicy("foo"), "foo"),
    _refused("policy_number", lambda k: k.DTypePolicy(3), "3"),
    _refused("policy_set_none", lambda k: k.config.set_dtype_policy(None), "None"),
    _refused("policy_set_unknown", lambda k: k.config.set_dtype_policy("foo"), "foo"),
    *[
        _refused(f"policy_{name}_{where}", call, name, "float32", raises=ValueError, lacking=True)
        for name in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")
        for where, call in {
            "made": lambda k, n=name: k.DTypePolicy(n),
            "set": lambda k, n=name: with_policy(k, n),
            "layer": lambda k, n=name: k.layers.Dense(2, dtype=n),
        }.items()
    ],
]

# ---- input specs ----


def under_spec(k, make_spec, x):
    class Specified(k.layers.Layer):
        def __init__(self):
            super().__init__(name="specified")
            self.input_spec = make_spec(k.InputSpec)

        def call(self, x):
            return x

    out = Specified()(x)
    return [None if v is None else list(v.shape) for v in k.tree.flatten(out)]


def zeros(*shape, dtype="float32"):
    return np.zeros(shape, dtype)


FITS = {
    "ndim": (lambda s: s(ndim=2), zeros(2, 3)),
    "min_ndim": (lambda s: s(min_ndim=2), zeros(2, 3, 4)),
    "max_ndim": (lambda s: s(max_ndim=3), zeros(2, 3)),
    "axes": (lambda s: s(min_ndim=2, axes={-1: 3}), zeros(2, 5, 3)),
    "shape": (lambda s: s(shape=(None, 3)), zeros(2, 3)),
    "dtype": (lambda s: s(dtype="int32"), zeros(2, 3, dtype="int32")),
    "squeezed": (lambda s: s(shape=(None, 3, 1), allow_last_axis_squeeze=True), zeros(2, 3)),
    "unsqueezed": (lambda s: s(shape=(None, 3), allow_last_axis_squeeze=True), zeros(2, 3, 1)),
    "list": (lambda s: [s(ndim=2), s(ndim=3)], [zeros(2, 3), zeros(2, 3, 4)]),
    "dict": (
        lambda s: [s(ndim=2, name="a"), s(ndim=3, name="b")],
        {"b": zeros(2, 3, 4), "a": zeros(2, 3)},
    ),
    "optional": (lambda s: [s(ndim=2), s(ndim=2, optional=True)], [zeros(2, 3), None]),
}
FITS_NOT = {
    "ndim": (lambda s: s(ndim=2), zeros(2, 3, 4), "2", "(2, 3, 4)"),
    "min_ndim": (lambda s: s(min_ndim=2), zeros(2), "2", "(2,)"),
    "max_ndim": (lambda s: s(max_ndim=2), zeros(2, 3, 4), "2", "(2, 3, 4)"),
    "axes": (lambda s: s(axes={-1: 3}), zeros(2, 4), "3", "-1", "(2, 4)"),
    "shape": (lambda s: s(shape=(None, 3)), zeros(2, 4), "3", "(2, 4)"),
    "dtype": (lambda s: s(dtype="int32"), zeros(2, 3), "int32", "float32"),
    "dtype_float": (lambda s: s(dtype="float32"), zeros(2, dtype="int32"), "float32", "int32"),
    "squeezed": (lambda s: s(shape=(None, 3, 1), allow_last_axis_squeeze=True), zeros(2, 4), "3"),
    "list": (lambda s: [s(ndim=2), s(ndim=3)], [zeros(2, 3)], "2 inputs", "1"),
    "dict": (
        lambda s: [s(ndim=2, name="a"), s(ndim=2, name="b")],
        {"a": zeros(2, 3)},
        "'a'",
        "'b'",
    ),
}
SPECS = [
    _fact(f"spec_{name}", lambda k, m=make, x=x: under_spec(k, m, x))
    for name, (make, x) in FITS.items()
] + [
    _refused(f"spec_{name}_not", lambda k, m=make, x=x: under_spec(k, m, x), "specified", *words)
    for name, (make, x, *words) in FITS_NOT.items()
]
SPECS += [
    _fact(
        "spec_config",
        lambda k: k.InputSpec(shape=(None, 3), axes={-1: 3}, dtype="float32").get_config(),
    ),
    _fact("spec_from_config", lambda k: k.InputSpec.from_config({"ndim": 3}).ndim),
    _fact("spec_text", lambda k: str(k.layers.InputSpec(min_ndim=2, axes={-1: 3}))),
    _fact("spec_of_dense", lambda k: str(k.layers.Dense(3).input_spec)),
    _refused("spec_of_no_axes", lambda k: k.InputSpec(axes={"a": 3}), "axes", "'a'"),
    _refused("spec_of_no_axis", lambda k: k.InputSpec(ndim=2, axes={2: 3}), "2", "1"),
]

# ---- functions, scopes, devices ----


def paths_in_scopes(k):
    dense = k.layers.Dense(2, name="d")
    with k.name_scope("a"), k.name_scope("b"):
        dense.build((None, 3))
    return [v.path for v in dense.weights]


def of_function(k, x):
    inputs = k.Input((4,), name="x")
    hidden = k.layers.Dense(3, kernel_initializer="ones", name="h")(inputs)
    outputs = k.layers.Dense(2, kernel_initializer="ones", name="o")(hidden)
    both = k.Function(inputs, {"hidden": hidden, "sum": hidden + 1.0})(x)
    last = k.Function([hidden], [outputs])([x[:, :3]])
    found = [both["hidden"], both["sum"], last[0]]
    return [[round(float(v), 4) for v in k.ops.convert_to_numpy(part)[0]] for part in found]


def sources(k):
    a, b = (k.Input((3,), name=name) for name in "ab")
    x = k.layers.Dense(2)(k.layers.Add()([a, b]))
    return [t.name for t in k.utils.get_source_inputs(x + 0.0 * k.layers.Dense(2)(a))]


def spec_of(k, method, *shapes):
    layer = k.layers.Concatenate() if len(shapes) > 1 else k.layers.GRU(5, return_sequences=True)
    tensors = [k.KerasTensor(shape) for shape in shapes]
    found = getattr(layer, method)(tensors if len(shapes) > 1 else tensors[0])
    return [list(found.shape), found.dtype]


def metrics_of_layer(k):
    class Watching(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.size = k.metrics.Mean(name="size")
            self.inner = k.layers.Dense(2)

        def call(self, x):
            self.size.update_state(x)
            return self.inner(x)

    layer = Watching()
    layer(zeros(2, 3) + 4.0)
    return [m.name for m in layer.metrics]


def training_of_call(k):
    class Told(k.layers.Layer):
        def call(self, x, training=None):
            return x + (1.0 if training else 2.0)

    model = k.Sequential([Told(), Told()])
    x = k.ops.zeros((1, 1))
    return [float(model.call(x, training=t)[0, 0]) for t in (True, False)] + [float(model(x)[0, 0])]


OTHERS = [
    _fact("name_scope", paths_in_scopes),
    _fact("function", of_function, inputs=[normal(2, 4)]),
    _fact("source_inputs", sources),
    _fact("keras_tensors", lambda k: [k.utils.is_keras_tensor(x) for x in (k.Input((2,)), 3)]),
    *[
        _fact(f"{method}_{len(shapes)}", lambda k, m=method, s=shapes: spec_of(k, m, *s))
        for method in ("compute_output_spec", "symbolic_call")
        for shapes in ([(None, 7, 4)], [(2, 3), (2, 4)])
    ],
    _fact("metrics_of_layer", metrics_of_layer),
    _fact("metrics_of_dense", lambda k: k.layers.Dense(2).metrics),
    _fact("training_of_call", training_of_call),
    _fact(
        "add_variable",
        lambda k: list(k.layers.Dense(3).add_variable((2,), "zeros", name="v").shape),
    ),
    _fact("input_dtype", lambda k: k.layers.Dense(3, dtype="float64").input_dtype),
    _fact("flash", lambda k: k.config.disable_flash_attention()),
    _fact("nnx", lambda k: k.config.is_nnx_enabled()),
    _fact("device", lambda k: [_on(k, name) for name in ("cpu", "cpu:0", "CPU:0")]),
    _fact("version_is_a_text", lambda k: k.version() == k.__version__),
    _refused(
        "device_gpu", lambda k: _on(k, "gpu:0"), "gpu:0", "cpu", raises=ValueError, lacking=True
    ),
    _refused(
        "flash_enabled",
        lambda k: k.config.enable_flash_attention(),
        "enable_flash_attention",
        raises=ValueError,
        lacking=True,
    ),
    *[
        _refused(f"no_{name}", lambda k, n=name: getattr(k, n), name, raises=AttributeError)
        for name in ("Operation", "StatelessScope", "SymbolicScope", "RematScope", "Quantizer")
    ],
    *[
        _refused(
            f"no_layer_{name}",
            lambda k, n=name: getattr(k.layers.Dense(2), n),
            name,
            raises=AttributeError,
        )
        for name in ("stateless_call", "quantize", "rematerialized_call")
    ],
    *[
        _refused(
            f"no_model_{name}",
            lambda k, n=name: getattr(k.Sequential([k.layers.Dense(2)]), n),
            name,
            raises=AttributeError,
        )
        for name in ("export", "get_state_tree", "make_train_function", "stateless_compute_loss")
    ],
]


def _on(k, name):
    with k.device(name):
        return float(k.ops.sum(k.ops.ones((3,))))


CASES = [*TREE, *POLICIES, *SPECS, *OTHERS]
