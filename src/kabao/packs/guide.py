"""Writes VERIFY.txt: how to check this very pack, by one script, in the browser, or by hand with OpenSSL and coreutils.

Lines that begin with four spaces are commands for bash; run one after another beside a `pack.zip` they check the pack.
"""

from string import Template
from typing import Final

from kabao.packs import verify
from kabao.packs.model import PackContent, PackRecord, StampFiles, proof_file, record_file, stamp_files

_HEAD: Final = Template("""\
怎样核验这个证据包 / How to verify this evidence pack
====================================================

$title

三种办法，任选其一。都不需要信任制作这个包的$maker_zh，也不需要联网。
Three ways; any of them will do. None needs trust in the $maker that made this pack, nor a network.

一、用程序 / By program
-----------------------

需要 Python 3.9 或更新版本。verify.py 只有一个文件，只用标准库，可以通读。退出码：0 全部通过；1 有一处不符，会指明是
哪一处；2 不是证据包。
Python 3.9 or newer. verify.py is one file, uses the standard library alone, and can be read. It exits with 0 where
everything holds, 1 where something fails (and says what), 2 where the file is not a pack.

    PACK=pack.zip
    unzip -q "$$PACK" -d pack
    python3 -I pack/verify.py "$$PACK"

动过包的人也可能动过包里的 verify.py。请尽量用您另外取得的那一份，并比较它的 SHA-256：
Whoever altered the pack may have altered the verify.py in it. Better use one that you have from elsewhere, and compare
its SHA-256:

    echo '$verifier  pack/verify.py' | sha256sum -c -

二、在浏览器里 / In the browser
-------------------------------

打开 $page，选择文件。文件只在您的浏览器里读取，不会上传。
Open $page and choose the file. It is read in your browser and not uploaded.

三、手工核验 / By hand
----------------------

需要 OpenSSL 3 与常见的 Linux 命令（bash、unzip、coreutils、sed、grep）。先完成上面的解压。
OpenSSL 3 and the usual commands of Linux (bash, unzip, coreutils, sed, grep). Unzip first, as above.

    mkdir check
    cd pack

1. 每个文件都与清单一致，不多不少 / Every file is as the manifest says, none is missing, none added

    LIST='"crc32":"[0-9a-f]*","name":"([^"]*)","role":"[a-z]*","sha256":"([0-9a-f]*)"'
    grep -oE "$$LIST" manifest.json | sed -E "s|$$LIST|\\2  \\1|" > ../check/sums
    sha256sum -c --quiet ../check/sums
    { cut -c 67- ../check/sums; echo manifest.json; echo manifest.sig; } | LC_ALL=C sort > ../check/due
    find . -type f | cut -c 3- | LC_ALL=C sort | diff ../check/due -

2. 清单由$signed_zh签署 / The $signed signed the manifest

    head -n 2 manifest.sig > ../check/signed
    tail -n 1 manifest.sig | sed 's/.* //' | base64 -d | tail -c 64 > ../check/signature
    openssl pkeyutl -verify -pubin -inkey keys/signer.pem -rawin -in ../check/signed -sigfile ../check/signature
    test "$$(sha256sum < manifest.json | cut -c -64)" = "$$(sed -n 2p ../check/signed)"

   签名用的公钥（$compare_zh）/ The key ($compare):
   $signer

    openssl pkey -pubin -in keys/signer.pem -outform DER | tail -c 32 > ../check/key
    echo '$signer_raw' | base64 -d | tail -c 32 | cmp - ../check/key
""")

_PLATFORM: Final = {
    "maker_zh": "平台",
    "maker": "platform",
    "signed_zh": "平台",
    "signed": "platform",
    "compare_zh": "请与平台公布的比较",
    "compare": "compare it with the one that the platform publishes",
    "page": "平台的 /verify 页 (the platform's page /verify)",
}
_OWN: Final = {
    "maker_zh": "人",
    "maker": "person",
    "signed_zh": "制作人自己的钥匙",
    "signed": "maker's own key",
    "compare_zh": "没有平台担保它属于谁，请向交给您这个包的人核对",
    "compare": "no platform vouches for whose it is; ask whoever gave you this pack",
    "page": "任何一个卡保平台的 /verify 页 (the page /verify of any kabao platform)",
}

_CHECKPOINT: Final = Template("""
3. 日志检查点由日志的密钥签署 / The log's key signed the checkpoint

    head -n 3 checkpoints/$size.txt > ../check/signed
    tail -n 1 checkpoints/$size.txt | sed 's/.* //' | base64 -d | tail -c 64 > ../check/signature
    openssl pkeyutl -verify -pubin -inkey keys/log.pem -rawin -in ../check/signed -sigfile ../check/signature

   日志的公钥（请与平台公布的比较）/ The log's key (compare it with the one that the platform publishes):
   $log

    openssl pkey -pubin -in keys/log.pem -outform DER | tail -c 32 > ../check/key
    echo '$log_raw' | base64 -d | tail -c 32 | cmp - ../check/key
""")

