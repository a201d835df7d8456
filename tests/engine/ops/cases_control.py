"""Branches and loops have bodies: they do not fit into the table."""

CASES = []

ELSEWHERE = {
    "cond": "test_control.py",
    "scan": "test_scan.py",
    "while_loop": "test_control.py",
}
