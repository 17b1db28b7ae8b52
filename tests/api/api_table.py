"""Compare seqrnn with the names and arguments of Keras, and write docs/api/*.md.

    .venv-dev/bin/python tests/api/api_table.py

For each public name of Keras: is it here, and is each argument at the same place, with the same
name and the same default? What is not here must be an error that names it; so must an argument.
"""

import ast
import functools
import importlib
import inspect
import json
import pathlib
from dataclasses import dataclass, field

from api_differences import DIFFERENCES, INSTANCES, SAMPLES

HERE = pathlib.Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "api"
SIGNATURES = json.loads((HERE / "signatures.json").read_text())
VERSION = SIGNATURES.pop("version")
ABSENT = object()


@dataclass
class Row:
    """One public name of Keras, and what became of it here."""

    path: str  # keras.layers.Dense
    present: bool = True
    refused: list[str] = field(default_factory=list)  # arguments that are an error naming them
    deviations: dict[str, str] = field(default_factory=dict)  # argument -> what differs
    error: str = ""  # of an absent name

    @property
    def verdict(self):
        if not self.present:
            return "not supported"
        parts = [f"`{a}`: {text}" for a, text in self.deviations.items()]
        if self.refused:
            parts.append("not supported: " + ", ".join(f"`{a}`" for a in self.refused))
        return "; ".join(parts) or "same"


@functools.cache
def rows():
    """{path of the module or class in Keras: its rows}."""
    return {
        owner: [compare(owner, name, arguments) for name, arguments in names.items()]
        for owner, names in SIGNATURES.items()
    }


def compare(owner, name, keras_arguments):
    row = Row(f"{owner}.{name}")
    try:
        thing = found(f"seqrnn{row.path.removeprefix('keras')}")
    except (AttributeError, ImportError) as error:
        row.present, row.error = _of_instances(owner, name), str(error)
        return row
    ours = _arguments(thing, is_method=_is_class(owner))
    if keras_arguments and ours is not None:
        _compare_arguments(row, thing, keras_arguments, ours)
    return row


def _of_instances(owner, name):
    """Whether the instances of a class have an attribute that the class has not."""
    return owner in INSTANCES and hasattr(INSTANCES[owner](), name)


def found(path):
    """The thing at a dotted path; the names on the way may be modules or classes.

    What a class has not, its `INSTANCES` may have, as attributes.
    """
    value = importlib.import_module("seqrnn")
    for name in path.split(".")[1:]:
        make = INSTANCES.get(f"keras.{value.__name__}") if isinstance(value, type) else None
        of_instances = make is not None and not hasattr(value, name)
        value = getattr(make() if of_instances else value, name)
    return value


def _is_class(owner):
    return owner.rpartition(".")[2][0].isupper()


def _arguments(thing, is_method):
    """The parameters but self; None where there is no signature."""
    if isinstance(thing, type):
        own = inspect.signature(thing.__init__)
        return list(own.parameters.values())[1:] if thing.__init__ is not object.__init__ else []
    if not callable(thing):
        return None
    parameters = list(inspect.signature(thing).parameters.values())
    return (
        parameters[1:]
        if is_method and parameters[:1] and parameters[0].name == "self"
        else parameters
    )


def _compare_arguments(row, thing, keras_arguments, ours):
    by_name = {p.name: p for p in ours}
    order = [p.name for p in ours if p.kind == p.POSITIONAL_OR_KEYWORD]
    takes_all = {p.kind for p in ours}
    theirs = {name for name, _, _ in keras_arguments}
    for at, (name, kind, default) in enumerate(keras_arguments):
        if kind in ("*", "**"):
            continue
        parameter = by_name.get(name)
        here = order[at] if at < len(order) else None
        if parameter is None and kind == "" and here is not None and here not in theirs:
            row.deviations[name] = f"called `{here}`"
        elif parameter is None and inspect.Parameter.VAR_KEYWORD in takes_all:
            _probe(row, _bound(row, thing), name, keras_arguments)
        elif parameter is None:
            row.refused.append(name)  # by Python itself
        elif default is not None and _default(parameter) != default:
            row.deviations[name] = f"the default is {_default(parameter)}, not {default}"
        elif kind == "" and inspect.Parameter.VAR_POSITIONAL not in takes_all and here != name:
            row.deviations[name] = "by keyword only" if name not in order else "at another place"