_RECORD: Final = Template("""
4. 记录与日志里的承诺值一致（以第 $no 条为例，其余相同）/ A record is what the log committed to (number $no;
   others alike)

    sed -n 's/^extra //p' $proof | base64 -d | cat - $body | sha256sum | cut -c -64 > ../check/commitment
    echo '$commitment' | cmp - ../check/commitment

   它在日志第 $index 个位置（RFC 6962）/ It stands at place $index of the log (RFC 6962):

    fold() { cat - "$$@" | openssl dgst -sha256 -binary > ../check/next; mv ../check/next ../check/hash; }
    { sed -n 's/^extra //p' $proof | base64 -d; cat $body; } | openssl dgst -sha256 -binary > ../check/entry
    printf '\\0' | fold ../check/entry
    n=$index; last=$last
    for sibling in $$(sed -n '/^index /,/^$$/p' $proof | sed '1d;$$d'); do
    echo "$$sibling" | base64 -d > ../check/sibling
    if (( n % 2 == 1 || n == last )); then printf '\\1' | fold ../check/sibling ../check/hash
    while (( n % 2 == 0 && n > 0 )); do n=$$((n / 2)); last=$$((last / 2)); done
    else printf '\\1' | fold ../check/hash ../check/sibling; fi
    n=$$((n / 2)); last=$$((last / 2)); done
    test "$$(base64 < ../check/hash)" = "$$(sed -n 3p $checkpoint)"
""")

_STAMPS: Final = """
5. 时间戳由第三方机构签署 / A third party signed the time

   -attime 是时间戳所写的时间（证书当时有效即可）。根证书请与该机构公布的比较。
   -attime is the time in the stamp, at which the certificates must have been valid. Compare the roots with the ones
   that the authority publishes.
"""

_STAMP: Final = Template("""
   $authority: $at

    openssl ts -verify -in $file -data $checkpoint -CAfile $roots -attime $seconds
""")

_ABSENT: Final = """
这个包没有的部分 / What this pack does not carry
------------------------------------------------

"""


def guide_of(content: PackContent, signer: str, verifier: str) -> str:
    """Write the guide for a pack signed by the verifier key `signer`, with a verify.py of this SHA-256 (hex)."""
    stamps = stamp_files(content.checkpoints)
    words = {**(_OWN if content.is_own else _PLATFORM)}
    if content.site:
        words["page"] = f"{content.site}/verify"
    title = verify.printable(content.title)
    parts = [_HEAD.substitute(words, title=title, verifier=verifier, signer=signer, signer_raw=_raw_of(signer))]
    if content.log is not None and content.checkpoints:
        ends = {verify.read_proof(one.proof).note for one in content.records if one.proof is not None}
        point = next((one for one in content.checkpoints if one.note in ends), content.checkpoints[0])
        parts.append(_CHECKPOINT.substitute(size=point.size, log=content.log.key, log_raw=_raw_of(content.log.key)))
        parts += [_record_steps(one, point.size) for one in content.records if one.body and one.proof][:1]
    parts += [_STAMPS] * bool(stamps)
    parts += [_stamp_steps(stamp) for stamp in stamps]
    if content.absent:
        parts += [_ABSENT, *(f"- {one.part}: {verify.printable(one.why)}\n" for one in content.absent)]
    return "".join(parts)


def _raw_of(key: str) -> str:
    # Base64 has plus signs of its own, so only the first two divide.
    return key.split("+", 2)[2]


def _record_steps(record: PackRecord, size: int) -> str:
    if record.commitment is None or record.proof is None:
        raise verify.WrongError("", f"record {record.no} has a proof but no commitment")
    return _RECORD.substitute(
        no=record.no,
        body=record_file(record.no),
        proof=proof_file(record.no),
        commitment=record.commitment.hex(),
        index=verify.read_proof(record.proof).place,
        last=size - 1,
        checkpoint=f"checkpoints/{size}.txt",
    )


def _stamp_steps(stamp: StampFiles) -> str:
    _, at, _ = verify.read_info(verify.read_token(stamp.stamp.response).info)
    return _STAMP.substitute(
        authority=verify.printable(stamp.stamp.authority),
        at=f"{at:%Y-%m-%d %H:%M:%S} UTC",
        file=stamp.file,
        checkpoint=f"checkpoints/{stamp.checkpoint.size}.txt",
        roots=stamp.roots,
        seconds=int(at.timestamp()),
    )
