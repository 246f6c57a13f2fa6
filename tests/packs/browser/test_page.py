"""Checking a pack on the page, in a real Chromium: nothing leaves, what fails is named, keys are told apart."""

import io
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from packbuilder import LOG, SIGNER, Draft, add_stamp, body_of, bytes_of, checkpoint_of, count, log_records, sample
from program import begin
from town import Town

from ..stampmaker import maker, stamp  # noqa: TID252  the maker of stamps stands with the tests of verify.py

pytestmark = pytest.mark.browser

NAME = "付款截图 <b>.png"


def draft_with_picture() -> Draft:
    """A pack of one record and one picture that can be shown, stamped once."""
    target = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(target, "PNG")
    picture = target.getvalue()
    told = {"sha256": sha256(picture).hexdigest(), "name": NAME, "media_type": "image/png", "size": len(picture)}
    draft = sample()
    for name, role in [*draft.roles.items()]:
        if role in {"record", "proof", "checkpoint", "witnesses", "preview"}:
            draft.drop(name)
    draft.files["items/001.png"] = picture
    draft.manifest["items"] = [{"no": 1, **told, "record": 1, "file": "items/001.png", "shown": "original"}]
    log_records(draft, [("evidence_item", body_of(1, "evidence_item", told))], withheld=set())
    by = maker()
    add_stamp(draft, "test", stamp(checkpoint_of(draft), by), by.roots_pem)
    draft.manifest["absent"] = []
    count(draft)
    return draft


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(bytes_of(draft_with_picture()))
    return path


@pytest.fixture
def damaged(whole: Path) -> Path:
    """The pack with one bit of its picture flipped."""
    content = bytearray(whole.read_bytes())
    content[content.index(b"\x89PNG") + 60] ^= 1
    path = whole.with_name("damaged.zip")
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("place")
    serving = begin("serve", folder / "data", folder)
    people = Town(serving, folder / "data", chromium)
    try:
        yield people
        assert people.complaints == []
    finally:
        for context in people.contexts:
            context.close()
        serving.stop()


def opened(place: Town, **how: bool | int) -> Page:
    page = place.phone(**how)  # type: ignore[arg-type]
    page.goto("/verify")
    expect(page.locator("#v-on")).to_be_visible()
    return page


def give(page: Page, path: Path) -> None:
    page.locator("#v-file").set_input_files(path)
    expect(page.locator("#v-result")).to_be_visible()


def test_a_pack_is_checked_without_a_network_and_no_request_leaves(place: Town, whole: Path) -> None:
    page = opened(place)
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    give(page, whole)
    expect(page.locator("#v-result")).to_contain_text("全部成立")
    page.locator(".thumb img").evaluate("(img) => img.decode()")
    assert [url for url in asked if not url.startswith("blob:")] == []


def test_each_check_is_told_with_what_it_found(place: Town, whole: Path) -> None:
    page = opened(place)
    give(page, whole)
    result = page.locator("#v-result")
    states = result.locator("ul.check").first.locator("> li .mk .vh").all_inner_texts()
    assert len(states) == 12
    assert set(states) == {"成立", "包里没有"}
    draft = draft_with_picture()
    for words in (
        "1 条记录都在日志的所示位置",
        "2026-11-25 05:00:00，北京时间",
        "leaf",
        "隐去版",
        f"证据 1：{NAME}",
        sha256(draft.files["items/001.png"]).hexdigest(),
        SIGNER.text,
        LOG.text,
        "签名的不是本站",
        "有公钥不在本站公布的之中",
        "本站不认得的机构",
    ):
        expect(result).to_contain_text(words)
    assert (
        result.locator(".thumb img").evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") == 300
    )


def test_a_verifier_that_is_not_known_is_warned_of_without_blaming_the_pack(place: Town, tmp_path: Path) -> None:
    draft, path = draft_with_picture(), tmp_path / "pack.zip"
    draft.files["verify.py"] = b"#"
    path.write_bytes(bytes_of(draft))
    page = opened(place)
    give(page, path)
    expect(page.locator("#v-result")).to_contain_text("全部成立")
    expect(page.locator("#v-result")).to_contain_text("包里的 verify.py 不是本站认得的版本")


