#!/usr/bin/env python3
"""Comments and queries for benches/search.sh; the same bytes on every machine.

    generate.py comments COUNT   jsonl on standard output: id, prefecture, facility, question, text
    generate.py queries COUNT    jsonl on standard output: one query in three languages, jirei, groonga and sqlite

A comment is one to four sentences of the invented comments in corpus/, in any combination. Three sentences in ten are
put together from the clauses of two, numbers are drawn anew, and one comment in four names an insurer or a patient, so
that there are as many rare words as people's answers have. Prefectures, facilities and questions are drawn with the
weights of a national survey. Nothing depends on the hash seed or the version of Python.
"""

import csv
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Random:
    """SplitMix64: a few lines that are the same everywhere."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return z ^ (z >> 31)

    def below(self, bound):
        return self.bits() % bound

    def of(self, values):
        return values[self.below(len(values))]


def spread(weights):
    """Each value as often as its weight says."""
    return [value for value, weight in weights for _ in range(weight)]


PREFECTURES = spread([
    ("北海道", 9), ("青森県", 3), ("岩手県", 3), ("宮城県", 5), ("秋田県", 2), ("山形県", 3), ("福島県", 4),
    ("茨城県", 5), ("栃木県", 4), ("群馬県", 4), ("埼玉県", 12), ("千葉県", 11), ("東京都", 30), ("神奈川県", 15),
    ("新潟県", 5), ("富山県", 3), ("石川県", 3), ("福井県", 2), ("山梨県", 2), ("長野県", 5), ("岐阜県", 5),
    ("静岡県", 8), ("愛知県", 14), ("三重県", 4), ("滋賀県", 3), ("京都府", 6), ("大阪府", 19), ("兵庫県", 12),
    ("奈良県", 3), ("和歌山県", 3), ("鳥取県", 2), ("島根県", 2), ("岡山県", 5), ("広島県", 7), ("山口県", 4),
    ("徳島県", 2), ("香川県", 2), ("愛媛県", 3), ("高知県", 2), ("福岡県", 11), ("佐賀県", 2), ("長崎県", 4),
    ("熊本県", 4), ("大分県", 3), ("宮崎県", 3), ("鹿児島県", 4), ("沖縄県", 3),
])
FACILITIES = spread([("医科診療所", 12), ("歯科診療所", 6), ("病院", 2)])
QUESTIONS = spread([("問6", 4), ("問7", 8), ("問10", 2), ("問11", 2), ("問12", 1), ("問13", 3)])
CATEGORIES = ["data_lag", "display", "device", "operation_support", "elderly", "complaint", "smartphone"]
SYLLABLES = "青 赤 秋 朝 石 岩 上 大 岡 小 川 北 木 清 黒 桜 沢 島 白 杉 高 田 竹 谷 千 中 西 野 橋 浜 東 平 広 福 藤 星 細 松 三 南 宮 村 本 森 山 吉 若".split()


def corpus():
    """Sentences of the invented comments, in the order of the files."""
    texts = [json.loads(line)["text"] for line in open(ROOT / "corpus/gold.jsonl", encoding="utf-8")]
    with open(ROOT / "corpus/sample_survey.csv", encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            texts.extend(cell for cell in row[6:] if len(cell) > 15)
    sentences = [part.strip() for text in texts for part in re.findall(r"[^。！？\n]+[。！？]?", text)]
    return list(dict.fromkeys(sentence for sentence in sentences if len(sentence) > 3))


def comments(count):
    random = Random(20260401)
    sentences = corpus()
    clauses = [sentence.split("、") for sentence in sentences]
    numbers = re.compile(r"[0-9]+|[０-９]+")

    def sentence():
        at = random.below(len(sentences))
        text = sentences[at]
        if random.below(10) < 3 and len(clauses[at]) > 1:
            text = "、".join(clauses[at][:-1]) + "、" + random.of(clauses)[-1]
        if numbers.search(text):
            text = numbers.sub(lambda found: str(1 + random.below(10 ** min(len(found[0]), 4))), text)
        return text if text.endswith(("。", "！", "？")) else text + "。"

    for number in range(1, count + 1):
        text = "".join(sentence() for _ in range(random.of((1, 1, 1, 2, 2, 2, 2, 3, 3, 4))))
        named = random.below(8)
        name = random.of(SYLLABLES) + random.of(SYLLABLES)
        if named == 0:
            text += name + random.of(("市国保", "町国保", "健保組合", "広域連合")) + "の方。"
        elif named == 1:
            text = name + "さん（" + str(20 + random.below(80)) + "歳）。" + text
        yield {
            "id": f"r{number:07}",
            "prefecture": random.of(PREFECTURES),
            "facility": random.of(FACILITIES),
            "question": random.of(QUESTIONS),
            "text": text,
        }


COMMON = "患者 保険証 カード 受付 説明 確認 画面 窓口 資格 番号 時間 本人 電話 機械 読み取り 対応 負担割合 資格確認書 マイナ保険証 カードリーダー".split()
MIDDLE = "暗証番号 顔認証 再起動 返戻 国保 社保 高齢者 家族 スマホ 待ち時間 期限切れ 限度額認定証 住所 氏名 漢字 業者 回線 エラー 更新 激怒 10割負担 電子証明書 レセコン 車いす 問い合わせ ベンダー 生活保護 後期高齢者 コールセンター 受給者証".split()
RARE = "停電 旧字 黒丸 領収書 マスク パスワード アップデート 診察券 救急 認知症 訪問診療 ルーター 委任状 離婚 出生 修理 故障 接続不良 大晦日 薬局".split()
PHRASES = "資格がありません 顔認証がうまくいかない 暗証番号を忘れ 10割負担 保険証を持って 画面が固まる 期限が切れ 電話がつながらない 反映されない 名前が".split()
LENGTHS = (40, 60, 80, 120)


def short(prefecture):
    return prefecture if prefecture == "北海道" else prefecture[:-1]


def queries(count):
    random = Random(20260702)
    for _ in range(count):
        draw = random.below(100)
        word = lambda: random.of(random.of((COMMON, COMMON, MIDDLE, MIDDLE, RARE)))
        every, some, none, phrase = [], [], [], None
        if draw < 34:
            every = [word()]
        elif draw < 60:
            every = [word(), random.of(COMMON)]
        elif draw < 66:
            every = [random.of(MIDDLE), random.of(COMMON), random.of(COMMON)]
        elif draw < 80:
            some = [word(), word()]
        elif draw < 89:
            every, none = [word()], [word()]
        elif draw < 96:
            phrase = random.of(PHRASES)
        every, some = list(dict.fromkeys(every)), list(dict.fromkeys(some))
        none = [word for word in none if word not in every]
        filters = random.below(20)
        prefecture = random.of(PREFECTURES) if filters < 11 or draw >= 96 else None
        facility = random.of(("医科診療所", "歯科診療所", "病院")) if filters in (0, 1, 2, 3, 4, 11, 12, 13) else None
        question = random.of(("問6", "問7", "問10", "問13")) if filters in (0, 5, 6, 14) else None
        category = random.of(CATEGORIES) if filters in (7, 12, 15, 16) else None
        chars = random.of(LENGTHS) if filters in (1, 8, 13, 15, 17) else None
        yield {
            "jirei": jirei(every, some, none, phrase, prefecture, facility, question, category, chars),
            "groonga": groonga(every, some, none, phrase, prefecture, facility, question, category, chars),
            "sqlite": sqlite(every, some, none, phrase, prefecture, facility, question, category, chars),
        }


def jirei(every, some, none, phrase, prefecture, facility, question, category, chars):
    parts = list(every)
    parts += [" OR ".join(some)] if some else []
    parts += [f"-{word}" for word in none]
    parts += [f'"{phrase}"'] if phrase else []
    parts += [f"都道府県:{short(prefecture)}"] if prefecture else []
    parts += [f"施設:{facility}"] if facility else []
    parts += [f"問:{question[1:]}"] if question else []
    parts += [f"分類:{category}"] if category else []
    parts += [f"文字数:<{chars}"] if chars else []
    return " ".join(parts)


def groonga(every, some, none, phrase, prefecture, facility, question, category, chars):
    texts = [f'text @ "{word}"' for word in every]
    texts += ["(" + " || ".join(f'text @ "{word}"' for word in some) + ")"] if some else []
    texts += [f'text @ "{phrase}"'] if phrase else []
    conditions = list(texts)
    conditions += [f'prefecture == "{prefecture}"'] if prefecture else []
    conditions += [f'facility == "{facility}"'] if facility else []
    conditions += [f'question == "{question}"'] if question else []
    conditions += [f'categories @ "{category}"'] if category else []
    conditions += [f"chars < {chars}"] if chars else []
    expression = " && ".join(conditions) or "all_records()"
    for word in none:
        expression += f' &! text @ "{word}"'
    order = "-_score,_key" if texts else "_key"
    return (
        f"select Comments --filter '{expression}' --sort_keys {order} --limit 20 "
        "--output_columns _key,prefecture,facility,question,text"
    )


def sqlite(every, some, none, phrase, prefecture, facility, question, category, chars):
    # The trigram index knows no word of fewer than three characters: these are looked for in the text.
    def quoted(word):
        return '"' + word + '"'

    long = [word for word in every + ([phrase] if phrase else []) if len(word) >= 3]
    match = [quoted(word) for word in long]
    conditions = [f"text LIKE '%{word}%'" for word in every if len(word) < 3]
    if some and all(len(word) >= 3 for word in some):
        match.append("(" + " OR ".join(map(quoted, some)) + ")")
    elif some:
        conditions.append("(" + " OR ".join(f"text LIKE '%{word}%'" for word in some) + ")")
    conditions += [f"text NOT LIKE '%{word}%'" for word in none]
    for column, value in (("prefecture", prefecture), ("facility", facility), ("question", question)):
        conditions += [f"{column} = '{value}'"] if value else []
    conditions += [f"chars < {chars}"] if chars else []
    if category:
        conditions.append(f"EXISTS (SELECT 1 FROM categories WHERE comment = comments.rowid AND category = '{category}')")
    columns = "id, prefecture, facility, question, comments.text"
    conditions = [condition.replace("text ", "comments.text ") for condition in conditions]
    if match:
        condition = " AND ".join([f"words MATCH '{' AND '.join(match)}'", *conditions])
        return f"SELECT {columns} FROM words JOIN comments ON comments.rowid = words.rowid WHERE {condition} ORDER BY rank LIMIT 20"
    condition = " AND ".join(conditions) or "1"
    return f"SELECT {columns} FROM comments WHERE {condition} ORDER BY rowid LIMIT 20"


def main():
    what, count = sys.argv[1], int(sys.argv[2])
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", buffering=1 << 20)
    for line in (comments if what == "comments" else queries)(count):
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
