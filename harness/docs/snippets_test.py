#!/usr/bin/env python3
"""snippets_test.py [--callgate FILE] [--time] [--update] DOCUMENT...: what documents show is what is printed.

Runs the commands of each document's console blocks in a new folder and compares; harness/docs/README.md says how blocks
are marked. --time prints the seconds of each command, --update writes what is printed into the documents. Exit code 1:
a document shows something else."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing is written into the tree
from snippets import DocumentError, first_difference, read_blocks

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 300  # that a command may take


class Runner:
    """One document, in a folder of its own."""

    def __init__(self, callgate, document, folder):
        self.document = document
        self.name = os.path.relpath(document, REPOSITORY) if document.startswith(REPOSITORY) else document
        self.folder = os.path.join(folder, "work")
        programs, home = os.path.join(folder, "bin"), os.path.join(folder, "home")
        for made in (self.folder, programs, home):
            os.mkdir(made)
        os.symlink(callgate, os.path.join(programs, "callgate"))
        # Nothing of the user's environment that could change what is printed.
        self.environment = {"PATH": programs + os.pathsep + os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8",
                            "LC_ALL": "C.UTF-8", "HOME": home, "TERM": "dumb", "TMPDIR": folder}
        self.status, self.wrong, self.times, self.changes = 0, [], [], []

    def run(self):
        with open(self.document, encoding="utf-8") as file:
            blocks = read_blocks(file.read(), self.name)
        for block in blocks:
            if "file" in block.notes:
                self.write(block)
            elif "not run" in block.notes:
                print(f"{self.name}:{block.line}: not run: {block.notes['not run']}")
            elif block.language == "console" and "tested by" not in block.notes:
                where = self.where(block)
                for command in block.commands:
                    self.compare(command, where)

    def where(self, block):
        """The folder of a block: the document's, the repository, or a copy of one of the repository's folders."""
        folder = block.notes.get("run in")
        if folder is None or folder == "repository":
            return self.folder if folder is None else REPOSITORY
        source, copy = os.path.join(REPOSITORY, folder), os.path.join(self.folder, folder)
        if not os.path.isdir(source):
            raise DocumentError(f"{self.name}:{block.line}: the repository has no folder {folder}")
        if not os.path.exists(copy):
            shutil.copytree(source, copy)
        return copy

    def write(self, block):
        path = os.path.normpath(os.path.join(self.folder, block.notes["file"]))
        if not path.startswith(self.folder + os.sep):
            raise DocumentError(f"{self.name}:{block.line}: a file is written outside of the folder: {path}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in block.lines))

    def compare(self, command, where):
        script = f"(exit {self.status})\n{command.text}\n"
        began = time.monotonic()
        try:
            ended = subprocess.run(["sh", "-c", script], cwd=where, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
            printed, self.status = ended.stdout.decode("utf-8", "replace").splitlines(), ended.returncode
        except subprocess.TimeoutExpired:
            printed, self.status = [f"(not done after {SECONDS} s)"], 124
        self.times.append((time.monotonic() - began, command))
        place = f"{self.name}:{command.line}: $ {command.text}"
        at = first_difference(command.shown, printed)
        if at is not None:
            shown = command.shown[at] if at < len(command.shown) else "(no more)"
            self.wrong.append("\n".join([place, f"  shown, line {at + 1}: {shown}", "  printed:"]
                                        + ["    " + line for line in printed]))
            self.changes.append((command, printed))
        if command.status is not None and command.status != self.status:
            self.wrong.append(f"{place}\n  ends with {self.status}, not {command.status}: write `# exit code "
                              f"{self.status}` after it, or `$ echo $?` below it, if that is meant; printed:\n"
                              + "\n".join("    " + line for line in printed))

    def update(self):
        """Writes what was printed in the place of what is shown and is something else."""
        with open(self.document, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for command, printed in reversed(self.changes):
            lines[command.first_shown:command.first_shown + len(command.shown)] = printed
        with open(self.document, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def why_not_live(callgate):
    """Why the running kernel cannot be asked what documents ask it, or None."""
    if os.uname().machine != "x86_64":
        return f"what documents show of the running kernel is x86_64's; this is {os.uname().machine}"
    ended = subprocess.run([callgate, "live", "-f", "-", "getppid"], input="ret #0x7fff0000\n", capture_output=True,
                           text=True, timeout=SECONDS, check=False)
    return (ended.stderr.strip() or "callgate live ends with 2") if ended.returncode == 2 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--callgate", default=os.path.join(REPOSITORY, "build/release/harness/cli/callgate"))
    parser.add_argument("--live", action="store_true", help="skip where the running kernel cannot be asked")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("documents", nargs="+")
    arguments = parser.parse_args()
    callgate = shutil.which(os.path.abspath(arguments.callgate))
    if not callgate:
        parser.error(f"{arguments.callgate} cannot be run: build it, or name it with --callgate")
    reason = why_not_live(callgate) if arguments.live else None
    if reason:
        print(f"[  SKIPPED ] {reason}")
        return 0
    wrong = 0
    for document in arguments.documents:
        folder = tempfile.mkdtemp()
        try:
            runner = Runner(callgate, os.path.abspath(document), folder)
            runner.run()
        except (DocumentError, OSError) as error:
            print(error)
            wrong += 1
            continue
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if arguments.time:
            for seconds, command in runner.times:
                print(f"{seconds:8.2f} s  {command.text.splitlines()[0]}")
        for text in runner.wrong:
            print(text)
        wrong += len(runner.wrong)
        if arguments.update and runner.changes:
            runner.update()
        print(f"{runner.name}: {len(runner.times)} commands in {sum(seconds for seconds, _ in runner.times):.1f} s, "
              f"{len(runner.wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
