"""sklearnexample: A Flower / scikit-learn app."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

CLASSES = 10
FEATURES = 64


def load_data(partition_id: int, num_partitions: int):
    """Load one partition of the digits."""
    images, labels = load_digits(return_X_y=True)
    images, labels = images[partition_id::num_partitions] / 16, labels[partition_id::num_partitions]
    # Split the on edge data: 80% train, 20% test
    split = int(0.8 * len(labels))
    return images[:split], images[split:], labels[:split], labels[split:]


def get_model(local_epochs: int) -> LogisticRegression:
    """A model that goes on from the parameters that it was given."""
    model = LogisticRegression(max_iter=local_epochs, warm_start=True)
    model.classes_ = np.arange(CLASSES)
    set_model_params(model, [np.zeros((CLASSES, FEATURES)), np.zeros(CLASSES)])
    return model


def get_model_params(model: LogisticRegression):
    """The model's parameters as NumPy arrays."""
    return [model.coef_, model.intercept_]


def set_model_params(model: LogisticRegression, params) -> LogisticRegression:
    """Put parameters into the model."""
    model.coef_, model.intercept_ = params
    return model
