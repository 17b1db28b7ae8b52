"""Runs a notebook from top to bottom and stores its outputs in it.

    pip install ".[notebook]"
    cd notebooks                           # above it, Python would find the source, not what is installed
    python execute.py                      # long_sequences.ipynb, in place

Cells run in a fresh kernel of the environment that runs this script. The first cell that fails ends
the run with its error, and the file stays as it was.
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def run(notebook):
    """Executes `notebook` and keeps only what a reader sees."""
    NotebookClient(notebook, kernel_name="python3", timeout=3600, coalesce_streams=True).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of day
    # Which Python it was differs from run to run and matters to nobody.
    notebook.metadata["language_info"] = {"name": "python"}


def main():
    default = Path(__file__).with_name("long_sequences.ipynb")
    parser = argparse.ArgumentParser(description="Run a notebook, store its outputs in it.")
    parser.add_argument("notebook", nargs="?", type=Path, default=default)
    path = parser.parse_args().notebook
    notebook = nbformat.read(path, as_version=4)
    run(notebook)
    nbformat.write(notebook, path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