def _bound(row, thing):
    """A method, of an instance; anything else as it is."""
    make = INSTANCES.get(row.path.rpartition(".")[0])
    return functools.partial(thing, make()) if make else thing


def _default(parameter):
    return None if parameter.default is parameter.empty else repr(parameter.default)


def _probe(row, thing, name, keras_arguments):
    """What becomes of an argument that falls under `**`: refused, kept, or dropped?"""
    required = [a for a, kind, default in keras_arguments if default is None and not kind]
    values = {a: SAMPLES[a] for a in required if a != name}
    default = _literal(next(d for a, _, d in keras_arguments if a == name))
    made, error = _attempt(thing, values | {name: default})
    if error is None:
        config = made.get_config() if hasattr(made, "get_config") else {}
        if name in config or hasattr(made, name):
            return
        made, error = _attempt(thing, values | {name: OTHER.get(type(default), "other")})
    if error is None:
        row.deviations[name] = "accepted and ignored"
    elif f"'{name}'" in error or f"{name}=" in error or f"{name} is" in error:
        row.refused.append(name)
    else:
        row.deviations[name] = f"an error that does not name it: {error}"


# Another value than the default, by the default's type: it must not be dropped.
OTHER = {bool: True, float: 0.123, int: 7, str: "other", type(None): 7}


def _attempt(thing, values):
    try:
        return thing(**values), None
    except Exception as error:
        return None, str(error)


def _literal(text):
    try:
        return ast.literal_eval(text or "None")
    except (ValueError, SyntaxError):
        return None


def page(owner, rows):
    """The page of one module or class."""
    same = [r for r in rows if r.present and r.verdict == "same"]
    partly = [r for r in rows if r.present and r.verdict != "same"]
    absent = [r for r in rows if not r.present]
    lines = [f"# {owner}", "", f"Of the {len(rows)} names of Keras {VERSION}:", ""]
    lines += [f"**The same** ({len(same)}): {_names(same)}", ""]
    if partly:
        lines += [f"**With differences** ({len(partly)}):", "", "| name | what |", "|---|---|"]
        lines += [f"| `{_last(r)}` | {_with_reasons(r)} |" for r in partly] + [""]
    lines += [f"**Not supported**, an error that names it ({len(absent)}): {_names(absent)}", ""]
    return "\n".join(lines)


def _last(row):
    return row.path.rpartition(".")[2]


def _names(rows):
    return ", ".join(f"`{_last(r)}`" for r in rows) or "none"


def _with_reasons(row):
    parts = [
        f"`{a}`: {text} ({DIFFERENCES.get((row.path, a), 'no reason given')})"
        for a, text in row.deviations.items()
    ]
    if row.refused:
        parts.append("not supported: " + ", ".join(f"`{a}`" for a in row.refused))
    return "; ".join(parts)


def overview(compared):
    """The first page: how much of each module there is."""
    lines = [f"# The names of Keras {VERSION}", ""]
    lines += ["From `tests/api/signatures.json`, by `make tables`. What is not supported is an"]
    lines += ["error that names it.", ""]
    lines += ["| module or class | the same | with differences | not supported |"]
    lines += ["|---|---|---|---|"]
    for owner, its in compared.items():
        present = [r for r in its if r.present]
        same = sum(r.verdict == "same" for r in present)
        name = f"[{owner}]({owner}.md)" if present else owner
        lines.append(f"| {name} | {same} | {len(present) - same} | {len(its) - len(present)} |")
    return "\n".join(lines) + "\n"


@functools.cache
def pages():
    """{file name: text}; a page for each module or class of which there is something."""
    compared = rows()
    some = {o: its for o, its in compared.items() if any(r.present for r in its)}
    return {"README.md": overview(compared)} | {f"{o}.md": page(o, r) for o, r in some.items()}


def main():
    DOCS.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()
