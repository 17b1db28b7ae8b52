"""Settings of the process: the default float dtype, the fuzz factor, and the names given out.

`floatx()` is 'float32' or 'float64'; layers made without `dtype` take it when they are made.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import warnings
from collections import defaultdict

from seqrnn.errors import did_you_mean

_FLOATS = ("float32", "float64")
_HALVES = ("float16", "bfloat16", "half")
_DTYPES = ("float32", "float64", "int32", "int64", "bool")

# What other dtypes are computed as.
_WIDENED = {
    "float": "float32",
    "float16": "float32",
    "int": "int32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
}


class _Settings:
    floatx = "float32"
    epsilon = 1e-7
    version = 0  # counts changes after which functions have to be traced again
    frozen = 0  # which layers and variables have another `trainable` than at first, as one number
    interactive = True  # whether progress goes to stdout
    policy = None  # the dtype of layers made without one; None: floatx
    max_epochs = None
    max_steps_per_epoch = None


_settings = _Settings()
_names: dict[str, int] = defaultdict(int)
_lock = threading.Lock()


def backend() -> str:
    """The name of the backend: always 'seqrnn'."""
    return "seqrnn"


def set_backend(backend: str) -> None:
    """Accepts 'seqrnn', the only one; ValueError for others."""
    if backend != "seqrnn":
        raise ValueError(
            f"set_backend: {backend!r} is not supported; seqrnn computes by itself, on CPUs."
        )


@contextlib.contextmanager
def device(device_name: str):
    """A context in which to compute on a device: a CPU ('cpu', 'cpu:0', '/device:CPU:0'), where
    everything is computed anyway. ValueError for others."""
    if not re.fullmatch(r"/?(device:)?cpu(:0)?", str(device_name).lower()):
        raise ValueError(f"device {device_name!r} is not supported: there are CPUs only, 'cpu:0'.")
    yield


def enable_flash_attention() -> None:
    """ValueError: attention is computed in one way."""
    raise ValueError("enable_flash_attention is not supported: attention is computed in one way.")


def disable_flash_attention() -> None:
    """Nothing changes: there is no flash attention."""


def is_flash_attention_enabled() -> bool:
    """False: there is none."""
    return False


def is_nnx_enabled() -> bool:
    """False: there is no JAX below."""
    return False


def floatx() -> str:
    """The default float dtype, 'float32' unless changed."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Sets the default float dtype of what is made from now on, layers too, whatever
    `set_dtype_policy` has set before. ValueError on others."""
    if value not in _FLOATS:
        raise ValueError(f"set_floatx: expected 'float32' or 'float64', got {value!r}.")
    _settings.floatx = value
    _settings.policy = None


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless changed."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets `epsilon()`."""
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """'channels_last', the only one."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accepts 'channels_last'; ValueError for others."""
    if data_format != "channels_last":
        raise ValueError(f"the channels come last; data_format {data_format!r} is not supported.")


def enable_interactive_logging() -> None:
    """Progress and what callbacks say go to stdout, as they do unless disabled."""
    _settings.interactive = True


def disable_interactive_logging() -> None:
    """Progress and what callbacks say go to `logging.getLogger("seqrnn")` at level INFO, as
    finished lines; verbose='auto' then means 2."""
    _settings.interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to stdout."""
    return _settings.interactive


def disable_traceback_filtering() -> None:
    """Nothing to do: tracebacks are whole."""


def is_traceback_filtering_enabled() -> bool:
    """False: tracebacks are whole."""
    return False


def max_epochs() -> int | None:
    """The most epochs that a `fit` runs; None: no limit."""
    return _settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, to try out a script; None lifts the limit."""
    _settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The most batches per epoch of `fit`, and per `evaluate` and `predict`; None: no limit."""
    return _settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the batches per epoch, to try out a script; None lifts the limit."""
    _settings.max_steps_per_epoch = max_steps_per_epoch


def version() -> tuple:
    """What traced functions depend on besides their arguments: they hold while it is equal."""
    return _settings.version, _settings.frozen, _settings.floatx, _settings.epsilon


def invalidate() -> None:
    """Makes cached functions trace again, as after a change of what they hold as constants."""
    _settings.version += 1


def toggle_trainable(thing: object) -> None:
    """Notes that `thing.trainable` has changed. When it changes back, what was traced before holds
    again: loops that freeze and thaw a model trace twice, not every time."""
    with _lock:
        _settings.frozen ^= hash((id(thing),))


