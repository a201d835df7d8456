"""Random numbers have no oracle for their values: their distributions are tested."""

CASES = []

ELSEWHERE = dict.fromkeys(
    [
        "fold_in",
        "next_key",
        "pass_key",
        "random_bernoulli",
        "random_bits",
        "random_binomial",
        "random_categorical",
        "random_gamma",
        "random_integers",
        "random_normal",
        "random_permutation",
        "random_uniform",
        "truncated_normal",
    ],
    "test_sampling.py",
)
