"""Kinds of golden cases whose results are facts: configs, names, errors, statistics.

They follow the protocol of `golden_case`: `prepare(k)` gives what is stored beside the results,
`measure(k, given)` gives {name: array or text}, `check` compares, `verdict` is the row's entry in
the conformance table. They run in float32, as users do: `floatx` tells make_goldens.py so.
"""

import builtins
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from golden_case import PASSED, Case, numbered, random_state


def as_text(fact):
    """A fact as JSON: tuples become lists, NumPy's numbers Python's, keys are in order."""

    def plain(value):
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        raise TypeError(f"a fact holds a {type(value).__name__}: {value!r}")

    return json.dumps(fact, sort_keys=True, default=plain)


@dataclass(frozen=True)
class FactCase(Case):
    """`call(k, *arrays)` gives something that JSON can hold, which must be equal to Keras's.

    For names, shapes, counts, keys, lists of hooks; for numbers that may differ in the last digit
    there is CallCase. A row with `differs` (why seqrnn gives `here` instead) fails when seqrnn
    gives anything but `here`, and when Keras gives `here` too.
    """

    name: str
    call: Callable
    inputs: Sequence[Callable] = ()
    differs: str = ""
    here: object = None
    floatx = "float32"

    def prepare(self, k):
        rng = random_state(self.name)
        return {f"x{i}": draw(rng) for i, draw in enumerate(self.inputs)}

    def measure(self, k, given):
        k.utils.clear_session()
        return {"fact": as_text(self.call(k, *numbered(given, "x")))}

    def check(self, references, results):
        if not self.differs:
            return super().check(references, results)
        assert results["fact"] == as_text(self.here)
        assert results["fact"] != references["fact"], "Keras gives the same: no difference"

    def check_keras(self, references, results):
        Case.check(self, references, results)

    def verdict(self, references):
        return f"differs on purpose: {self.differs}" if self.differs else PASSED


@dataclass(frozen=True)
class ConfigCase(Case):
    """The config of `build(k)`: the same as Keras's, both directions.

    Three results: what `get_config` gives; what it gives after `from_config` of itself; and what
    it gives after `from_config` of the config as real Keras wrote it, module names and all. If the
    first is equal to Keras's then Keras can read ours. `normalised` says what is not compared.
    `more` lists arguments that Keras's config forgets and its constructor takes.
    """

    name: str
    build: Callable
    more: Sequence[str] = ()
    floatx = "float32"

    def prepare(self, k):
        k.utils.clear_session()
        return {"keras_config": as_text(self.build(k).get_config())}

    def measure(self, k, given):
        k.utils.clear_session()
        thing = self.build(k)
        config = thing.get_config()

        def again(config):
            k.utils.clear_session()
            return self._text(type(thing).from_config(config))

        return {
            "config": self._text(thing),
            "round_trip": again(config),
            "from_keras": again(json.loads(given["keras_config"])),
        }

    def _text(self, thing):
        return _config_text(thing, leave_out=self.more)

    def check_here(self, k, given, references):
        super().check_here(k, given, references)
        forgotten = [name for name in self.more if name not in self.build(k).get_config()]
        assert not forgotten, f"{forgotten} not in our config either"

    def verdict(self, references):
        names = ", ".join(self.more)
        return f"differs on purpose: Keras's config forgets {names}" if names else PASSED


def _config_text(thing, leave_out=()):
    config = {k: v for k, v in thing.get_config().items() if k not in leave_out}
    return as_text(normalised(json.loads(as_text(config))))


def normalised(config):
    """A config without what says the same in two ways.

    - an entry that is None says that it was not given, and is left out;
    - the module of a class is `keras`'s; `registered_name` repeats the class's name; `build_config`
      is about weights, not about the object;
    - a `compile_config` without anything in it is none;
    - the policy of a dtype is its name;
    - DEFAULTS may be missing on either side, since a constructor then takes them;
    - a list of one number is that number;
    - numbers are rounded to six digits, since Keras keeps a learning rate in float32.
    """
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return config["config"]["name"]
        if "class_name" in config:
            config = {k: v for k, v in config.items() if k not in _FILING}
        kept = {k: v for k, v in config.items() if v is not None and DEFAULTS.get(k, config) != v}
        if not kept.get("compile_config", True):
            del kept["compile_config"]
        return {key: normalised(value) for key, value in kept.items()}
    if isinstance(config, list):
        return normalised(config[0]) if len(config) == 1 else [normalised(v) for v in config]
    if isinstance(config, float):
        return float(f"{config:.6g}")
    return config


DEFAULTS = {
    "renorm": False,
    "renorm_momentum": 0.99,
    "synchronized": False,
    "rms_scaling": False,
    "use_ema": False,
    "ema_momentum": 0.99,
    "data_format": "channels_last",
    "trainable": True,
    "sparse": False,
    "ragged": False,
}
_FILING = ("module", "registered_name", "build_config")


