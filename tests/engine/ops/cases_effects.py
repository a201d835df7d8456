"""Printing, asserting and calling Python have no oracle in NumPy: see tests/engine."""

CASES = []
ELSEWHERE = {
    "print_values": "tests/engine/test_flow.py",
    "assert_true": "tests/engine/test_flow.py",
    "python_function": "tests/engine/test_flow.py",
}
