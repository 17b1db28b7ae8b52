"""Every file of the golden table, written here, in Keras: `python file_trips.py <Keras's python>`.

seqrnn reads what Keras wrote (`files/`) and writes it again; Keras reads that, and must predict,
evaluate, train on and save as it did with its own file: the references are those of the table.
`test_round_trips.py` runs it in CI if it finds Keras.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import golden_file
import golden_model_files
from cases import FAMILIES
from golden_case import inputs_of

HERE = pathlib.Path(__file__).parent
GOLDENS = golden_file.load(HERE / "files.npz")[0]


def given_to(case):
    """The arrays that a case was given, and Keras's results."""
    stored = GOLDENS[case.name]
    given = {name: array for name, array in stored.items() if not name.startswith("=")}
    return given, {name[1:]: array for name, array in stored.items() if name.startswith("=")}


def write(folder):
    """With seqrnn: each file of Keras's, read and written again."""
    import seqrnn

    for case in FAMILIES["files"]:
        given, _ = given_to(case)
        name = f"{case.name}{case.suffix}"
        model = case._read(seqrnn, golden_model_files.FILES / name, inputs_of(given))
        case._write(model, folder / name)


def read(folder):
    """With Keras: each of those, measured and compared; {name: error} of those that differ."""
    from make_goldens import keras_on

    keras, failed = keras_on("tensorflow"), {}
    golden_model_files.FILES = folder
    for case in FAMILIES["files"]:
        given, references = given_to(case)
        try:
            case.check_keras(references, case.measure(keras, given))
        except Exception as error:
            failed[case.name] = f"{type(error).__name__}: {error}"[:600]
    return failed


def run(keras_python, folder):
    """{name of a case: error} of the cases that Keras does not read as its own."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["KERAS_BACKEND"] = "tensorflow"
    for python, what in ((sys.executable, "write"), (keras_python, "read")):
        command = [python, __file__, what, str(folder)]
        subprocess.run(command, check=True, env=environment)
    return json.loads((pathlib.Path(folder) / "failed.json").read_text())


def main():
    if sys.argv[1] in ("write", "read"):
        folder = pathlib.Path(sys.argv[2])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            failed = (write if sys.argv[1] == "write" else read)(folder)
        (folder / "failed.json").write_text(json.dumps(failed))
        return
    with tempfile.TemporaryDirectory() as folder:
        failed = run(sys.argv[1], folder)
    for name, error in failed.items():
        print(f"FAIL {name}: {error}")
    print(f"{len(FAMILIES['files'])} files, {len(failed)} not read as Keras's own")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
