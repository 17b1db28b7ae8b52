"""keras.ops: a row per function and options; dtypes of results, a row per function and dtype."""

import re

import numpy as np
from golden_builders import integers, normal, uniform
from golden_case import CallCase
from golden_kinds import FactCase

# ---- values: one line per row; x, y, p: floats, p positive; m: a matrix; v: a vector; i: integers;
#      b: bools ----

INPUTS = {
    "x": normal(2, 3, 4),
    "y": normal(2, 3, 4),
    "p": uniform(0.2, 3.0, 2, 3, 4),
    "u": uniform(-0.9, 0.9, 2, 3, 4),
    "m": normal(4, 5),
    "v": normal(4),
    "i": integers(4, 2, 3, 4),
    "j": integers(3, 5),
    "b": lambda rng: rng.rand(2, 3, 4) < 0.5,
    "taps": normal(2, 4, 3),
    "mix": normal(4, 6),
    "mixing": normal(1, 12, 5),
}

EXPRESSIONS = """
adaptive_average_pool(ops.abs(x), 2)
adaptive_average_pool(ops.abs(x), 5, "channels_first")
adaptive_max_pool(ops.abs(x), 3)
adaptive_max_pool(ops.abs(x), (7,), data_format="channels_first")
average_pool(x, 2)
average_pool(x, 2, 1, "same")
average_pool(x, 3, 2, "same", "channels_first")
conv_transpose(x, y, 2)
conv_transpose(x, y, 2, "same")
conv_transpose(x, y, 3, "same", 1)
correlate(m[0], v)
correlate(m[0], v[:3], "same")
correlate(m[0], v, "full")
ctc_loss(i[..., 0] + 1, x[:, [0, 1, 2, 0, 1, 2, 0]] @ mix, np.array([3, 2]), np.array([7, 6]))
ctc_loss(i[..., 1], x[:, [0, 1, 2, 0, 1]] @ mix, np.array([2, 0]), np.array([5, 4]), mask_index=5)
ctc_decode(x, np.array([3, 2]))[0]
ctc_decode(x, np.array([3, 2]), merge_repeated=False, mask_index=3)[0]
ctc_decode(x, np.array([3, 2]))[1]
ctc_decode(x @ mix, np.array([3, 3]), "beam_search", 30, 3)[0]
ctc_decode(x @ mix, np.array([3, 2]), "beam_search", 50, 2, mask_index=2)[1]
depthwise_conv(x, taps)
depthwise_conv(x, taps, 1, "same", dilation_rate=2)
depthwise_conv(x, taps[:, :3], 2, "same", "channels_first")
max_pool(x, 2)
max_pool(x, 2, 1, "same")
max_pool(x, 3, 2, "same", "channels_first")
nanmedian(ops.where(x > 0.7, float('nan'), x), axis=1)
nanpercentile(ops.where(x > 0.7, float('nan'), x), 30.0, axis=(0, 2), keepdims=True)
nanquantile(ops.where(x > 0.7, float('nan'), x), [0.1, 0.5, 1.0], axis=2)
nanquantile(ops.where(x > 0.7, float('nan'), x), 0.35, axis=2, method="nearest")
segment_max(x, np.array([1, 0]), num_segments=3)
segment_max(i[0], np.array([0, 2, 0]), num_segments=3)
segment_min(x[0], np.array([1, 1, -1]), num_segments=2)
segment_prod(x[0], np.array([1, -1, 1]), num_segments=3)
separable_conv(x, taps, mixing)
separable_conv(x, taps, mixing, 2, "same")
signbit(x)
signbit(i)
abs(x)
add(x, m[:, 0])
all(b, axis=(0, 2))
all(b)
amax(x, axis=-1)
amin(x, axis=(0, -1), keepdims=True)
any(b, axis=1, keepdims=True)
append(x, y, axis=1)
append(x, v)
arange(2, 11, 3)
arange(0.5, 2.0, 0.25)
arccos(u)
arccosh(p + 1)
arcsin(u)
arcsinh(x)
arctan(x)
arctan2(x, y)
arctanh(u)
argmax(x)
argmax(x, axis=1)
argmax(x, axis=-2, keepdims=True)
argmin(x, axis=0)
argpartition(v, 0)[0]
argsort(x)
argsort(x, axis=0)
argsort(x, axis=None)
array_split(x, 3, axis=2)
average(x, axis=1)
average(x, axis=-1, weights=v)
average(x, weights=p)
bartlett(6)
batch_normalization(x, v, p[0, 0], -1, p[1, 1], v, 0.01)
batch_normalization(x, v[:3], p[0, :, 0], 1)
bincount(j, minlength=6)
bincount(j, weights=[1.0, 2.0, 3.0, 4.0, 5.0])
blackman(6)
broadcast_to(v, (2, 3, 4))
cbrt(x)
ceil(x)
celu(x, 0.7)
clip(x, -0.5, 0.25)
concatenate([x, y], axis=-1)
corrcoef(m)
cos(x)
cosh(x)
count_nonzero(i, axis=1)
cross(x[..., :3], y[..., :3])
cumprod(x, axis=1)
cumsum(x, axis=-1)
cumsum(x)
deg2rad(x)
diag(v)
diag(m, k=1)
diagflat(m, k=-1)
diagonal(x, offset=1, axis1=1, axis2=2)
diff(x)
diff(x, n=2, axis=1)
digitize(x, np.array([-1.0, 0.0, 0.5], x.dtype))
divide(x, p)
divide_no_nan(x, i)
dot(x, m)
dot(v, m)
dstack([x[0], y[0]])
einsum("abc,cd->abd", x, m)
einsum("abc,abc->b", x, y)
einsum("...c,cd->...d", x, m)
einsum("abc,dbc->ad", x, y)
einsum("abc->cab", x)
einsum("aa->a", m[:4, :4])
einsum("a,b->ab", v, v)
einsum("abc", x)
elu(x, 0.5)
erf(x)
exp(x)
exp2(x)
expand_dims(x, (0, -1))
expm1(x)
extract_sequences(v, 2, 1)
eye(3, 4, 1)
flip(x, (0, -1))
flip(x)
fliplr(x)
flipud(x)
floor(x)
floor_divide(x, 0.3)
floor_divide(i, -2)
fmax(x, y)
fmin(x, y)
fmod(x, 0.7)
full((2, 3), 4.0)
gelu(x)
gelu(x, approximate=False)
geomspace(1.0, 81.0, 5)
get_item(x, (0, slice(None), -1))
glu(x)
hamming(6)
hanning(6)
hard_shrink(x, 0.3)
hard_sigmoid(x)
hard_silu(x)
hard_tanh(x)
heaviside(x, 0.5)
hsplit(x, 3)
hstack([x, y])
hypot(x, y)
in_top_k(np.array([1, 0, 3], "int32"), x[0], 2)
inner(x, v)
isclose(x, x + 1e-3, atol=1e-2)
isin(i, [1, 2])
kaiser(6, 3.0)
kron(m, m[:2, :2])
layer_normalization(x, p[0, 0], v, epsilon=0.01)
layer_normalization(x, axis=(1, 2))
leaky_relu(x, 0.1)
linspace(-1.0, 2.0, 5)
linspace(0.0, 1.0, 4, endpoint=False)
log(p)
log10(p)
log1p(p)
log2(p)
log_sigmoid(x)
log_softmax(x)
log_softmax(x, axis=1)
logaddexp(x, y)
logaddexp2(x, y)
logical_xor(b, i)
logspace(0.0, 2.0, 5)
logsumexp(x, axis=(0, 1))
logsumexp(x, keepdims=True)
matmul(x, m)
matmul(v, m)
max(x, axis=(0, 2), keepdims=True)
max(x, initial=2.5, axis=0)
maximum(x, y)
mean(x, axis=(1, -1))
median(x, axis=1)
median(x)
median(x, axis=(0, 2), keepdims=True)
meshgrid(v, m[0])
meshgrid(v, m[0], indexing="ij")
min(x, axis=-1)
mod(x, 0.7)
mod(x, -0.7)
moments(x, axes=(0, 1))
moments(x, axes=[2], keepdims=True)
moveaxis(x, (0, 1), (2, 0))
multi_hot(i, 5)
nan_to_num(x / 0.5)
nanmean(x, axis=1)
nansum(x, axis=(0, 1))
nanvar(x, axis=-1, keepdims=True)
norm(x, axis=-1)
norm(m, ord=1)
norm(x, "fro", axis=(0, 2), keepdims=True)
norm(x, -1, axis=(2, 0))
norm(x, np.inf, axis=(0, -1))
norm(x, -np.inf, axis=(0, -1))
linspace(v, v + 2, 3, axis=1)
linspace(v, 2.0, 4, endpoint=False)
logspace(v, v + 1, 3)
norm(v, ord=1)
norm(v, ord=3)
norm(x, ord=np.inf, axis=1)
normalize(x, axis=1)
normalize(x, axis=-1, order=3)
one_hot(j, 3)
one_hot(j, 3, axis=0)
outer(v, m)
pad(x, ((0, 1), (2, 0), (1, 1)))
pad(x, ((1, 1), (1, 1), (1, 1)), constant_values=2.0)
pad(x, ((0, 0), (1, 2), (0, 3)), mode="reflect")
pad(x, ((0, 0), (1, 2), (0, 3)), mode="symmetric")
percentile(x, 30)
power(p, y)
power(x, 3)
prod(x, axis=1)
psnr(x, y, 2.0)
ptp(x, axis=2)
quantile(x, 0.3)
quantile(x, [0.1, 0.5], axis=1)
quantile(x, 0.3, axis=(0, 1), method="lower")
quantile(x, 0.3, axis=2, method="nearest", keepdims=True)
rad2deg(x)
ravel(x)
reciprocal(p)
relu(x)
relu6(x * 8)
repeat(x, 2, axis=1)
repeat(v, 3)
reshape(x, (3, -1))
rms_normalization(x, v)
rms_normalization(x, axis=(1, 2), epsilon=0.01)
roll(x, 1, axis=1)
roll(x, -5)
rot90(x)
rot90(x, k=3, axes=(1, 2))
round(x)
round(x, 1)
rsqrt(p)
scatter([[0, 1], [1, 2], [0, 1]], v[:3], (2, 3))
scatter_update(m, [[0, 1], [3, 2]], v[:2])
scatter_update(m, [[0, 1], [0, 1]], v[:2], reduction="add")
searchsorted(np.array([-1.0, 0.0, 0.5], x.dtype), v)
segment_sum(m, np.array([0, 2, 0, 1]), num_segments=4)
select([x > 0.5, x > 0], [x, y], 1.5)
selu(x)
sigmoid(x)
sign(x)
silu(x)
sin(x)
sinc(x)
sinh(x)
slice(x, (0, 1, 1), (2, 2, 3))
slice_update(x, (0, 1, 1), y[:, :2, :2])
soft_shrink(x, 0.3)
softmax(x, axis=1)
softmax(x, axis=(1, 2))
softplus(x)
softsign(x)
sort(x)
sort(x, axis=1)
sort(x, axis=None)
sparse_plus(x)
sparse_sigmoid(x)
split(x, [1, 3], axis=-1)
sqrt(p)
square(x)
squareplus(x)
squeeze(x[:1], axis=0)
stack([x, y], axis=-1)
std(x, axis=(0, 1), keepdims=True)
subtract(2.0, x)
sum(x, axis=(0, -1))
swapaxes(x, 0, -1)
take(x, [[2, 0], [1, 1]], axis=1)
take(x, [3, -1])
take_along_axis(x, i[:, :2] % 2, axis=1)
tan(u)
tanh(x)
tanh_shrink(x)
tensordot(x, y, axes=[[0, 1], [0, 1]])
tensordot(x, m, axes=1)
threshold(x, 0.2, -3.0)
tile(x, (1, 2))
top_k(x, 2)
trace(m, offset=1)
transpose(x)
transpose(x, (1, 0, 2))
trapezoid(x, dx=0.5, axis=1)
tri(3, 4, 1)
tril(m, -1)
triu(m, 1)
trunc(x * 3)
unravel_index(j, (2, 3))
unstack(x, axis=1)
vander(v)
vander(v, N=3, increasing=True)
var(x, axis=-1)
vdot(x, y)
vsplit(x, 2)
vstack([m, m])
where(b, x, y)
where(b, x, 0.5)
associative_scan(ops.add, x, axis=1)
associative_scan(ops.maximum, x, reverse=True, axis=2)
cond(x[0, 0, 0] > -9, lambda: x, lambda: y)
fori_loop(1, 5, lambda n, s: s * x + n, x)
map(lambda t: ops.sum(t * t), x)
scan(lambda c, t: (c + t, c * t), x[0], x)
scan(lambda c, t: (c + t, c * t), x[0], x, reverse=True)
switch(1, [ops.add, ops.subtract], x, y)
vectorized_map(lambda t: ops.sum(t * t), x)
while_loop(lambda n, s: n < 3, lambda n, s: (n + 1, s * 2), (0, x))
binary_crossentropy(u * u, ops.sigmoid(x))
binary_crossentropy(u * u, x, from_logits=True)
categorical_crossentropy(ops.softmax(y), ops.softmax(x))
categorical_crossentropy(ops.softmax(y), x, from_logits=True)
categorical_crossentropy(ops.softmax(y, 1), p, axis=1)
sparse_categorical_crossentropy(i[..., 0], ops.softmax(x))
sparse_categorical_crossentropy(i[..., 0], x, from_logits=True)
dot_product_attention(x[:, :, None], y[:, :, None], p[:, :, None])
dot_product_attention(x[:, :, None], y[:, :, None], p[:, :, None], is_causal=True, scale=0.3)
dot_product_attention(x[:, :, None], y[:, :, None], p[:, :, None], bias=m[None, None, :3, :3])
dot_product_attention(x[:, :, None], y[:, :, None], p[:, :, None], mask=b[:1, None, :, :3] | True)
conv(x, m[:2, :4, None] * v, 1, "same")
""".strip().splitlines()


