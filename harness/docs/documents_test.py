#!/usr/bin/env python3
"""documents_test.py: every Markdown file of the tree is written as harness/docs/README.md says.

Links and anchors lead somewhere, each block says how it is tested, what is not run is on a list, and every document
with commands has its test. Needs no build."""
import fnmatch
import os
import re
import sys

sys.dont_write_bytecode = True  # nothing is written into the tree
from snippets import DocumentError, headings, links, read_blocks

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(REPOSITORY, "harness/docs")
failed = 0


def wrong(text):
    global failed
    failed += 1
    print(text)


def lines_of(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def documents():
    """Paths of all Markdown files from the root, but those of builds and of hidden folders."""
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = sorted(name for name in folders if name not in ("build", "node_modules")
                            and not (name.startswith(".") and name != ".github"))
        for name in sorted(files):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), REPOSITORY)


def check_links(name, text, anchors, to_come):
    for line, target in links(text):
        if re.match(r"^[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if found in to_come:
            continue
        if not os.path.exists(os.path.join(REPOSITORY, found)):
            wrong(f"{name}:{line}: {target} leads nowhere")
        elif anchor and found.endswith(".md") and anchor not in anchors(found):
            wrong(f"{name}:{line}: {found} has no heading #{anchor}")


def check_blocks(name, blocks):
    """Returns what is not run, and whether anything is."""
    not_run, runs = [], False
    for block in blocks:
        place = f"{name}:{block.line}"
        if "not run" in block.notes:
            not_run.append(f"{name}: {block.notes['not run']}")
        elif "tested by" in block.notes:
            if not os.path.exists(os.path.join(REPOSITORY, block.notes["tested by"])):
                wrong(f"{place}: {block.notes['tested by']}, which is said to test this block, is not there")
        elif "same as" in block.notes:
            path = os.path.join(REPOSITORY, block.notes["same as"])
            if not os.path.exists(path):
                wrong(f"{place}: there is no {block.notes['same as']}")
            elif open(path, encoding="utf-8").read() != "".join(line + "\n" for line in block.lines):
                wrong(f"{place}: is not the text of {block.notes['same as']}")
        elif "file" in block.notes:
            runs = True
            shown = block.notes["file"]
            if f"`{shown}`" not in block.before:
                wrong(f"{place}: readers are not told that this is the file `{shown}`")
        elif block.language == "console":
            runs = True
        elif not block.language:
            wrong(f"{place}: a block needs a word after ```: console for commands, else its language, or text")
        elif block.language != "text":
            wrong(f"{place}: a block of {block.language} needs a comment before it: `<!-- file: NAME -->`, "
                  "`<!-- same as: FILE -->`, `<!-- tested by: FILE -->` or `<!-- not run: REASON -->`")
        if block.language == "text" and any(line.startswith("$ ") for line in block.lines):
            wrong(f"{place}: commands are in blocks of console")
    return not_run, runs


def check_paths(name, text):
    """Each path in backticks is of a file or folder of the tree; * stands for any name."""
    tops = ("vm/", "verifier/", "harness/", "fuzz/", "bench/", "corpus/", ".ci/")
    for path in re.findall(r"`([^`\s]+)`", text):
        path = re.sub(r":\d+$", "", path)
        if not path.startswith(tops) or "NAME" in path:
            continue
        folder = os.path.join(REPOSITORY, os.path.dirname(path))
        names = os.listdir(folder) if os.path.isdir(folder) else []
        if os.path.basename(path) and not fnmatch.filter(names, os.path.basename(path)) or not os.path.isdir(folder):
            wrong(f"{name}: there is no {path}")


def main():
    texts, cache = {}, {}
    for name in documents():
        with open(os.path.join(REPOSITORY, name), encoding="utf-8") as file:
            texts[name] = file.read()

    def anchors(name):
        if name not in cache:
            cache[name] = headings(texts[name]) if name in texts else set()
        return cache[name]

    to_come = set(lines_of("to_come.txt"))
    for path in to_come:
        if os.path.exists(os.path.join(REPOSITORY, path)):
            wrong(f"harness/docs/to_come.txt: {path} has come: take its line out")
    not_run, with_commands = [], []
    for name, text in texts.items():
        check_links(name, text, anchors, to_come)
        try:
            reasons, runs = check_blocks(name, read_blocks(text, name))
        except DocumentError as error:
            wrong(error)
            continue
        not_run += reasons
        if runs:
            with_commands.append(name)
    allowed = lines_of("not_run.txt")
    for reason in set(not_run + allowed):
        if not_run.count(reason) > allowed.count(reason):
            wrong(f"{reason}: not on the list harness/docs/not_run.txt (once for each block): run it, or add the line")
        elif not_run.count(reason) < allowed.count(reason):
            wrong(f"harness/docs/not_run.txt: `{reason}` is there more often than in the document: take it out")
    listed = [line.split()[0] for line in lines_of("documents.txt")]
    for name in set(with_commands) ^ set(listed):
        wrong(f"{name}: " + ("has commands that are run: add it to harness/docs/documents.txt" if name in with_commands
                             else "is in harness/docs/documents.txt and has nothing to run"))
    check_paths("harness/docs/design.md", texts.get("harness/docs/design.md", ""))
    print(f"{len(texts)} documents, {len(with_commands)} with commands, {len(not_run)} blocks that are not run; "
          f"{failed} things are wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
