"""The page that checks packs in the browser: what it carries, what it may do, how its modules are addressed."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kabao.packs import known_verifiers, verify
from kabao.web.packkeys import PackKeys, root_fingerprints
from kabao.web.render import STATIC, folder_digest, static_folder_url
from pages import Site

MODULES = sorted((STATIC / "verify").glob("*.js"))
LIGHT = 60 * 1024
VERIFIER = Path(verify.__file__).read_bytes()


async def test_anyone_may_open_it_and_the_footer_leads_there(site: Site) -> None:
    reader = site.stranger()
    page = await reader.get("/verify")
    assert page.status == 200
    assert "/verify" in (await reader.get("/")).read.links
    assert "不上传" in page.words
    assert 'method="post"' not in page.text, "no form could take a pack along"


async def test_without_scripts_it_tells_the_other_ways(site: Site) -> None:
    page = await site.stranger().get("/verify")
    assert re.search(r'<p class="note info" id="v-off">', page.text), "shown unless the script hides it"
    assert "没有运行。" not in page.words, "the page cannot know it before the script has had its time"
    assert re.search(r'<div id="v-on" hidden>', page.text)
    assert "python3 -I verify.py" in page.words
    assert "OpenSSL" in page.words
    assert "VERIFY.txt" in page.words


async def test_the_verifier_itself_can_be_had_and_its_digest_is_shown(site: Site) -> None:
    reader = site.stranger()
    file = await reader.get("/verify/verify.py")
    content = file.text.encode()
    assert content == VERIFIER
    assert file.headers["content-disposition"] == 'attachment; filename="verify.py"'
    assert file.headers["content-type"].startswith("text/x-python")
    page = await reader.get("/verify")
    assert "/verify/verify.py" in page.read.links
    assert sha256(content).hexdigest() in page.words


async def test_it_may_connect_to_nothing_and_neither_may_its_worker(site: Site) -> None:
    reader = site.stranger()
    policy = (await reader.get("/verify")).headers["content-security-policy"]
    assert "connect-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    worker = await reader.get(f"{static_folder_url('verify')}/worker.js")
    assert worker.status == 200
    assert worker.headers["content-security-policy"] == "default-src 'none'; script-src 'self'"
    assert "connect-src 'self'" in (await reader.get("/rules")).headers["content-security-policy"]


async def test_it_carries_the_keys_of_this_site(site: Site) -> None:
    keys = PackKeys(signers=("a.example/p+00000001+AAAA",), logs=("a.example/l+00000002+BBBB",), roots=("ab" * 32,))
    site.app.pack_keys = keys
    page = await site.stranger().get("/verify")
    assert f'data-signers="{keys.signers[0]}"' in page.text
    assert f'data-logs="{keys.logs[0]}"' in page.text
    assert 'data-witnesses=""' in page.text
    assert f'data-roots="{keys.roots[0]}"' in page.text
    assert f'data-verifiers="{" ".join(sorted(known_verifiers()))}"' in page.text
    assert all(key in page.words for key in (*keys.signers, *keys.logs, *keys.roots)), "to be compared by eye, too"


async def test_a_site_that_signs_nothing_says_so(site: Site) -> None:
    site.app.pack_keys = PackKeys()
    assert "本站还没有签过证据包" in (await site.stranger().get("/verify")).words


async def test_modules_have_the_key_of_their_folder_and_no_other(site: Site) -> None:
    reader = site.stranger()
    address = static_folder_url("verify")
    assert address == f"/static/verify@{folder_digest('verify')}"
    assert f'src="{address}/page.js"' in (await reader.get("/verify")).text
    for module in MODULES:
        answer = await reader.get(f"{address}/{module.name}")
        assert answer.text == module.read_text("utf-8")
        assert "immutable" in answer.headers["cache-control"]
        assert "javascript" in answer.headers["content-type"]
    for other in ("verify@000000000000/page.js", f"verify@{folder_digest('verify')}/no.js", "nowhere@0/page.js"):
        assert (await reader.get(f"/static/{other}")).status == 404


async def test_the_first_view_is_light(site: Site) -> None:
    reader = site.stranger()
    page = await reader.get("/verify")
    wanted = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text))
    weight = len(gzip.compress(page.text.encode()))
    for path in wanted:
        weight += len(gzip.compress((await reader.get(path)).text.encode()))
    weight += sum(len(gzip.compress(module.read_bytes())) for module in MODULES if module.name != "page.js")
    assert weight < LIGHT


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_module_knows_how_to_send_or_to_keep(module: Path) -> None:
    text = module.read_text("utf-8")
    words = (
        r"fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|localStorage|indexedDB|innerHTML|cookie"
    )
    assert re.findall(words, text) == []
    assert set(re.findall(r"from '([^']+)'|import\('([^']+)'\)", text)) <= {
        pair for other in MODULES for pair in ((f"./{other.name}", ""), ("", f"./{other.name}"))
    }


def test_fingerprints_are_those_of_every_root_once() -> None:
    pems, expected = [], []
    for number in range(2):
        key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"根 {number}")])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), 1 + number, start, start + timedelta(days=9))
        ).sign(key, None)
        pems.append(made.public_bytes(Encoding.PEM))
        expected.append(made.fingerprint(hashes.SHA256()).hex())
    assert root_fingerprints([pems[0] + pems[1], pems[0]]) == tuple(expected)
    with pytest.raises(ValueError, match="PEM"):
        root_fingerprints([b"nothing"])
