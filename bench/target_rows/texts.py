"""Texts made up for the rows about data: words drawn as in a language, the frequent ones far more often."""
import random
from pathlib import Path

SYLLABLES = [first + vowel + last for first in "bcdfglmnprstv" for vowel in "aeiou" for last in ("", "n", "r", "s")]
ACCENTS = str.maketrans("aeiou", "\u00e0\u00e9\u00ee\u00f6\u00fc")
# Common words of two characters and single ones, so that the dictionary has something to find.
CHINESE = ("\u6211\u4eec \u4ed6\u4eec \u4e2d\u56fd \u4e16\u754c \u56fd\u5bb6 \u793e\u4f1a \u7ecf\u6d4e \u53d1\u5c55 "
           "\u5de5\u4f5c \u5b66\u4e60 \u751f\u6d3b \u65f6\u95f4 \u4eca\u5929 \u660e\u5929 \u6ca1\u6709 \u53ef\u4ee5 "
           "\u95ee\u9898 \u5df2\u7ecf \u56e0\u4e3a \u6240\u4ee5 \u81ea\u5df1 \u4ec0\u4e48 \u9152\u5e97 \u623f\u95f4 "
           "\u670d\u52a1 \u5f88 \u597d \u7684 \u662f \u4e0d \u4e86 \u5728 \u4eba \u6709 \u8fd9 \u90a3 \u4e5f").split()
LEVEL_1 = [bytes((row, column)).decode("gb2312") for row in range(0xB0, 0xD7) for column in range(0xA1, 0xFF)]


def words(language: str, numbers: random.Random) -> list[str]:
    """20000 distinct-looking words, the most frequent first."""
    if language == "chinese":
        return CHINESE + ["".join(numbers.choices(LEVEL_1, k=numbers.choice((1, 2, 2, 3)))) for _ in range(20000)]
    made = ["".join(numbers.choices(SYLLABLES, k=numbers.choice((1, 2, 2, 3)))) for _ in range(20000)]
    return [word.translate(ACCENTS) if language == "accents" and k % 10 == 9 else word for k, word in enumerate(made)]


def write_texts(path: Path, language: str, size: int) -> None:
    """`size` bytes of two labels and sentences of 5 to 40 words: "ascii", "accents" (every tenth word has them) or
    "chinese"."""
    numbers = random.Random(1)
    known = words(language, numbers)
    weights = [1 / (rank + 3) for rank in range(len(known))]
    comma, stop, space = ("\uff0c", "\u3002", "") if language == "chinese" else (", ", ".", " ")
    with path.open("w", encoding="utf-8") as file:
        file.write("label\ttext\n")
        while file.tell() < size:
            chosen = numbers.choices(known, weights, k=numbers.randint(5, 40))
            middle = len(chosen) // 2
            text = space.join(chosen[:middle]).capitalize() + comma + space.join(chosen[middle:]) + stop
            file.write(f"{numbers.choice(('one', 'two'))}\t{text}\n")
