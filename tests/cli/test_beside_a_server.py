"""Commands beside a running server: the audit, imports, tokens, staff, the sweep; and what a second server is told."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyotp

from program import kabao

Demo = tuple[Path, Any]


def listing_of(origin: str, words: str) -> dict[str, Any]:
    cards = httpx.get(f"{origin}/api/v1/listings", params={"q": words}).json()["listings"]
    card: dict[str, Any] = cards[0]
    return card


def test_the_demo_serves_a_small_market(demo: Demo) -> None:
    _, serving = demo
    cards = httpx.get(f"{serving.origin}/api/v1/listings").json()["listings"]
    assert len(cards) == 12
    assert len({card["shop_id"] for card in cards}) == 3
    assert sum(card["stock"] for card in cards) > 300
    assert httpx.get(f"{serving.origin}/healthz").json() == {"status": "ok"}


def test_the_demo_prints_a_link_for_each_role_and_its_start_page_makes_new_ones(demo: Demo) -> None:
    _, serving = demo
    (start,) = re.findall(r"http\S+/demo/\S+", serving.output)
    roles = re.findall(rf"{urlsplit(start).path}/\d+", httpx.get(start).text)
    assert len(roles) == 11
    first, second = (httpx.get(f"{serving.origin}{roles[0]}").headers["location"] for _ in range(2))
    assert first != second
    page = httpx.get(start).text
    assert page.count("动态码 <span") == 5, "of those whose desk asks for it, and of nobody else"
    for command in ("reserve", "rulebook proposals", "ledger"):
        assert f"kabao {command}" in page
        assert kabao(*command.split(), "--help").returncode == 0
    assert "用链接登录" in httpx.get(f"{serving.origin}{second}").text
    checkout = re.search("/sandbox-custodian/checkout/[a-z0-9]+", httpx.get(start).text)
    assert checkout is not None
    assert "撤回这笔付款" in httpx.get(f"{serving.origin}{checkout[0]}").text
    for nowhere in (f"{start}/11", f"{start}x", f"{serving.origin}/demo/x", f"{serving.origin}/demo/x/0"):
        assert httpx.get(nowhere).status_code == 404, nowhere
    for role in ("buyer", "merchant", "support", "operator"):
        link = re.search(rf"{role} +(http\S+/sign-in/link/\S+)", serving.output)
        assert link is not None
        assert httpx.get(link[1]).status_code == 200


def test_the_audit_agrees_beside_the_server(demo: Demo) -> None:
    data, _ = demo
    done = kabao("ledger", "audit", "--data", data, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["transfers"] >= 8
    assert report["mismatches"] == 0
    assert report["lost_minor"] == 0
    assert kabao("ledger", "audit", "--data", data).stdout.startswith("ok: ")


def test_the_reserve_is_filled_and_shown_beside_the_server(demo: Demo) -> None:
    data, _ = demo
    before = json.loads(kabao("reserve", "status", "--data", data, "--json").stdout)
    assert (before["waiting"], before["waiting_minor"]) == (0, 0)
    done = kabao("reserve", "pay-in", "12300", "--data", data)
    assert (done.returncode, done.stdout.strip()) == (0, f"{before['left_minor'] + 12_300} left"), done.stderr
    after = json.loads(kabao("reserve", "status", "--data", data, "--json").stdout)
    assert after["paid_minor"] == before["paid_minor"] + 12_300
    assert "0 rulings wait" in kabao("reserve", "status", "--data", data).stdout
    assert kabao("reserve", "pay-in", "99", "--data", data).returncode != 0
    assert kabao("ledger", "audit", "--data", data).returncode == 0


def test_a_second_server_on_the_folder_is_refused(demo: Demo) -> None:
    data, _ = demo
    done = kabao("serve", "--data", data, "--port", "0")
    assert done.returncode == 3
    assert "in use by another kabao process" in done.stderr
    assert "正被另一个卡保进程" in kabao("serve", "--data", data, "--port", "0", lang="zh_CN.UTF-8").stderr


def test_a_taken_port_is_refused_before_anything_starts(demo: Demo, tmp_path: Path) -> None:
    _, serving = demo
    done = kabao("serve", "--data", tmp_path / "other", "--port", serving.origin.rpartition(":")[2])
    assert done.returncode == 4
    assert "--port" in done.stderr
    assert not (tmp_path / "other").exists()


def test_keys_are_imported_beside_the_server_and_never_printed(demo: Demo, tmp_path: Path) -> None:
    data, serving = demo
    card = listing_of(serving.origin, "咖啡")
    shop = card["ref"].partition("-")[0]
    file = tmp_path / "keys.csv"
    file.write_text("key\nCLI-KEY-1\nCLI-KEY-2\nCLI-KEY-1\n" + "x" * 600 + "\n", "utf-8")
    done = kabao("keys", "import", file, "--shop", shop, "--listing", card["ref"], "--data", data)
    assert done.returncode == 0, done.stderr
    assert "2 added, 1 duplicates, 1 bad" in done.stdout
    assert "line 5" in done.stdout
    assert "CLI-KEY" not in done.stdout + done.stderr
    piped = kabao(
        *("keys", "import", "-", "--shop", shop, "--listing", card["ref"].partition("-")[2], "--data", data, "--json"),
        give=b"CLI-KEY-2\nCLI-KEY-3\n",
    )
    assert json.loads(piped.stdout)["added"] == 1, piped.stderr
    assert listing_of(serving.origin, "咖啡")["stock"] == card["stock"] + 3
    assert "1 in the file itself, 0 in stock before" in done.stdout
    assert "columns used: 1 key; left out: 0" in done.stdout
    taken = kabao("keys", "withdraw", "--shop", shop, "--import", json.loads(piped.stdout)["ref"], "--data", data)
    assert "1 keys withdrawn" in taken.stdout, taken.stderr
    assert listing_of(serving.origin, "咖啡")["stock"] == card["stock"] + 2
    assert kabao("keys", "withdraw", "--shop", shop, "--import", "1", "--data", data).returncode == 1
    assert kabao("keys", "withdraw", "--shop", "7", "--import", "8-1", "--data", data).returncode == 2
    noisy = kabao(
        *("keys", "import", "-", "--shop", shop, "--listing", card["ref"], "--data", data),
        give="".join(f"{'y' * 501}\n" for _ in range(30)).encode(),
    )
    assert "and 10 more" in noisy.stdout


def test_an_import_to_nowhere_is_refused(demo: Demo, tmp_path: Path) -> None:
    data, _ = demo
    assert kabao("keys", "import", "-", "--shop", "7", "--listing", "8-1", "--data", data, give=b"A").returncode == 2
    nowhere = kabao("keys", "import", "-", "--shop", "7", "--listing", "7-1", "--data", data, give=b"A")
    assert nowhere.returncode == 1
    missing = tmp_path / "missing.txt"
    gone = kabao("keys", "import", missing, "--shop", "7", "--listing", "7-1", "--data", data)
    assert gone.returncode == 1
    assert "cannot be read" in gone.stderr


def test_keys_are_wrapped_anew_and_still_open(demo: Demo) -> None:
    data, serving = demo
    done = kabao("keys", "rotate", "--data", data)
    assert done.returncode == 0, done.stderr
    assert "data keys wrapped anew" in done.stdout
    shop = listing_of(serving.origin, "咖啡")["ref"].partition("-")[0]
    assert kabao("keys", "rotate", "--data", data, "--shop", shop).returncode == 0
    assert kabao("keys", "rotate", "--data", data, "--shop", "!").returncode == 1
    token = kabao("token", "create", "--data", data, "--account", "演示买家", "--role", "buyer").stdout.strip()
    headers = {"authorization": f"Bearer {token}"}
    orders = httpx.get(f"{serving.origin}/api/v1/orders", headers=headers).json()["orders"]
    opened = next(order["ref"] for order in orders if order["state"] == "opened" and not order["in_case"])
    shown = httpx.post(f"{serving.origin}/api/v1/orders/{opened}/reveal", headers=headers, json={})
    assert shown.json()["keys"][0]["text"].startswith("DEMO-")


def test_a_token_is_made_for_old_and_new_accounts(demo: Demo) -> None:
    data, serving = demo
    for account, role, is_new in (
        ("演示店主一", "merchant", False),
        ("script", "buyer", True),
        ("script", "support", False),
        ("+12025550177", "operator", True),
        ("+1 202 555 0177", "buyer", False),
    ):
        done = kabao("token", "create", "--data", data, "--account", account, "--role", role)
        assert done.returncode == 0, done.stderr
        assert ("was new" in done.stderr) is is_new
        token = done.stdout.strip()
        assert "\n" not in token
        answer = httpx.get(f"{serving.origin}/api/v1/cases", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    refused = kabao("token", "create", "--data", data, "--account", "x" * 50, "--role", "buyer")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert kabao("token", "create", "--data", data, "--account", "script", "--role", "emperor").returncode != 0


def test_staff_get_a_password_and_codes_and_lose_them(demo: Demo) -> None:
    data, serving = demo
    done = kabao("staff", "add", "--data", data, "--account", "+12025550178", "--role", "support")
    assert done.returncode == 0, done.stderr
    _, password, uri = done.stdout.strip().splitlines()
    assert len(password) >= 10
    shown = kabao("staff", "code", "--data", data, "--account", "+12025550178").stdout.strip()
    assert pyotp.parse_uri(uri).verify(shown, valid_window=1)
    assert kabao("staff", "code", "--data", data, "--account", "演示客服").stdout.strip().isdigit()
    assert kabao("staff", "code", "--data", data, "--account", "演示买家").returncode == 1
    nobody = kabao("staff", "code", "--data", data, "--account", "nobody here")
    assert nobody.returncode == 1
    assert "no account" in nobody.stderr
    # Who leaves is staff no longer, with what that gave; who is given the role again starts with nothing of before.
    assert re.search(r"^演示值班长  \S+  duty$", kabao("staff", "list", "--data", data).stdout, re.MULTILINE)
    token = kabao("token", "create", "--data", data, "--account", "+12025550178", "--role", "support").stdout.strip()
    asks = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{serving.origin}/api/v1/cases", headers=asks).status_code == 200
    gone = kabao("staff", "remove", "--data", data, "--account", "+12025550178", "--role", "all")
    assert gone.stdout.strip() == "no longer support; 0 panel seats are drawn anew"
    assert "0178" not in kabao("staff", "list", "--data", data).stdout
    assert kabao("staff", "remove", "--data", data, "--account", "+12025550178", "--role", "all").returncode == 1
    assert kabao("staff", "remove", "--data", data, "--account", "演示客服", "--role", "duty").returncode == 1
    assert httpx.get(f"{serving.origin}/api/v1/cases", headers=asks).status_code == 401
    assert kabao("staff", "code", "--data", data, "--account", "+12025550178").returncode == 1
    assert kabao("staff", "add", "--data", data, "--account", "+12025550178", "--role", "support").returncode == 0
    assert httpx.get(f"{serving.origin}/api/v1/cases", headers=asks).status_code == 401


def test_the_sweep_says_how_it_stands(demo: Demo) -> None:
    data, _ = demo
    assert kabao("sweep", "status", "--data", data).stdout.startswith("running")
    assert json.loads(kabao("sweep", "status", "--data", data, "--json").stdout)["halted_why"] is None
    assert kabao("sweep", "resume", "--data", data, "--accept-for", "5").returncode == 0


def test_the_schema_is_this_programs(demo: Demo) -> None:
    data, _ = demo
    for command in ("check", "migrate"):
        done = kabao("db", command, "--data", data)
        assert done.returncode == 0, done.stderr
        assert "nothing pending" in done.stdout


def test_no_secret_reaches_the_log(demo: Demo) -> None:
    _, serving = demo
    log = serving.complained.read_text("utf-8")
    assert "DEMO-" not in log
    assert "/sign-in/link/" not in log
