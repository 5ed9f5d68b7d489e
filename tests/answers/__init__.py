"""Answers to the notebooks' tasks, one module a notebook; tests/test_check.py runs them against the checks."""
