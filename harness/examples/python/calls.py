#!/usr/bin/env python3
"""calls.py PROFILE CALL...: what becomes of calls under a filter or profile, on x86_64. Exit code 1: one is not
executed; 2: the profile or a call cannot be read, or the kernel would refuse the filter."""

import sys

import callgate
from callgate import Outcome


def words(verdict):
    return {
        Outcome.EXECUTES: "executes",
        Outcome.RETURNS: f"returns {verdict.returns}",
        Outcome.SIGSYS: f"signal {verdict.signal} is delivered",
        Outcome.THREAD_DIES: f"its thread dies by signal {verdict.signal}",
        Outcome.PROCESS_DIES: f"its process dies by signal {verdict.signal}",
        Outcome.TRACER: "a tracer decides",
        Outcome.LISTENER: "a listener decides",
        Outcome.UNKNOWN: f"unknown, because {verdict.reason}",
    }[verdict.outcome]


def decide(stack, call):
    """0: it is executed, 1: it is not, 2: it cannot be read."""
    try:
        verdict = stack.decide(call)
    except callgate.Error as error:
        print(f"{call}: {error}", file=sys.stderr)
        return 2
    print(f"{call}: {verdict.words}, {words(verdict)}" if verdict.known else f"{call}: {words(verdict)}")
    return 0 if verdict.outcome is Outcome.EXECUTES else 1


def main():
    if len(sys.argv) < 3:
        print("usage: calls.py PROFILE CALL...", file=sys.stderr)
        return 2
    try:
        stack = callgate.load(sys.argv[1], arch="x86_64").stack()
    except callgate.Error as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        return 2
    return max(decide(stack, call) for call in sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
