"""One fit of a model at a time."""

import contextlib
import os


class OneFit:
    """Of one model: whether it is being trained, in this process.

    A process that was forked while another thread trained has no such thread, so each process
    counts its own. A copy of it, of a copied model, begins anew.
    """

    def __init__(self):
        self._running = {}  # number of the process -> the fit in it

    def __reduce__(self):
        return OneFit, ()

    def refuse(self, model, what):
        """RuntimeError during a fit."""
        if os.getpid() in self._running:
            raise RuntimeError(
                f"model {model.name!r} is already being trained, so {what} has to wait until that "
                "fit is over; or use a copy made with clone_model()."
            )

    @contextlib.contextmanager
    def held(self, model):
        """Around a fit: a second one, in another thread or from a callback, is a RuntimeError."""
        fit, process = object(), os.getpid()
        try:  # a Ctrl-C may come anywhere in here
            if self._running.setdefault(process, fit) is not fit:  # in one step for all threads
                self.refuse(model, "another fit()")
            yield
        finally:
            if self._running.get(process) is fit:
                del self._running[process]