@dataclass(frozen=True)
class RefusalCase(Case):
    """`call(k, *arrays)` raises, and the message holds every one of `words`.

    Keras's own error cases: the exception must be an instance of the builtin class that Keras's
    exception is an instance of. What Keras accepts and seqrnn refuses says which class in `raises`:
    it is "stricter" than Keras, which takes what is wrong, or, with `lacking`, "not supported",
    which is right and missing here; absent names (AttributeError) are lacking anyway. Give
    `raises` and `differs` (why) too where seqrnn's class is another one on purpose, or where
    Keras's class is the backend's.
    """

    name: str
    call: Callable
    words: Sequence[str]
    raises: type | None = None
    differs: str = ""
    inputs: Sequence[Callable] = ()
    lacking: bool = False
    floatx = "float32"

    def prepare(self, k):
        assert self.words, f"{self.name}: which words must the message hold?"
        rng = random_state(self.name)
        return {f"x{i}": draw(rng) for i, draw in enumerate(self.inputs)}

    def measure(self, k, given):
        """The builtin class of what was raised, as text; '' if nothing was."""
        error = self._attempt(k, given)
        return {"raised": _builtin_class(error).__name__ if error else ""}

    def check_here(self, k, given, references):
        """Instead of `check`: the message counts here, and Keras's is not stored."""
        error = self._attempt(k, given)
        assert error is not None, "seqrnn accepts it"
        assert not (self.lacking and references["raised"]), "Keras refuses it too"
        keras_class = references["raised"]
        expected = self.raises or getattr(builtins, keras_class or "Exception")
        if not keras_class:
            assert self.raises, "Keras accepts it: say in `raises` which error is right"
        elif self.raises and not self.differs:
            assert issubclass(self.raises, getattr(builtins, keras_class))
        assert isinstance(error, expected), f"{error!r} is no {expected.__name__}"
        missing = [word for word in self.words if word.lower() not in str(error).lower()]
        assert not missing, f"{missing} not in the message: {error}"

    def _attempt(self, k, given):
        k.utils.clear_session()
        try:
            self.call(k, *numbered(given, "x"))
        except Exception as error:
            return error
        return None

    def verdict(self, references):
        if not references["raised"]:
            lacking = self.lacking or self.raises in (AttributeError, NotImplementedError)
            why = f" ({self.differs})" if self.differs else ""
            return f"{'not supported' if lacking else 'stricter'}: {self.raises.__name__}{why}"
        if self.differs:
            return f"differs on purpose: {self.raises.__name__}, {self.differs}"
        return f"{PASSED}: {references['raised']}"


def _builtin_class(error):
    return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


@dataclass(frozen=True)
class ScheduleCase(Case):
    """A learning rate schedule at the given steps, and its config."""

    name: str
    schedule: Callable
    steps: Sequence[int]
    floatx = "float32"

    def prepare(self, k):
        return {"keras_config": as_text(self.schedule(k).get_config())}

    def measure(self, k, given):
        schedule = self.schedule(k)
        again = type(schedule).from_config(json.loads(given["keras_config"]))
        return {
            "rates": np.array([float(schedule(step)) for step in self.steps]),
            "rates_from_keras": np.array([float(again(step)) for step in self.steps]),
            "config": _config_text(schedule),
        }


# Of 200,000 draws; in standard deviations of the reference. The error of the inner quantiles of a
# normal distribution is 0.005, of its quantiles 0.1 % and 99.9 % 0.02; both sides have it.
INNER, OUTER = np.arange(5, 100, 5) / 100, np.array([0.001, 0.999])
INNER_LIMIT, OUTER_LIMIT = 0.03, 0.12


@dataclass(frozen=True)
class InitializerCase(Case):
    """The distribution of `initializer(k)`; the streams of random numbers differ, so no values."""

    name: str
    initializer: Callable
    shape: Sequence[int] = (400, 500)
    floatx = "float32"

    def prepare(self, k):
        assert np.prod(self.shape) >= 200_000, f"{self.name}: too few values for statistics"
        return {}

    def measure(self, k, given):
        k.utils.set_random_seed(1)
        values = np.asarray(self.initializer(k)(tuple(self.shape), dtype="float32"))
        assert values.shape == tuple(self.shape)
        return {
            "inner": np.quantile(values, INNER),
            "outer": np.quantile(values, OUTER),
            "moments": np.array([values.mean(dtype=float), values.std(dtype=float)]),
        }

    def check(self, references, results):
        unit = float(references["moments"][1])
        for name, limit in (("inner", INNER_LIMIT), ("outer", OUTER_LIMIT), ("moments", 0.02)):
            error = np.abs(results[name] - references[name]).max()
            assert error <= limit * unit, f"{name}: {results[name]}, Keras has {references[name]}"
