"""Models as estimators of scikit-learn, for its pipelines, searches and checks.

They need scikit-learn, ``pip install 'minikeras[sklearn]'``.
"""

from typing import TYPE_CHECKING

from minikeras.lazy import attach

if TYPE_CHECKING:
    from minikeras.wrappers.estimators import (
        SKLearnClassifier,
        SKLearnRegressor,
        SKLearnTransformer,
    )

_NAMES = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")

__getattr__, __dir__ = attach(
    __name__, dict.fromkeys(_NAMES, "minikeras.wrappers.estimators")
)
