#!/usr/bin/env python3
"""Makes systemd_sets_252.def, the syscall sets of a systemd: names, nothing else.

    systemd-analyze syscall-filter | harness/front_ends/systemd_sets.py > harness/front_ends/systemd_sets_252.def

The table in the project is what systemd 252.39-1~deb12u2 of Debian 12 lists. What the listing says of calls
that are in no set, and its comments, are left out.
"""

import sys
import textwrap

print("// The syscall sets of systemd 252, as `systemd-analyze syscall-filter` of Debian 12 lists them.")
print("// Made by harness/front_ends/systemd_sets.py.")
print("//\n// SYSCALL_SET(name, members)\n// clang-format off")
sets = {}
for line in sys.stdin:
    line = line.rstrip("\n")
    if line.startswith("@"):
        members = sets.setdefault(line, [])
    elif line.startswith("    ") and not line.strip().startswith("#"):
        members.append(line.strip())
if not sets:
    sys.exit("no sets in the input")
for name, members in sets.items():
    lines = textwrap.wrap(" ".join(members), 106, break_long_words=False, break_on_hyphens=False)
    body = "\n".join(f'  "{text}{" " if i + 1 < len(lines) else ""}"' for i, text in enumerate(lines))
    print(f'SYSCALL_SET("{name}",\n{body})')
print("// clang-format on")
