#!/usr/bin/env bash
# Time of `jirei import` (read, classify, store, index) beside that of `jirei tag` on the same file, in one run:
# the two take turns. Usage: benches/import.sh [COMMENTS [ROUNDS]]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-100000}
rounds=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet
jirei=target/release/jirei

# The invented comments of the repository, each with a number, so that no two are alike.
"$jirei" tag corpus/sample_survey.csv corpus/gold.jsonl 2>/dev/null >"$work/once.jsonl" || true
python3 - "$work" "$count" <<'PY'
import itertools, json, sys
work, count = sys.argv[1], int(sys.argv[2])
comments = [json.loads(line) for line in open(f"{work}/once.jsonl", encoding="utf-8")]
with open(f"{work}/in.jsonl", "w", encoding="utf-8") as out:
    for number, comment in enumerate(itertools.islice(itertools.cycle(comments), count), 1):
        line = {"id": str(number)} | {key: comment[key] for key in ("prefecture", "facility", "question")}
        line["text"] = f"{comment['text']}（{number}）"
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
PY
seconds() {
  local start end
  start=$(date +%s.%N)
  "$@" 2>"$work/messages" || { cat "$work/messages" >&2; exit 1; }
  end=$(date +%s.%N)
  echo "$end - $start" | bc
}
echo "round  tag  import  import/tag  (seconds, $count comments)"
for round in $(seq "$rounds"); do
  rm -rf "$work/casebook"
  tag=$(seconds "$jirei" tag "$work/in.jsonl" -o "$work/out.jsonl")
  import=$(seconds "$jirei" import "$work/in.jsonl" --casebook "$work/casebook")
  printf '%5d %6.2f %6.2f %8.2f\n' "$round" "$tag" "$import" "$(echo "$import / $tag" | bc -l)"
done
again=$(seconds "$jirei" import "$work/in.jsonl" --casebook "$work/casebook")
rebuild=$(seconds "$jirei" index rebuild --casebook "$work/casebook")
printf 'the same file again: %.2f s; index rebuild: %.2f s\n' "$again" "$rebuild"
"$jirei" casebook check --casebook "$work/casebook"
