#!/usr/bin/env python3
"""Writes copies of the sources that errors.py names, with all its errors in them, each switched on
by the environment: CALLGATE_PLANTED=NAME. For the build with -DCALLGATE_PLANT=ON alone.

  plant.py SOURCES OUT    copies below OUT; prints the files that are in the place of others
"""

import pathlib
import sys

from errors import ERRORS

HEADER = """#pragma once
// Made by fuzz/planted/plant.py.
#include <cstdlib>
#include <string_view>
namespace callgate::planted {
inline bool chosen(std::string_view name) {
  const char* value = std::getenv("CALLGATE_PLANTED");
  return value != nullptr && name == value;
}
%s
}  // namespace callgate::planted
"""


def main() -> None:
    sources, out = (pathlib.Path(each) for each in sys.argv[1:3])
    texts: dict[str, str] = {}
    for error in ERRORS:
        text = texts.setdefault(error.file, (sources / error.file).read_text())
        found = text.count(error.before)
        if found != 1:
            sys.exit(f"fuzz/planted/errors.py: {error.name}: its place stands {found} times in {error.file}")
        after = error.after.replace("{on}", f"callgate::planted::{error.name}")
        texts[error.file] = text.replace(error.before, after)
    names = "\n".join(f'inline const bool {each.name} = chosen("{each.name}");' for each in ERRORS)
    texts["planted.hpp"] = HEADER % names
    for name, text in texts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != "planted.hpp":
            # Behind the pragma of a header, before the first include of a source.
            text = text.replace("#include", '#include "planted.hpp"\n#include', 1)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    print(";".join(name for name in texts if name != "planted.hpp"))


main()