def _call(expression):
    code = compile(f"ops.{expression}", expression, "eval")
    names = [n for n in INPUTS if re.search(rf"\b{n}\b", expression)]

    def call(k, *arrays):
        given = dict(zip(names, arrays, strict=True))
        result = eval(code, {"ops": k.ops, "np": np, **given})
        if isinstance(result, dict):
            return list(result.values())
        return [_numbers(leaf) for leaf in _flat([result])]

    name = re.sub(r"\W+", "_", expression.replace("-", "minus ")).strip("_")
    return CallCase(name, call, [INPUTS[n] for n in names])


def _numbers(result):
    """Bools as 0 and 1, for CallCase subtracts results."""
    array = np.asarray(result)
    return array.astype(np.int32) if array.dtype == bool else array


def _flat(results):
    return [leaf for r in results for leaf in (_flat(r) if isinstance(r, (list, tuple)) else [r])]


# ---- dtypes: what a function gives for each pair of dtypes ----

DTYPES = ("bool", "int32", "int64", "float32", "float64")
NUMBERS = {"python bool": True, "python int": 2, "python float": 2.5}
LEFT, RIGHT = np.array([1, 0, 3]), np.array([1, 2, 1])


def described(k, result):
    """[dtype, values]; five digits, which no rounding reaches."""
    if isinstance(result, (list, tuple)):
        result = result[0]
    values = np.asarray(result).tolist()
    return [k.backend.standardize_dtype(result.dtype), _short(values)]


