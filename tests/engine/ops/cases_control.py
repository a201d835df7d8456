"""Branches and loops have bodies: they do not fit into the table."""

CASES = []

ELSEWHERE = dict.fromkeys(["cond", "scan", "while_loop"], "test_control.py")
