#!/usr/bin/env bash
# Time of the appendix for many comments, and where it goes. The comments are the invented ones of the repository,
# cut into sentences and put together anew, so that few are alike.
# Usage: benches/appendix.sh [COMMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-10000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet
jirei=target/release/jirei

"$jirei" tag corpus/sample_survey.csv corpus/gold.jsonl 2>/dev/null >"$work/once.jsonl" || true
python3 - "$work" "$count" <<'PY'
import json, random, sys
work, count = sys.argv[1], int(sys.argv[2])
draw = random.Random(7)
comments = [json.loads(line) for line in open(f"{work}/once.jsonl", encoding="utf-8")]
sentences = [s + "。" for comment in comments for s in comment["text"].split("。") if len(s) > 4]
with open(f"{work}/in.jsonl", "w", encoding="utf-8") as lines:
    for number in range(1, count + 1):
        place = draw.choice(comments)
        text = "".join(draw.sample(sentences, draw.choice([1, 2, 2, 3])))
        comment = {"id": str(number), "text": text} | {key: place[key] for key in ("prefecture", "facility", "question")}
        lines.write(json.dumps(comment, ensure_ascii=False) + "\n")
PY
time_of() { # the best of three, in seconds
  local label=$1 best=999
  shift
  for _ in 1 2 3; do
    local start end
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1 || true
    end=$(date +%s.%N)
    best=$(python3 -c "print(min($best, $end - $start))")
  done
  printf '%-44s %6.2f s\n' "$label" "$best"
}
echo "$count comments, best of three"
time_of "tag (read, analyse, classify, write JSON)" "$jirei" tag "$work/in.jsonl" -o "$work/out.jsonl"
for format in docx xlsx html md csv json; do
  time_of "appendix, $format" "$jirei" appendix "$work/in.jsonl" --accept-findings -o "$work/out.$format"
done
time_of "appendix, docx, without grouping" "$jirei" appendix "$work/in.jsonl" --accept-findings --all-copies -o "$work/out.docx"
