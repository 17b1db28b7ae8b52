"""Forecasts the CO2 record of Mauna Loa: `python -m seqrnn.demo`.

At every week the model sees how much the value changed since the week before and which time of the
year it is, and forecasts the next 13 weeks as changes against the value of that week. So it works
on a scale that does not drift while the record climbs from 316 to 371 ppm. It learns from the years
up to 1990; 1991 to 1994 show during training how it does on years it has not seen; 1995 to 2001 are
looked at once, at the end, next to three forecasts that need no model.
"""

import argparse

import numpy as np

import seqrnn as keras

HORIZON = 13  # weeks that are forecast
WINDOW = 104  # weeks of one training example
YEAR = 52
VALIDATE_FROM = np.datetime64("1991-01-01")
TEST_FROM = np.datetime64("1995-01-01")


def fill_gaps(values):
    """Replaces NaN by linear interpolation between the neighbours in time. The last gap of the
    record is in 1985, so nothing that is tested on is made up."""
    position = np.arange(len(values))
    known = ~np.isnan(values)
    return np.interp(position, position[known], values[known])


def features(dates, values):
    """What the model sees of each week, (weeks, 3): the change since the week before, and the time
    of the year as a point on a circle."""
    days = (dates - dates.astype("datetime64[Y]").astype(dates.dtype)).astype(int)
    angle = 2 * np.pi * days / 365.25
    change = np.diff(values, prepend=values[0])
    return np.stack([change, np.sin(angle), np.cos(angle)], axis=-1).astype(np.float32)


def next_changes(values, weeks):
    """The next HORIZON values as changes against the value of each of `weeks`."""
    ahead = weeks[..., np.newaxis] + np.arange(1, HORIZON + 1)
    return (values[ahead] - values[weeks][..., np.newaxis]).astype(np.float32)


def windows(dates, values, begin, end, stride=4):
    """Training examples from the weeks begin to end - 1, a target at every step.

    X: (examples, WINDOW, 3), Y: (examples, WINDOW, HORIZON); one example begins every `stride`
    weeks, and no value from week `end` on is used.
    """
    first = np.arange(begin, end - WINDOW - HORIZON + 1, stride)
    weeks = first[:, np.newaxis] + np.arange(WINDOW)
    return features(dates, values)[weeks], next_changes(values, weeks)


def build_model():
    model = keras.models.Sequential(
        [
            keras.layers.Conv1D(32, 8, padding="causal", activation="relu"),
            keras.layers.GRU(32, return_sequences=True),
            keras.layers.Dense(HORIZON),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(learning_rate=0.005))
    return model


def forecast(model, dates, values, weeks):
    """The model's forecast from each of `weeks`, made with the WINDOW weeks up to then."""
    past = weeks[:, np.newaxis] + np.arange(1 - WINDOW, 1)
    changes = model.predict(features(dates, values)[past], verbose=0)[:, -1]
    return values[weeks][:, np.newaxis] + changes


def naive_forecasts(values, weeks):
    """Three forecasts without a model, by name; each (len(weeks), HORIZON)."""
    ahead = weeks[:, np.newaxis] + np.arange(1, HORIZON + 1)
    last, year_ago = values[weeks][:, np.newaxis], values[ahead - YEAR]
    growth = last - values[weeks - YEAR][:, np.newaxis]
    return {
        "the last value": np.broadcast_to(last, ahead.shape),
        "the value a year before": year_ago,
        "a year before + growth since": year_ago + growth,
    }


def print_table(truth, forecasts):
    print(f"{'forecast':30} {'MAE':>6} {'RMSE':>6}   (ppm, mean of {HORIZON} weeks ahead)")
    for name, values in forecasts.items():
        error = values - truth
        mae, rmse = np.abs(error).mean(), np.sqrt(np.square(error).mean())
        print(f"{name:30} {mae:6.3f} {rmse:6.3f}")


def draw(path, dates, values, weeks, truth, forecasts):
    """The record with every 13th forecast of the model, and the error by weeks ahead."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, (record, errors) = plt.subplots(
        1, 2, figsize=(13, 4.5), width_ratios=(2, 1), layout="constrained"
    )
    shown = slice(weeks[-1] - 3 * YEAR, None)
    record.plot(dates[shown], values[shown], ".", color="0.6", label="measured")
    for row in range(len(weeks) - 1, len(weeks) - 3 * YEAR, -HORIZON):
        ahead = slice(weeks[row] + 1, weeks[row] + 1 + HORIZON)
        label = "forecast, 13 weeks at a time" if row == len(weeks) - 1 else None
        record.plot(dates[ahead], forecasts["seqrnn"][row], color="C3", label=label)
    record.set_ylabel("CO2 at Mauna Loa, ppm")
    record.legend()

    for name, values_ahead in forecasts.items():
        mae = np.abs(values_ahead - truth).mean(axis=0)
        color = "C3" if name == "seqrnn" else None
        errors.plot(np.arange(1, HORIZON + 1), mae, color=color, label=name)
    errors.legend()
    errors.set(xlabel="weeks ahead", ylabel="mean absolute error, ppm", ylim=(0, None))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m seqrnn.demo",
        description="Train on the CO2 record of Mauna Loa and compare with naive forecasts.",
    )
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--picture", default="co2_forecast.png", help="where to write the picture (%(default)s)"
    )
    args = parser.parse_args()

    keras.utils.set_random_seed(args.seed)
    dates, values = keras.datasets.co2()
    values = fill_gaps(values)
    validate, test = np.searchsorted(dates, [VALIDATE_FROM, TEST_FROM])
    X, Y = windows(dates, values, 1, validate)
    print(f"Weekly CO2 at Mauna Loa: {len(X)} windows of {WINDOW} weeks up to 1990 to train on")
    model = build_model()
    model.fit(
        X,
        Y,
        epochs=args.epochs,
        batch_size=32,
        validation_data=windows(dates, values, validate, test),
        verbose=1,
    )

    weeks = np.arange(test, len(values) - HORIZON)
    truth = values[weeks][:, np.newaxis] + next_changes(values, weeks)
    forecasts = {"seqrnn": forecast(model, dates, values, weeks)} | naive_forecasts(values, weeks)
    print(f"\nTest: forecasts from each of {len(weeks)} weeks, {dates[test]} to {dates[weeks[-1]]}")
    print_table(truth, forecasts)
    try:
        draw(args.picture, dates, values, weeks, truth, forecasts)
    except ImportError:
        print("\nNo picture: matplotlib is not installed (pip install matplotlib)")
    else:
        print(f"\nPicture of the forecast: {args.picture}")


if __name__ == "__main__":
    main()
