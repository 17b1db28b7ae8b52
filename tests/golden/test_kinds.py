"""The kinds of golden cases can fail: each must object to a library that gets it wrong."""

import dataclasses
import json
import pathlib
import types

import golden_file
import numpy as np
import pytest
from cases import FAMILIES
from golden_case import CallCase
from golden_fit import recorder
from golden_kinds import (
    ConfigCase,
    FactCase,
    InitializerCase,
    RefusalCase,
    ScheduleCase,
    as_text,
    normalised,
)
from golden_module import k

HERE = pathlib.Path(__file__).parent


class Rate:
    """A schedule and an initializer in one, whose factor a wrong library gets wrong."""

    def __init__(self, factor, scale=1.0):
        self.factor, self.scale = factor, scale

    def __call__(self, step, dtype=None):
        if dtype:
            return self.scale * np.random.RandomState(3).normal(size=step)
        return self.factor * step

    def get_config(self):
        return {"factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def library(**contents):
    names = {"clear_session": lambda: None, "set_random_seed": lambda seed: None}
    return types.SimpleNamespace(utils=types.SimpleNamespace(**names), **contents)


def stored(case, k):
    given = case.prepare(k)
    return given, case.measure(k, given)


def objects(case, right, wrong):
    """The case passes with the library that made its references, and not with the wrong one."""
    given, references = stored(case, right)
    case.check_here(right, given, references)
    with pytest.raises(AssertionError):
        case.check_here(wrong, given, references)


def make(k):
    return k.make()


def rates(factor, **options):
    return library(make=lambda: Rate(factor, **options))


@pytest.mark.parametrize(
    "case",
    [
        CallCase("value", lambda k: k.make()(2.0)),
        FactCase("fact", lambda k: k.make().factor),
        ConfigCase("config", make),
        ScheduleCase("schedule", make, (1, 2)),
    ],
    ids=lambda case: case.name,
)
def test_a_wrong_value_fails(case):
    objects(case, rates(2), rates(3))


def test_a_wrong_spread_fails():
    objects(InitializerCase("spread", make), rates(1), rates(1, scale=1.05))


def test_a_number_that_is_near_passes():
    given, references = stored(CallCase("near", lambda k: k.make()(1.0)), rates(1.0))
    CallCase("near", lambda k: k.make()(1.0)).check_here(rates(1 + 1e-6), given, references)


def test_a_difference_that_is_none_fails():
    case = FactCase("same", lambda k: k.make().factor, differs="a reason", here=2)
    assert case.verdict({}) == "differs on purpose: a reason"
    given, references = stored(case, rates(2))
    with pytest.raises(AssertionError, match="no difference"):
        case.check_here(rates(2), given, references)
    case.check_here(rates(2), given, {"fact": as_text(3)})


def raising(error):
    def call():
        if error is not None:
            raise error

    return library(call=call)


class Odd(ValueError):
    """Of no builtin class itself."""


class TestRefusals:
    CASE = RefusalCase("refused", lambda k: k.call(), ["units", "-3"])
    RIGHT = Odd("units is -3")

    def references(self, error):
        return stored(self.CASE, raising(error))

    def test_keras_error_is_known_by_its_builtin_class(self):
        assert self.references(self.RIGHT)[1] == {"raised": "ValueError"}

    @pytest.mark.parametrize(
        "error", [None, TypeError("units is -3"), ValueError("units is wrong")], ids=repr
    )
    def test_other_errors_fail(self, error):
        given, references = self.references(self.RIGHT)
        self.CASE.check_here(raising(self.RIGHT), given, references)
        with pytest.raises(AssertionError):
            self.CASE.check_here(raising(error), given, references)

    def test_what_keras_accepts_needs_a_class(self):
        given, references = self.references(None)
        with pytest.raises(AssertionError, match="raises"):
            self.CASE.check_here(raising(self.RIGHT), given, references)
        case = RefusalCase("refused", lambda k: k.call(), ["units"], raises=ValueError)
        case.check_here(raising(self.RIGHT), given, references)
        assert case.verdict(references) == "stricter: ValueError"
        case = dataclasses.replace(case, lacking=True)
        case.check_here(raising(self.RIGHT), given, references)
        assert case.verdict(references) == "not supported: ValueError"
        given, references = self.references(self.RIGHT)
        with pytest.raises(AssertionError, match="Keras refuses it too"):
            case.check_here(raising(self.RIGHT), given, references)
        absent = RefusalCase("absent", lambda k: k.absent, ["absent"], raises=AttributeError)
        assert absent.verdict({"raised": ""}) == "not supported: AttributeError"


def test_configs_are_compared_without_what_says_the_same_twice():
    theirs = {
        "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}, "module": "keras"},
        "part": {"module": "keras", "class_name": "L2", "config": {"l2": 0.1}},
        "rate": 0.0010000000474974513,
        "absent": None,
    }
    ours = {
        "dtype": "float32",
        "part": {"registered_name": "L2", "class_name": "L2", "config": {"l2": 0.1}},
        "rate": 0.001,
    }
    assert normalised(theirs) == normalised(ours)
    assert normalised(ours | {"rate": 0.00101}) != normalised(ours)
    assert json.loads(as_text({"b": np.int64(1), "a": (1, 2)})) == {"a": [1, 2], "b": 1}


def test_the_recorder_notes_hooks_in_order():
    events = []
    made = recorder(types.SimpleNamespace(callbacks=types.SimpleNamespace(Callback=object)), events)
    made.on_train_begin()
    made.on_epoch_begin(2)
    made.on_epoch_end(2, {"loss": np.float32(0.5), "outputs": np.zeros(3)})
    made.on_test_end(logs=None)
    assert events == [
        ("on_train_begin", None, {}),
        ("on_epoch_begin", 2, {}),
        ("on_epoch_end", 2, {"loss": 0.5}),
        ("on_test_end", None, {}),
    ]


# ---- kinds that need the whole library: every single reference of a row counts ----

SAMPLES = {
    "models": "seed_lstm",  # StepCase
    "metrics": "mae",  # MetricCase
    "fit": "fit_seed",  # FitCase
    "files": "file_lstm",  # FileCase
}


def changed(value):
    """Another value: floats by a hundredth of the largest and more, the rest by 1 or a letter."""
    if isinstance(value, str):
        return value + "x"
    value = np.asarray(value)
    if value.dtype.kind == "b":
        return ~value
    if value.dtype.kind in "iu":
        return value + 1
    if value.dtype.kind in "US":
        return np.char.add(value, "x")
    return value + np.asarray(0.02 + 0.01 * np.abs(value).max(initial=0)).astype(value.dtype)


@pytest.mark.parametrize("family", SAMPLES)
def test_every_reference_of_a_row_counts(family):
    case = next(case for case in FAMILIES[family] if case.name == SAMPLES[family])
    stored = golden_file.load(HERE / f"{family}.npz")[0][case.name]
    given = {name: value for name, value in stored.items() if not name.startswith("=")}
    references = {name[1:]: value for name, value in stored.items() if name.startswith("=")}
    case.check_here(k, given, references)
    assert references
    for name, value in references.items():
        with pytest.raises(AssertionError):
            case.check_here(k, given, references | {name: changed(value)})
            pytest.fail(f"{name} does not count", pytrace=False)
