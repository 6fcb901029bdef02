#!/usr/bin/env python3
"""snippets_can_fail_test.py CALLGATE: what snippets_test.py says of documents that are right, and of wrong ones."""
import os
import subprocess
import sys
import tempfile
import textwrap

callgate = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
failed = 0


def check(what, holds, said=""):
    global failed
    if not holds:
        failed += 1
        print(f"does not hold: {what}\n{said}")


def run(text, *options):
    """(exit code, what is said, the document afterwards)"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "page.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        command = [sys.executable, os.path.join(here, "snippets_test.py"), "--callgate", callgate, *options, path]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        with open(path, encoding="utf-8") as file:
            return ended.returncode, ended.stdout + ended.stderr, file.read()


def passes(what, text):
    code, said, _ = run(text)
    check(what, code == 0, said)


def fails(what, text, words):
    code, said, _ = run(text)
    check(what, code == 1 and words in said, f"exit code {code}, `{words}` expected in:\n{said}")


passes("output is compared", """
    ```console
    $ echo one; echo two
    one
    two
    ```
    """)
fails("a wrong line is found", """
    ```console
    $ echo one; echo two
    one
    three
    ```
    """, "shown, line 2: three")
fails("a line that is not printed is found", """
    ```console
    $ echo one
    one
    two
    ```
    """, "shown, line 2: two")
fails("a line that is not shown is found", """
    ```console
    $ echo one; echo two
    one
    ```
    """, "(no more)")
fails("an output that is not shown at all is found", """
    ```console
    $ echo one
    ```
    """, "(no more)")
fails("standard error is output, too", """
    ```console
    $ echo one >&2
    ```
    """, "(no more)")
passes("a line of … stands for any lines, one or none", """
    ```console
    $ printf 'a\\nb\\nc\\nd\\n'
    a
    …
    d
    $ echo a
    …
    a
    …
    ```
    """)
fails("what follows … must come", """
    ```console
    $ printf 'a\\nb\\nc\\n'
    a
    …
    d
    ```
    """, "shown, line 3: d")
passes("… in a line stands for any text", """
    ```console
    $ echo took 0.12 s in all
    took … s in all
    ```
    """)
fails("the rest of that line counts", """
    ```console
    $ echo took 0.12 s in all
    took … s in part
    ```
    """, "took … s in part")
fails("a dot is a dot", """
    ```console
    $ echo a+b
    a.b
    ```
    """, "a.b")
fails("an exit code that is not 0 must be shown", """
    ```console
    $ exit 3
    ```
    """, "ends with 3, not 0")
passes("an exit code is shown by a comment or by echo $?", """
    ```console
    $ exit 3   # exit code 3
    $ exit 4
    $ echo $?
    4
    ```
    """)
fails("a wrong exit code in a comment is found", """
    ```console
    $ true # exit code 1
    ```
    """, "ends with 0, not 1")
fails("a wrong exit code below echo $? is found", """
    ```console
    $ exit 4
    $ echo $?
    5
    ```
    """, "shown, line 1: 5")
passes("files are written, commands continued, in one folder, without the user's environment", """
    `a/b.yaml`:
    <!-- file: a/b.yaml -->
    ```yaml
    one: 1
    ```

    ```console
    $ cat \\
      a/b.yaml
    one: 1
    $ echo "$LANG ${NO_COLOR-unset}"; test -t 0 || echo no terminal
    C.UTF-8 unset
    no terminal
    ```
    """)
fails("a file outside of the folder is refused", """
    <!-- file: ../b.yaml -->
    ```yaml
    ```
    """, "outside of the folder")
fails("a block that does not end is refused", """
    ```console
    $ true
    """, "does not end")
fails("a console block begins with a command", """
    ```console
    true
    ```
    """, "begins with `$ COMMAND`")
code, said, _ = run("""
    <!-- not run: it would take a year -->
    ```console
    $ exit 1
    ```
    """)
check("what is not run is said", code == 0 and "not run: it would take a year" in said, said)
passes("the command is found first", """
    ```console
    $ callgate --version
    callgate …
    …
    ```
    """)
passes("commands may run at the root of the repository", """
    <!-- run in: repository -->
    ```console
    $ ls bootstrap
    bootstrap
    ```
    """)
code, said, text = run("""
    ```console
    $ echo one
    two
    $ echo three
    thr…
    ```
    """, "--update")
check("--update writes what is printed, and leaves what is right",
      code == 1 and "$ echo one\none\n$ echo three\nthr…\n```" in text, text)
code, said, _ = run("""
    ```console
    $ true
    ```
    """, "--time")
check("--time prints seconds", " s  true" in said, said)
print(f"{failed} things do not hold")
sys.exit(1 if failed else 0)
