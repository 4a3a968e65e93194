"""Data sets with the columns of those that Flower's examples load, from scikit-learn's own data or made up.

The images are real handwritten digits, 8×8 made larger; the flowers are Fisher's; census, passengers and
collisions are drawn at random with the columns of the real ones. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict
from sklearn.datasets import load_digits, load_iris

IMAGES = 480
"""In each split; a quarter for the test."""


def load_dataset(path: str, name: str | None = None, *, split: str | None = None, **_: Any) -> Any:
    """In place of `datasets.load_dataset`. KeyError if there is nothing of that name."""
    dataset = DatasetDict(STAND_INS[path]())
    return dataset if split is None else dataset[split]


def digits(image: str, side: int, colours: bool) -> dict[str, Dataset]:
    """Images of the digits, in a column of this name, with their labels."""
    from PIL import Image

    data = load_digits()
    pictures = [
        Image.fromarray((pixels * 15).astype(np.uint8))
        .resize((side, side))
        .convert("RGB" if colours else "L")
        for pixels in data.images[:IMAGES]
    ]
    labels = [int(label) for label in data.target[:IMAGES]]
    whole = Dataset.from_dict({image: pictures, "label": labels})
    whole = whole.cast_column("label", ClassLabel(num_classes=10))
    quarter = IMAGES // 4
    return {"train": whole.select(range(quarter, IMAGES)), "test": whole.select(range(quarter))}


def iris(names: tuple[str, ...]) -> dict[str, Dataset]:
    """Fisher's irises, shuffled once."""
    data = load_iris()
    order = np.random.default_rng(1).permutation(len(data.target))
    columns: dict[str, Any] = {name: data.data[order, place] for place, name in enumerate(names)}
    return {"train": Dataset.from_dict({**columns, "species": data.target[order]})}


def census() -> dict[str, Dataset]:
    """People, with the columns of the Adult census."""
    draw = np.random.default_rng(2)
    words = {
        "workclass": ("Private", "State-gov", "Self-emp"),
        "education": ("Bachelors", "HS-grad", "Masters"),
        "marital.status": ("Married", "Divorced", "Never-married"),
        "occupation": ("Sales", "Tech-support", "Craft-repair"),
        "relationship": ("Husband", "Wife", "Own-child"),
        "race": ("A", "B", "C"),
        "sex": ("Female", "Male"),
        "native.country": ("Here", "There"),
    }
    numbers = ("age", "fnlwgt", "education.num", "capital.gain", "capital.loss", "hours.per.week")
    people = 600
    columns: dict[str, Any] = {name: draw.integers(18, 90, people) for name in numbers}
    columns |= {name: draw.choice(choices, people) for name, choices in words.items()}
    rich = columns["age"] + columns["education.num"] + draw.normal(0, 15, people) > 108
    return {"train": Dataset.from_dict({**columns, "income": np.where(rich, ">50K", "<=50K")})}


def passengers() -> dict[str, Dataset]:
    """Passengers, with the columns of the Titanic's."""
    draw = np.random.default_rng(3)
    count = 300
    sex = draw.choice(("male", "female"), count)
    columns = {
        "Survived": ((sex == "female") ^ (draw.random(count) < 0.2)).astype(int),
        "Pclass": draw.integers(1, 4, count),
        "Name": [f"{'Mr' if each == 'male' else 'Mrs'}. Passenger {place}" for place, each in enumerate(sex)],
        "Sex": sex,
        "Age": draw.integers(1, 80, count).astype(float),
        "Siblings/Spouses Aboard": draw.integers(0, 4, count),
        "Parents/Children Aboard": draw.integers(0, 4, count),
        "Fare": draw.random(count) * 100,
    }
    return {"train": Dataset.from_dict(columns)}


def collisions() -> dict[str, Dataset]:
    """Signal and background with 28 features, as in HIGGS."""
    draw = np.random.default_rng(4)
    inputs = draw.normal(size=(1200, 28))
    labels = (inputs[:, :4].sum(axis=1) + draw.normal(size=1200) > 0).astype(float)
    whole = Dataset.from_dict({"inputs": inputs.tolist(), "label": labels})
    return {"train": whole.select(range(900)), "test": whole.select(range(900, 1200))}


IRIS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
IRIS_ON_KAGGLE = ("SepalLengthCm", "SepalWidthCm", "PetalLengthCm", "PetalWidthCm")

STAND_INS: Mapping[str, Callable[[], dict[str, Dataset]]] = {
    "ylecun/mnist": lambda: digits("image", 28, colours=False),
    "zalando-datasets/fashion_mnist": lambda: digits("image", 28, colours=False),
    "uoft-cs/cifar10": lambda: digits("img", 32, colours=True),
    "cifar10": lambda: digits("img", 32, colours=True),
    "hitorilabs/iris": lambda: iris(IRIS),
    "scikit-learn/iris": lambda: iris(IRIS_ON_KAGGLE),
    "scikit-learn/adult-census-income": census,
    "julien-c/titanic-survival": passengers,
    "jxie/higgs": collisions,
}
