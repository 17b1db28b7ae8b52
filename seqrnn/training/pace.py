"""How many steps of training the core makes in one call.

What Python does between two calls costs some microseconds, more after each step of a large model
than after a small one's, as the caches then hold the model's numbers. So a call makes as many steps
as take a few milliseconds, and a Ctrl-C, the progress bar and other threads still get their turn.
"""

import time

_SHORT, _LONG = 0.002, 0.008  # seconds
_MOST = 2**20  # data that come batch by batch would have it double without end


class Pace:
    """Args:
    one_by_one: function that says whether there is something to do after each step.
    """

    def __init__(self, one_by_one):
        self._one_by_one = one_by_one
        self._steps = 1
        self._before = None

    def steps(self):
        """For the next call; asked once before each."""
        now = time.perf_counter()
        spent = _SHORT if self._before is None else now - self._before
        self._before = now
        if self._one_by_one():
            self._steps = 1
        elif spent < _SHORT:
            self._steps = min(self._steps * 2, _MOST)
        elif spent > _LONG:
            self._steps = max(self._steps // 2, 1)
        return self._steps
