"""The golden case of a whole training run: `fit`, `evaluate`, `predict`, and what callbacks see."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from golden_case import Case, draw_weight, numbered, random_state

BATCH_HOOKS = [f"on_{part}_batch" for part in ("train", "test", "predict")]
SPAN_HOOKS = ["on_epoch", "on_train", "on_test", "on_predict"]


@dataclass(frozen=True)
class FitCase(Case):
    """Everything a user sees of a training run.

    `compile` gives the arguments of `model.compile`, `fit` those of `model.fit` beyond the data.
    Training data is x, y; validation data vx, vy; sample_weight if there is any. Other data, or
    other ways to hand it over: `feed(k, given)` gives {"fit": arguments, "evaluate": arguments,
    "predict": arguments} of what `data` drew; stages that it leaves out are not run.

    With `hooks`, the order of all hooks, the first argument of each and the keys of its logs are
    compared too, and the values of the logs. `callbacks(k)` gives further callbacks of `fit`.
    """

    name: str
    build: Callable
    data: dict[str, Callable]
    compile: Callable
    fit: dict = field(default_factory=dict)
    weight_scale: float = 0.6
    feed: Callable | None = None
    hooks: bool = False
    callbacks: Callable | None = None

    def prepare(self, k):
        rng = random_state(self.name)
        given = {name: draw(rng) for name, draw in self.data.items()}
        weights = [draw_weight(rng, w, self.weight_scale) for w in self.build(k).model.weights]
        return given | {f"w{i}": w for i, w in enumerate(weights)}

    def measure(self, k, given):
        model = self.build(k).model
        model.set_weights(numbered(given, "w"))
        model.compile(**self.compile(k))
        stages = (self.feed or self._feed)(k, given)
        events = []
        seen = {"callbacks": [recorder(k, events)] if self.hooks else []}
        more = self.callbacks(k) if self.callbacks else []
        options = {"shuffle": False, "verbose": 0, **self.fit, **stages["fit"]}
        history = model.fit(**options, callbacks=[*more, *seen["callbacks"]])
        results = {f"history_{key}": np.array(v) for key, v in history.history.items()}
        results["epochs"] = np.array(history.epoch)
        if "evaluate" in stages:
            logs = model.evaluate(**stages["evaluate"], **seen, verbose=0, return_dict=True)
            results |= {f"evaluate_{key}": np.array(v) for key, v in logs.items()}
        if "predict" in stages:
            results |= _leaves("predict", model.predict(**stages["predict"], **seen, verbose=0))
        if self.hooks:
            results["hooks"] = json.dumps([(hook, at, sorted(logs)) for hook, at, logs in events])
            results["logs"] = np.array([v for e in events for _, v in sorted(e[2].items())])
        return results | {f"w{i}": w for i, w in enumerate(model.get_weights())}

    def _feed(self, k, given):
        data = {"x": given["x"], "y": given["y"]}
        size = {"batch_size": self.fit.get("batch_size")}
        more = {"sample_weight": given["sample_weight"]} if "sample_weight" in given else {}
        if "vx" in given:
            more["validation_data"] = (given["vx"], given["vy"])
        return {
            "fit": data | more,
            "evaluate": data | size,
            "predict": {"x": given["x"]} | size,
        }


def _leaves(name, value):
    """The arrays of a prediction, which may be a list or a dict of them."""
    if isinstance(value, dict):
        return {k: v for key in value for k, v in _leaves(f"{name}_{key}", value[key]).items()}
    if isinstance(value, list | tuple):
        return {k: v for i, one in enumerate(value) for k, v in _leaves(f"{name}{i}", one).items()}
    return {name: np.asarray(value)}


def recorder(k, events):
    """A callback that appends (hook, epoch or batch or None, its numeric logs) to `events`."""

    def note(hook, has_index):
        def method(self, *arguments, **keywords):
            at = int(arguments[0]) if has_index else None
            logs = keywords.get("logs", arguments[-1] if len(arguments) > has_index else None)
            events.append((hook, at, {n: float(v) for n, v in (logs or {}).items() if _scalar(v)}))

        return method

    hooks = {}
    for stem in [*BATCH_HOOKS, *SPAN_HOOKS]:
        for end in ("begin", "end"):
            hook = f"{stem}_{end}"
            hooks[hook] = note(hook, stem in (*BATCH_HOOKS, "on_epoch"))
    return type("Recorder", (k.callbacks.Callback,), hooks)()


def _scalar(value):
    return np.ndim(value) == 0
