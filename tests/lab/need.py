"""What a test of this folder needs and how it says that it is not there.

Example: need.program(self, "vagrant", "./lab setup test")
Source: unittest.TestCase.skipTest; DRYDOCK_MUST in docs/promises.md
"""
import os
import shutil
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def must():
    return "lab" in os.environ.get("DRYDOCK_MUST", "").split(",")


def missing(test, reason, repair):
    sentence = f"{reason}; {repair} enables it"
    if must():
        test.fail(sentence)
    test.skipTest(sentence)


def program(test, name, repair):
    if not shutil.which(name):
        missing(test, f"{name} is not installed", repair)


def root(test):
    if os.geteuid() != 0:
        missing(test, "this needs root", "sudo")
