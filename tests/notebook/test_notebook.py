"""The committed notebook: its cells run, and what is stored in it is what a reader should see."""

import json
import re
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "notebooks/long_sequences.ipynb"
SEED = PATH.parents[2] / "shared/000_04e23eac34d03fdc.txt"
QUICK = {"EPOCHS": 1, "N_TRAIN": 64, "N_VALID": 32, "N_TEST": 8}


@pytest.fixture(scope="module")
def cells():
    return json.loads(PATH.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def of_kind(cells, kind):
    return [cell for cell in cells if cell["cell_type"] == kind]


def test_its_code_runs(cells):
    """All of it in order, with few series and one epoch."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    namespace = {}
    try:
        for number, cell in enumerate(cells):
            if cell["cell_type"] == "code":
                code = re.sub(r"^%.*$", "", source(cell), flags=re.MULTILINE)
                exec(compile(code, f"{PATH.name}, cell {number}", "exec"), namespace)
                if "parameters" in cell["metadata"].get("tags", ()):
                    assert namespace.keys() >= QUICK.keys()
                    namespace.update(QUICK)
                plt.close("all")
    finally:
        plt.close("all")
    assert namespace["X_train"].shape == (64, 50, 1)
    assert {"SimpleRNN", "BatchNormalization", "LNSimpleRNNCell", "dropout", "LSTM", "GRU"} <= set(
        namespace["results"]
    )


def test_it_was_executed_from_top_to_bottom(cells):
    code = of_kind(cells, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    pictures = [output for output in outputs if "image/png" in output.get("data", ())]
    assert len(pictures) >= 12
    for output in outputs:
        assert output.get("name") != "stderr", output["text"]
        assert "\r" not in "".join(output.get("text", "")), "half-drawn progress lines"
    assert PATH.stat().st_size < 1e6


def test_it_has_the_headings_of_the_seed_in_their_order(cells):
    if not SEED.exists():
        pytest.skip(f"the seed's notes are not at {SEED}")
    heading = re.compile(r"^#+ .*?(?= *$)", re.MULTILINE)
    code = re.compile(r"^In \[.*?(?=^$|\Z)", re.MULTILINE | re.DOTALL)
    own = iter(heading.findall("\n".join(map(source, of_kind(cells, "markdown")))))
    for line in heading.findall(code.sub("", SEED.read_text(encoding="utf-8"))):
        assert line in own, f"missing, or too early: {line}"  # `in` moves the iterator on
