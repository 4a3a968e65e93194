"""numpyexample: A Flower / NumPy app."""

import numpy as np

TRUE_WEIGHTS = np.array([2.0, -3.0, 0.5])
TRUE_BIAS = 1.0


def get_initial_model():
    """Weights and bias of a linear model."""
    return [np.zeros(3), np.zeros(1)]


def load_data(partition_id: int):
    """Points near a plane, others for every partition."""
    rng = np.random.default_rng(partition_id)
    features = rng.normal(size=(60, 3))
    targets = features @ TRUE_WEIGHTS + TRUE_BIAS + rng.normal(scale=0.1, size=60)
    return features[:40], targets[:40], features[40:], targets[40:]


def mean_squared_error(model, features, targets) -> float:
    """Loss of the model on these points."""
    weights, bias = model
    return float(np.mean((features @ weights + bias - targets) ** 2))


def train(model, features, targets, epochs: int, lr: float):
    """Gradient descent on the mean squared error."""
    weights, bias = (array.copy() for array in model)
    for _ in range(epochs):
        error = features @ weights + bias - targets
        weights -= lr * 2 * features.T @ error / len(targets)
        bias -= lr * 2 * error.mean()
    return [weights, bias]
