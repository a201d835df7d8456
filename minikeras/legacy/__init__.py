"""What Keras keeps for the sake of old programs."""

from minikeras.legacy import saving
