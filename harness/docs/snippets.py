"""Reading Markdown and comparing what it shows with what is printed: what snippets_test.py and links_test.py share."""
import re
from dataclasses import dataclass, field

ANY = "…"
# What a comment in the line before a block may say.
COMMENT = re.compile(r"^<!-- (file|not run|run in|tested by|same as): (.+) -->$")


class DocumentError(Exception):
    """A document that is not written as harness/docs/README.md says; the text has the place."""


@dataclass
class Command:
    """`$ text`, from line `line` of the document (from 1) on; `shown` is what the document has below it."""

    text: str
    line: int
    first_shown: int  # index of the first line of output, from 0
    shown: list = field(default_factory=list)
    status: int | None = 0  # None: the command after it prints it


@dataclass
class Block:
    """A fenced block: its first word, what the comment before it says, its lines."""

    language: str
    line: int  # of the fence, from 1
    notes: dict
    lines: list
    before: str  # the text since the block before it
    commands: list = field(default_factory=list)


def read_blocks(text, name):
    """All fenced blocks of a document. Blocks inside lists may be indented; the indentation is taken off."""
    blocks, inside, before = [], None, []
    for index, line in enumerate(text.splitlines()):
        fence = re.match(r"^( *)```\s*(.*)$", line)
        if inside is None:
            if fence:
                notes = {}
                for earlier in reversed(before):
                    match = COMMENT.match(earlier.strip())
                    if not match:
                        break
                    notes[match.group(1)] = match.group(2)
                indent = len(fence.group(1))
                inside = Block((fence.group(2).split() or [""])[0], index + 1, notes, [], "\n".join(before))
            else:
                before.append(line)
        elif fence and not fence.group(2):
            if inside.language == "console":
                inside.commands = read_commands(inside, name)
            blocks.append(inside)
            inside, before = None, []
        else:
            inside.lines.append(line[indent:] if not line[:indent].strip() else line)
    if inside is not None:
        raise DocumentError(f"{name}:{inside.line}: this block does not end: add a line ```")
    return blocks


def read_commands(block, name):
    """The commands of a console block with what each prints."""
    commands, continued = [], False
    for offset, line in enumerate(block.lines):
        if continued:
            commands[-1].text += "\n" + line
            commands[-1].first_shown += 1
        elif line.startswith("$ "):
            commands.append(Command(line[2:], block.line + offset + 1, block.line + offset + 1))
        elif not commands:
            raise DocumentError(f"{name}:{block.line + offset + 1}: a console block begins with `$ COMMAND`")
        else:
            commands[-1].shown.append(line)
            continue
        continued = commands[-1].text.endswith("\\")
    for index, command in enumerate(commands):
        said = re.search(r" # exit code (\d+)$", command.text)
        if said:
            command.status = int(said.group(1))
        elif index + 1 < len(commands) and commands[index + 1].text == "echo $?":
            command.status = None
    return commands


def line_matches(shown, printed):
    pattern = "".join(".*" if part == ANY else re.escape(part) for part in re.split(f"({ANY})", shown.rstrip()))
    return re.fullmatch(pattern, printed.rstrip()) is not None


def first_difference(shown, printed):
    """None where what is shown stands for what is printed, else the index of the first line of `shown` (or its length)
    that cannot be reached."""
    reached = {0}  # numbers of printed lines that the shown lines so far may stand for
    for index, line in enumerate(shown):
        if line.strip() == ANY:
            reached = set(range(min(reached), len(printed) + 1))
            continue
        reached = {at + 1 for at in reached if at < len(printed) and line_matches(line, printed[at])}
        if not reached:
            return index
    return None if len(printed) in reached else len(shown)


def headings(text):
    """The anchors that GitHub gives to a document's headings."""
    anchors, seen, fenced = set(), {}, False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        match = None if fenced else re.match(r"^#{1,6} +(.*?)\s*#*$", line)
        if not match:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1)).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        anchors.add(anchor if count == 0 else f"{anchor}-{count}")
    return anchors


def links(text):
    """(line, target) of every link and picture outside of code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for match in re.finditer(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            yield number, match.group(1)
