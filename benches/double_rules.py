#!/usr/bin/env python3
"""Writes a rule folder with twice the rules: each rule and concept once more, about something else.

In the copies every kanji and katakana of a pattern gives way to a neighbour in the code table, so that they are as many
and as long as the rules of the program, but of another subject, as a second code frame's would be.
Usage: double_rules.py RULES OUT
"""

import json
import re
import sys
import tomllib
from pathlib import Path

KEPT = {"id", "category", "scope", "strength", "kind", "concreteness"}


def shifted(text: str) -> str:
    return re.sub("[一-鿰ァ-ロ]", lambda found: chr(ord(found[0]) + 7), text)


def copied(pattern, rules: set[str]):
    if isinstance(pattern, list):
        return [copied(part, rules) for part in pattern]
    pattern = re.sub(r"<([^<>]+)>", r"<\1_2>", pattern)
    pattern = re.sub(r"rule\(([a-z0-9_]+)\)", lambda m: f"rule({m[1]}_2)" if m[1] in rules else m[0], pattern)
    parts = re.split(r"(<[^<>]+>|rule\([^)]*\)|@[^ ]+ *(?:!?=|in|not in) *(?:\{[^}]*\}|[^ )]+))", pattern)
    return "".join(part if at % 2 else shifted(part) for at, part in enumerate(parts))


def main(rules: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(rules.glob("*.toml"))}
    files = {path: tomllib.loads(text) for path, text in texts.items()}
    ids = {rule["id"] for file in files.values() for rule in file.get("rule", [])}
    for path, file in files.items():
        lines = [texts[path]] if path.name in ("codebook.toml", "polarity.toml") else []
        if not lines:
            head = {key: value for key, value in file.items() if not isinstance(value, (dict, list))}
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
            lines.append("[concepts]")
            for name, pattern in file.get("concepts", {}).items():
                for name, pattern in ((name, pattern), (f"{name}_2", copied(pattern, ids))):
                    lines.append(f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(pattern, ensure_ascii=False)}")
            for rule in file.get("rule", []):
                plain = {key: value for key, value in rule.items() if key in KEPT | {"pattern", "unless"}}
                again = plain | {"id": rule["id"] + "_2"}
                again |= {key: copied(plain[key], ids) for key in ("pattern", "unless") if key in plain}
                for version in (plain, again):
                    lines.append("[[rule]]")
                    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in version.items()]
        (out / path.name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