def test_what_fails_is_named_and_its_picture_is_not_shown(place: Town, damaged: Path) -> None:
    page = opened(place)
    give(page, damaged)
    result = page.locator("#v-result")
    expect(result).to_contain_text("不成立：文件内容、证据")
    expect(result).to_contain_text("items/001.png，第 1 项证据")
    expect(result).to_contain_text("已损坏")
    assert result.locator(".thumb img").count() == 0
    assert page.evaluate("document.activeElement.textContent").startswith("不成立")


def test_another_file_is_said_to_be_none_and_the_next_is_checked_anew(place: Town, whole: Path, tmp_path: Path) -> None:
    page = opened(place)
    other = tmp_path / "照片 <b>.png"
    other.write_bytes(b"\x89PNG")
    give(page, other)
    result = page.locator("#v-result")
    expect(result).to_contain_text("这不是卡保的证据包")
    expect(result).to_contain_text("照片 <b>.png")
    give(page, whole)
    expect(result).to_contain_text("全部成立")


def test_a_file_that_is_dropped_is_checked_too(place: Town, whole: Path) -> None:
    page = opened(place)
    transfer = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(bytes)], '拖来的.zip'));
          return transfer;
        }""",
        list(whole.read_bytes()),
    )
    page.dispatch_event("label.drop", "drop", {"dataTransfer": transfer})
    expect(page.locator("#v-result")).to_contain_text("全部成立")
    expect(page.locator("[data-names]")).to_have_text("拖来的.zip")


def test_a_check_can_be_stopped(place: Town, whole: Path) -> None:
    page = opened(place)
    page.evaluate(
        """() => {
          const run = document.getElementById('v-run');
          new MutationObserver(() => { if (!run.hidden) document.getElementById('v-stop').click(); })
            .observe(run, { attributes: true });
        }"""
    )
    page.locator("#v-file").set_input_files(whole)
    expect(page.locator("#v-run")).to_be_hidden()
    page.wait_for_timeout(500)
    expect(page.locator("#v-result")).to_be_hidden()


def test_a_browser_whose_workers_know_no_modules_checks_in_the_page(place: Town, damaged: Path) -> None:
    page = place.phone()
    page.add_init_script(
        """window.Worker = class extends EventTarget {
          constructor() { super(); setTimeout(() => this.dispatchEvent(new Event('error'))); }
          postMessage() {}
        };"""
    )
    page.goto("/verify")
    expect(page.locator("#v-on")).to_be_visible()
    give(page, damaged)
    expect(page.locator("#v-result")).to_contain_text("items/001.png，第 1 项证据")


def test_without_scripts_the_other_two_ways_are_told(place: Town) -> None:
    page = place.phone(script=False)
    page.goto("/verify")
    expect(page.locator("#v-off")).to_be_visible()
    expect(page.locator("#v-on")).to_be_hidden()
    expect(page.get_by_text("python3 -I verify.py")).to_be_visible()


def test_the_keys_of_this_site_are_known_again(place: Town, whole: Path) -> None:
    def with_our_keys(route: Route) -> None:
        answer = route.fetch()
        text = re.sub(r'data-signers="[^"]*"', f'data-signers="{SIGNER.text}"', answer.text())
        route.fulfill(response=answer, body=re.sub(r'data-logs="[^"]*"', f'data-logs="{LOG.text}"', text))

    page = place.phone()
    page.route("**/verify", with_our_keys)
    page.goto("/verify")
    expect(page.locator("#v-on")).to_be_visible()
    give(page, whole)
    expect(page.locator("#v-result")).to_contain_text("签名的公钥都是本站公布的")
    expect(page.locator("#v-result")).not_to_contain_text("签名的不是本站")
    assert page.locator("#v-result .tag.ok").all_inner_texts() == ["是本站的", "是本站的"]


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1280, False), (1280, True)])
def test_axe_finds_nothing_before_and_after(place: Town, whole: Path, damaged: Path, width: int, dark: bool) -> None:  # noqa: FBT001
    page = opened(place, width=width, dark=dark)
    faults = []
    for path in (None, whole, damaged):
        if path is not None:
            give(page, path)
        faults += [
            (violation["id"], violation["nodes"][0]["html"][:200])
            for violation in Axe().run(page).response["violations"]
        ]
    assert faults == []


def test_nothing_scrolls_sideways_on_a_small_phone(place: Town, damaged: Path) -> None:
    page = opened(place, width=320)
    give(page, damaged)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
