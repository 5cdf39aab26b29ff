#!/usr/bin/env bash
# Times of whole commands beside MeCab's on the same text, in one run. Needs Debian's `mecab`,
# `mecab-ipadic-utf8` and `hyperfine`. Usage: benches/compare.sh [COMMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-42200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet
jirei=target/release/jirei

# The invented comments of the repository, repeated to the number asked for.
"$jirei" tag corpus/sample_survey.csv corpus/gold.jsonl 2>/dev/null >"$work/once.jsonl" || true
python3 - "$work" "$count" <<'PY'
import itertools, json, sys
work, count = sys.argv[1], int(sys.argv[2])
comments = [json.loads(line) for line in open(f"{work}/once.jsonl", encoding="utf-8")]
keys = ("prefecture", "facility", "question", "text")
with open(f"{work}/in.jsonl", "w", encoding="utf-8") as lines, open(f"{work}/in.txt", "w", encoding="utf-8") as text:
    for number, comment in enumerate(itertools.islice(itertools.cycle(comments), count), 1):
        lines.write(json.dumps({"id": str(number)} | {key: comment[key] for key in keys}, ensure_ascii=False) + "\n")
        text.write(comment["text"].replace("\n", " ") + "\n")
PY
head -n 1 "$work/in.jsonl" >"$work/one.jsonl"
hyperfine --warmup 1 --runs 5 --style basic \
  --command-name "mecab -Owakati" "mecab -Owakati -d /var/lib/mecab/dic/ipadic-utf8 $work/in.txt -o $work/out.txt" \
  --command-name "jirei tag, 1 thread" "$jirei tag $work/in.jsonl --threads 1 -o $work/out.jsonl" \
  --command-name "jirei tag, 2 threads" "$jirei tag $work/in.jsonl --threads 2 -o $work/out.jsonl" \
  --command-name "jirei tag, one comment" "$jirei tag $work/one.jsonl -o $work/one-out.jsonl" \
  --command-name "jirei tokens" "$jirei tokens カードリーダーが動かない"
