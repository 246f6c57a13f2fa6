"""What is wrong with the writing of a file, in the words of somebody who never heard of YAML."""

from typing import Final

_WORDS: Final = (
    ("tab character", "有制表符（Tab），改成空格"),
    ("could not find expected ':'", "名称后面要写半角冒号“:”，冒号后面空一格"),
    ("mapping values are not allowed", "值里面有冒号，给它加上引号"),
    ("does not close", "引号没有写完"),
    ("cannot start any token", "值的开头有特殊符号，给它加上引号"),
    ("anchors and aliases", "不能用 & 和 * 开头，给它加上引号"),
    ("stands here twice", "同一个名称写了两次"),
    ("the file is empty", "文件是空的"),
    ("not UTF-8 text", "不是 UTF-8 文字，另存为 UTF-8 再试"),
    ("larger than", "文件太大"),
    ("a second document", "多了一行 ---"),
    ("is not allowed", "有看不见的特殊字符，删掉它"),
    ("did not find expected key", "这一行前面的空格和上面的对不齐"),
    ("did not find expected '-' indicator", "这一行前面的空格和上面的对不齐"),
    ("block end", "这一行前面的空格和上面的对不齐"),
)


def in_chinese(message: str) -> str:
    """Say it in Chinese; what is not known here as the reader said it."""
    return next((zh for part, zh in _WORDS if part in message), message)
