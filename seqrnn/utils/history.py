"""A picture of a training run."""


def plot_history(history, metrics=None, ax=None):
    """Draws learning curves with matplotlib; returns the axes.

    The training values are averages over an epoch, so they are drawn half an epoch to the left of
    the validation's.

    Args:
        history: what `fit` returned, or its `.history` dict.
        metrics: names; default 'loss' alone.
    """
    import matplotlib.pyplot as plt

    values = getattr(history, "history", history)
    names = [metrics] if isinstance(metrics, str) else (metrics or ["loss"])
    for name in names:
        if name not in values:
            raise ValueError(f"plot_history: no {name!r} in the history: {', '.join(values)}.")
    ax = plt.gca() if ax is None else ax
    for name in names:
        epochs = range(1, len(values[name]) + 1)
        (line,) = ax.plot([e - 0.5 for e in epochs], values[name], ".--", label=name)
        if f"val_{name}" in values:
            validation = values[f"val_{name}"]
            ax.plot(
                range(1, len(validation) + 1), validation, ".-", color=line.get_color(),
                label=f"val_{name}",
            )  # fmt: skip
    ax.set_xlabel("epoch")
    ax.set_xlim(left=0)
    ax.grid(True, alpha=0.4)
    ax.legend()
    return ax
