#!/usr/bin/env bash
# Search over a million generated comments: jirei beside Groonga and SQLite FTS5 (trigram), the same text and queries,
# in one run. Needs Debian's `groonga-bin`, `groonga-tokenizer-mecab`, `sqlite3` and Python 3.
# Usage: benches/search.sh [COMMENTS] [FOLDER]; the folder keeps what was built, so that a second run only measures.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-1000000}
work=${2:-}
if [[ -z $work ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
bench=$(cargo build --locked --release --bin jirei --bench search --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\/search-[^"]*\)".*/\1/p')
jirei=target/release/jirei
queries=benches/search_queries.jsonl

# Classifying with the full rules takes minutes and says nothing of search: a rule a category does.
mkdir -p "$work/rules"
cp rules/codebook.toml benches/search_rules.toml "$work/rules/"
if [[ ! -e $work/comments.jsonl ]]; then
  python3 benches/generate.py comments "$count" >"$work/in.jsonl"
  "$jirei" tag "$work/in.jsonl" --rules "$work/rules" -o "$work/comments.jsonl" 2>/dev/null || [[ $? == 1 ]]
fi
if [[ ! -d $work/casebook ]]; then
  SECONDS=0
  "$jirei" import "$work/in.jsonl" --rules "$work/rules" --casebook "$work/casebook" 2>/dev/null || [[ $? == 1 ]]
  echo "{\"engine\": \"jirei\", \"how\": \"import (read, classify, record and index)\", \"seconds\": $SECONDS}"
fi
echo "{\"engine\": \"jirei\", \"how\": \"size\", \"index_megabytes\": $(($(du -sk "$work/casebook/index" | cut -f1) / 1000)), \
\"record_megabytes\": $(($(du -k "$work/casebook/casebook.sqlite" | cut -f1) / 1000))}"
[[ -e $work/sqlite.db ]] || python3 benches/search_peers.py build "$work"

"$bench" "$work/casebook" "$queries" 5
python3 benches/search_peers.py in-process "$work" "$queries" 5
python3 benches/search_peers.py commands "$work" "$queries" 3 "$jirei"
