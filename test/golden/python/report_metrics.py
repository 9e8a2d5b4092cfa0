"""Metrics of the report: scikit-learn's on made-up predictions, and scipy's Wilson interval."""

import numpy as np
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from store import write_json

CLASSES = 9
PICTURES = 600
BINS = 15
# of class 6 there are no pictures, 7 is never predicted, 8 is neither
ACTUAL = [0, 1, 2, 3, 4, 5, 7]
PREDICTED = [0, 1, 2, 3, 4, 5, 6]


def predictions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    actual = random.choice(ACTUAL, PICTURES, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05])
    right = random.random(PICTURES) < 0.6
    predicted = np.where(right & (actual != 7), actual, random.choice(PREDICTED, PICTURES))
    # more confident than right; on the edges of bins too, and never in the lowest
    confidence = np.round(0.15 + 0.85 * random.random(PICTURES) ** 0.5, 4)
    confidence[:4] = [1.0, 1 / 3, 0.2, 2 / 3]
    return actual, predicted, confidence


def scores(actual: np.ndarray, predicted: np.ndarray) -> dict:
    def mean(average: str) -> dict:
        values = precision_recall_fscore_support(actual, predicted, average=average, zero_division=0)
        return dict(zip(["precision", "recall", "f1"], map(float, values[:3])))

    each = precision_recall_fscore_support(actual, predicted, labels=range(CLASSES), zero_division=np.nan)
    names = ["precision", "recall", "f1", "support"]
    listed = {
        name: [None if np.isnan(value) else float(value) for value in values] for name, values in zip(names, each)
    }
    return {"classes": listed, "macro": mean("macro"), "weighted": mean("weighted")}


def calibration(right: np.ndarray, confidence: np.ndarray) -> dict:
    accuracies, confidences = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    counts = np.bincount(bins, minlength=BINS)
    shares = counts[counts > 0] / PICTURES
    return {
        "counts": counts.tolist(),
        "accuracies": accuracies.tolist(),
        "confidences": confidences.tolist(),
        "ece": float(np.sum(shares * np.abs(accuracies - confidences))),
        "mce": float(np.max(np.abs(accuracies - confidences))),
    }


def wilson() -> list:
    cases = [(0, 1), (1, 1), (0, 10), (3, 7), (10, 10), (680, 1403), (49_999, 50_000)]
    bounds = [(k, n, binomtest(k, n).proportion_ci(0.95, method="wilson")) for k, n in cases]
    return [{"successes": k, "total": n, "low": float(ci.low), "high": float(ci.high)} for k, n, ci in bounds]


def generate() -> None:
    actual, predicted, confidence = predictions()
    write_json(
        "report-metrics.json",
        {
            "actual": actual.tolist(),
            "predicted": predicted.tolist(),
            "confidence": confidence.tolist(),
            "confusion": confusion_matrix(actual, predicted, labels=range(CLASSES)).tolist(),
            "scores": scores(actual, predicted),
            "calibration": calibration(actual == predicted, confidence),
            "wilson": wilson(),
        },
    )
