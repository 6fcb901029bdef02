#!/usr/bin/env python3
"""Manual and completions against --help: manual_test.py CALLGATE SHARE

Every subcommand and option of --help is in its page and in the scripts for bash, zsh and fish; what was
made at build time (SHARE) is what the command writes; bash's script is run, the others where their shells
are; pages are given to man, and to mandoc where it is."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CALLGATE = os.path.abspath(sys.argv[1])
SHARE = pathlib.Path(sys.argv[2]).resolve()
failures = 0


def wrong(message):
    global failures
    failures += 1
    print("FAILED", message)


def run(words, **how):
    return subprocess.run(words, capture_output=True, text=True, **how)


def callgate(*words):
    ended = run([CALLGATE, *words])
    if ended.returncode != 0 or ended.stderr:
        wrong(f"{words}: {ended.returncode} {ended.stderr}")
    return ended.stdout


def tree(path=()):
    """Paths of subcommands, and the options of each, as --help has them."""
    text = callgate(*path, "--help")
    options = []
    for names in re.findall(r"^  (-[^ \n]+)", text, re.M):
        options += [re.sub(r"\{.*", "", each) for each in names.split(",")]
    if path == ("scmp-sim",):
        options = ["--help"]  # the others are the simulator's own, told in the text
    yield path, options
    if "\nSubcommands:\n" in text:
        below = text.split("\nSubcommands:\n")[1].split("\n\n")[0]
        for name in re.findall(r"^  ([a-z][a-z-]*)", below, re.M):
            yield from tree((*path, name))


def check_words(commands, scripts):
    for path, options in commands:
        name = "-".join(("callgate", *path))
        page = callgate("man", *path)
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", '"EXIT STATUS"'):
            if f"\n.SH {section}\n" not in page:
                wrong(f"{name}.1 has no {section}")
        installed = SHARE / "man/man1" / f"{name}.1"
        if not installed.exists() or installed.read_text() != page:
            wrong(f"{installed} is not what `callgate man` prints")
        for option in options:
            if "\\fB" + option.replace("-", "\\-") + "\\fR" not in page:
                wrong(f"{name}.1 has no {option}")
        bash = scripts["bash"].split(f"    '{''.join(' ' + each for each in path)}')\n      options='")[1]
        zsh = scripts["zsh"].split(f"\n_{'_'.join(('callgate', *path))}() {{\n")[1].split("\n}\n")[0]
        fish = [line for line in scripts["fish"].splitlines() if f"__callgate_at '{' '.join(path)}'" in line]
        if set(bash.split("'")[0].split()) != set(options):
            wrong(f"bash: {path} has {bash.split(chr(39))[0]}")
        for option in options:
            if not re.search(rf"['*)]{option}[=+]?\[", zsh):
                wrong(f"zsh: {path} has no {option}")
            of_fish = f"-l {option[2:]} " if option.startswith("--") else f"-s {option[1:]} "
            if not any(of_fish in line for line in fish):
                wrong(f"fish: {path} has no {option}")
        if path and f"'{' ' if len(path) == 1 else ''}{' '.join(path)}'" not in scripts["fish"]:
            wrong(f"fish does not know {path}")


def bash_offers(script, folder, words):
    """What is offered for the last of the words."""
    program = (f'. "{script}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _callgate; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
    ended = run(["bash", "--norc", "-c", program, "bash", *words], cwd=folder)
    if ended.stderr:
        wrong(f"bash: {words}: {ended.stderr}")
    return set(ended.stdout.split("\n")) - {""}


def check_bash(script, folder, commands):
    def offers(words, expected, exactly=True):
        got = bash_offers(script, folder, words)
        if got != expected if exactly else not expected <= got:
            wrong(f"bash: {words} offers {sorted(got)[:20]}, not {sorted(expected)}")

    top = {path[0] for path, _ in commands if len(path) == 1}
    offers(["callgate", ""], top)
    offers(["callgate", "che"], {"check"})
    offers(["callgate", "--v"], {"--version"})
    offers(["callgate", "check", "--fo"], {"--format"})
    offers(["callgate", "check", "--format", ""], {"text", "json"})
    offers(["callgate", "check", "--format", "=", "j"], {"json"})
    offers(["callgate", "check", "--format", "="], {"text", "json"})
    offers(["callgate", "check", "--arch", "aarch"], {"aarch64"})
    offers(["callgate", "check", "a fi"], {"a file"})
    offers(["callgate", "check", "fo"], {"folder"})
    offers(["callgate", "check", "--jit-harden", "a"], {"a file"})
    offers(["callgate", "run", "-f", "a"], {"a file"})
    offers(["callgate", "run", "-f", "x", "openat"], {"openat", "openat2"})
    offers(["callgate", "explain", "-f", "x", "pidfd_o"], {"pidfd_open"})
    offers(["callgate", "corpus", ""], {"list", "export"})
    offers(["callgate", "corpus", "export", ""], {"folder"})
    offers(["callgate", "corpus", "export", "--li"], {"--live"})
    offers(["callgate", "record", "--", "tru"], {"true"}, exactly=False)
    offers(["callgate", "record", "--", "x", "--ti"], set())
    offers(["callgate", "man", "x"], set())
    offers(["callgate", "completion", ""], {"bash", "zsh", "fish"})
    for path, options in commands:
        offers(["callgate", *path, "-"], set(options))


def check_shells(files, folder):
    for shell, file in files.items():
        program = shutil.which(shell)
        print(f"{shell}: {program or 'not there, its script is not read'}")
        if not program:
            continue
        ended = run([program, "-n", file])
        if ended.returncode != 0 or ended.stderr:
            wrong(f"{shell} -n: {ended.stderr}")
    if shutil.which("fish"):
        for words, expected in (("check --format ", {"json", "text"}), ("check --arch aa", {"aarch64"}),
                                ("corpus ex", {"export"}), ("run -f x openat", {"openat", "openat2"}),
                                ("check fo", {"folder/"})):
            program = f"source {files['fish']}; complete -C 'callgate {words}'"
            ended = run(["fish", "--no-config", "-c", program], cwd=folder)
            got = {line.split("\t")[0] for line in ended.stdout.splitlines()}
            if got != expected:
                wrong(f"fish: {words} offers {sorted(got)}, {ended.stderr}")
    if shutil.which("zsh"):
        program = f"autoload -U compinit && compinit -u -d {folder}/dump && source {files['zsh']} && echo $_comps[callgate]"
        ended = run(["zsh", "-f", "-c", program], cwd=folder)
        if ended.stdout != "_callgate\n" or ended.stderr:
            wrong(f"zsh: {ended.stdout} {ended.stderr}")


def check_pages():
    pages = sorted((SHARE / "man/man1").glob("*.1"))
    for tool, words in (("man", ["man", "--warnings", "-E", "UTF-8", "-l"]),
                        ("mandoc", ["mandoc", "-T", "lint", "-W", "warning"])):
        if not shutil.which(tool):
            print(f"{tool}: not there, pages are not read by it")
            continue
        for page in pages:
            ended = run([*words, str(page)], env=dict(os.environ, LC_ALL="C.UTF-8", MANPAGER="cat"))
            said = ended.stderr if tool == "man" else ended.stdout + ended.stderr
            # Pages have no date, so that the same tree makes the same pages.
            said = [line for line in said.splitlines() if "missing date" not in line]
            if said:
                wrong(f"{tool}: {page.name}: {said[:3]}")
        print(f"{tool}: {len(pages)} pages read")


def main():
    files = {"bash": SHARE / "bash-completion/completions/callgate",
             "zsh": SHARE / "zsh/site-functions/_callgate",
             "fish": SHARE / "fish/vendor_completions.d/callgate.fish"}
    scripts = {shell: callgate("completion", shell) for shell in files}
    for shell, file in files.items():
        if file.read_text() != scripts[shell]:
            wrong(f"{file} is not what `callgate completion {shell}` prints")
    commands = list(tree())
    check_words(commands, scripts)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "a file").touch()
        pathlib.Path(folder, "folder").mkdir()
        check_bash(files["bash"], folder, commands)
        check_shells(files, folder)
    check_pages()
    print(f"{len(commands)} commands, {sum(len(each) for _, each in commands)} options, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