def _short(value):
    if isinstance(value, list):
        return [_short(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def words(text, value=None):
    """{word: value}."""
    return dict.fromkeys(text.split(), value)


# TensorFlow has no arithmetic of two bools.
BINARY = {
    **words("add subtract multiply floor_divide power maximum minimum", "bool"),
    **words("divide true_divide logaddexp arctan2 divide_no_nan mod"),
    **words("less less_equal greater greater_equal", "bool"),
    **words("equal not_equal logical_and logical_or logical_xor where dot matmul"),
}


def _binary(name, first, no_bools):
    def call(k):
        fn = getattr(k.ops, name)
        if name == "where":
            fn = lambda a, b: k.ops.where(np.array([True, False, True]), a, b)  # noqa: E731
        a = LEFT.astype(first)
        others = {d: RIGHT.astype(d) for d in DTYPES} | (NUMBERS if name != "matmul" else {})
        if no_bools and first == "bool":
            others = {d: b for d, b in others.items() if "bool" not in d}
        return {d: described(k, fn(a, b)) for d, b in others.items()}

    return FactCase(f"{name}_{first}", call)


FLOATS = "float32 float64"
NUMBER = f"int32 int64 {FLOATS}"
ANY = f"bool {NUMBER}"
UNARY = {
    **words("negative sign round relu relu6", NUMBER),
    **words("abs trunc max min sort nan_to_num ones_like zeros_like diff", ANY),
    **words("square sum prod cumsum cumprod", ANY),
    **words("floor ceil sqrt exp sin cos tanh mean var std median average", ANY),
    **words("log2 exp2 expm1 log1p sinh cosh arctan norm", ANY),
    **words("rsqrt sigmoid erf elu selu softplus softmax logsumexp", FLOATS),
    **words("any all isnan isinf isfinite logical_not", ANY),
    **words("argmax argmin argsort count_nonzero flip roll", ANY),
}


def _unary(name, dtypes):
    def call(k):
        extra = (1,) if name == "roll" else ()
        x = LEFT + 1 if name in ("rsqrt", "log2") else LEFT
        fn = getattr(k.ops, name)
        return {d: described(k, fn(x.astype(d), *extra)) for d in dtypes.split()}

    return FactCase(f"{name}_dtypes", call)


def _cast(source):
    x = np.array([0.0, 1.7, -2.7]).astype(source)
    return FactCase(f"cast_{source}", lambda k: {d: described(k, k.ops.cast(x, d)) for d in DTYPES})


CASES = [
    *map(_call, EXPRESSIONS),
    *(_binary(name, first, but) for name, but in BINARY.items() for first in DTYPES),
    *(_unary(name, dtypes) for name, dtypes in UNARY.items()),
    *map(_cast, DTYPES),
]