def standardize_dtype(dtype: object) -> str:
    """The name of the dtype in which values of `dtype` are computed.

    float32, float64, int32, int64 and bool stay; float16 and the small integers are widened.
    None gives `floatx()`. ValueError for anything else.
    """
    if dtype is None:
        return _settings.floatx
    if isinstance(dtype, str) and dtype in _DTYPES:
        return dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name in ("string", "str"):
        raise ValueError(
            f"dtype {dtype!r}: strings are no part of a model. Make numbers of the data before, "
            "with layers.TextVectorization or layers.StringLookup."
        )
    name = _WIDENED.get(name, name)
    if name not in _DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}.{did_you_mean(name, _DTYPES)}")
    return name


def requested_dtype(dtype: object) -> str:
    """As `standardize_dtype`, of a dtype that the result is to have. ValueError for those that are
    widened, such as 'uint8': the numbers would not be those of that dtype."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None)
    if name in _WIDENED and name not in ("float", "int"):
        raise ValueError(
            f"dtype {name!r} is not supported. There are {', '.join(_DTYPES)}; convert results "
            f"with NumPy, x.numpy().astype({name!r})."
        )
    return standardize_dtype(dtype)


def policy_dtype(dtype) -> str:
    """The dtype of a policy: its name, an object or a config with a name, or None for the global
    policy. ValueError for mixed precision and for floats of 16 bits."""
    if isinstance(dtype, dict):
        dtype = dtype.get("config", dtype).get("name")
    dtype = getattr(dtype, "name", dtype)
    if dtype is None:
        return _settings.policy or _settings.floatx
    if isinstance(dtype, str) and (dtype.startswith("mixed_") or dtype in _HALVES):
        raise ValueError(
            f"dtype {dtype!r} is not supported: there is no arithmetic in 16 bits, mixed or not; "
            "processors are not faster in them. Use 'float32'."
        )
    return requested_dtype(dtype)


def dtype_policy():
    """The global policy, a `DTypePolicy`: what layers made without `dtype` compute in."""
    from seqrnn.dtype_policies import DTypePolicy

    return DTypePolicy()


def set_dtype_policy(policy) -> None:
    """Sets the policy of layers made from now on: 'float32', 'float64' or a `DTypePolicy`.

    ValueError for mixed precision, and for anything else. Arrays and placeholders made without
    dtype keep to `floatx()`.
    """
    name = None if policy is None else policy_dtype(policy)
    if name not in _FLOATS:
        raise ValueError(
            f"set_dtype_policy: expected 'float32', 'float64' or a DTypePolicy, got {policy!r}."
        )
    _settings.policy = name


def is_float(dtype: str) -> bool:
    """Whether `dtype`, a standard name, is a float."""
    return dtype in _FLOATS


# ---- loading ----


class _Budget(threading.local):
    left = None  # elements of weights that may still be made; None: no limit


_budget = _Budget()


@contextlib.contextmanager
def weight_budget(elements: int):
    """Within the block (of this thread) `add_weight` makes at most so many elements in all.

    So a file of a few bytes that describes a layer of huge size does not fill the memory.
    """
    before, _budget.left = _budget.left, elements
    try:
        yield
    finally:
        _budget.left = before


def spend_on_weight(elements: int, name: str) -> None:
    """Takes a weight's elements off the budget. ValueError if it is used up."""
    if _budget.left is None:
        return
    _budget.left -= elements
    if _budget.left < 0:
        raise ValueError(
            f"the weight {name!r} of {elements} elements is more than the file has weights for"
        )


# ---- names ----


def snake_case(name: str) -> str:
    """'SimpleRNN' -> 'simple_rnn', 'Conv1D' -> 'conv1d'."""
    name = re.sub(r"\W+", "", name).lstrip("_")
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[^_])(?=[A-Z][a-z])", "_", name).lower()


def unique_name(prefix: str) -> str:
    """'dense', then 'dense_1', 'dense_2', ...; starts again after `clear_session`."""
    with _lock:
        count = _names[prefix]
        _names[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def clear_session(free_memory: bool = True) -> None:
    """Starts the automatic names of layers anew, and gives back the memory kept for further runs of
    models. Those made before keep working."""
    with _lock:
        _names.clear()
    core = sys.modules.get("seqrnn._core")  # nothing is kept if it has not been needed yet
    if free_memory and core is not None:
        core.release_memory()


def _check_environment():
    """Warns of words in the environment variables that mean nothing."""
    for name, known in (
        ("SEQRNN_DUMP", ("graph", "plan", "time")),
        ("SEQRNN_KERNELS", ("ref", "base", "avx2", "avx512")),
    ):
        for word in os.environ.get(name, "").split(","):
            if word and word not in known:
                warnings.warn(
                    f"{name} has no effect with {word!r}.{did_you_mean(word, known)}", stacklevel=2
                )


_check_environment()
