"""What the page kit promises: formats, escaping, marks that exist, and files that keep their budgets."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from kabao.kernel import yuan_text
from kabao.web.render import (
    STATIC,
    TEMPLATES,
    countdown,
    environment,
    flow,
    hours_text,
    icon,
    icon_names,
    ladder,
    meter,
    phone_mask,
    render,
    short_hash,
    stamp,
    stampmark,
    static_url,
    when,
    yuan,
)

NOW = datetime(2026, 11, 23, 12, 14, 7, tzinfo=UTC)
FINGERPRINT = "a3f9" + "0" * 56 + "71c2"
EVIL = "<script>alert(1)</script>"


def words(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


def draw(source: str, **context: object) -> str:
    imports = '{% import "_forms.html" as f with context %}{% import "_ui.html" as ui with context %}'
    return environment().from_string(imports + source).render(now=NOW, csrf_token="token-1", **context)


def page(**context: object) -> str:
    return render("base.html", now=NOW, csrf_token="token-1", **context)


@pytest.mark.parametrize(
    ("minor", "text"),
    [(0, "¥0.00"), (5, "¥0.05"), (9650, "¥96.50"), (123456789, "¥1,234,567.89"), (-600, "-¥6.00")],
)
def test_money_shows_two_decimals_and_thousands(minor: int, text: str) -> None:
    assert yuan_text(minor) == text
    assert words(yuan(minor)) == text


def test_the_year_appears_only_when_it_is_another_year() -> None:
    assert when(NOW, NOW) == "11月23日 20:14"
    assert when(NOW - timedelta(days=365), NOW) == "2025年11月23日 20:14"


def test_the_year_turns_at_midnight_in_beijing_not_in_greenwich() -> None:
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert when(new_year, NOW) == "2027年1月1日 00:00"
    assert when(new_year, new_year) == "1月1日 00:00"


def test_records_show_seconds_in_beijing_time() -> None:
    assert stamp(NOW) == "2026-11-23 20:14:07"


def test_a_moment_without_an_offset_is_a_bug() -> None:
    with pytest.raises(ValueError, match="offset"):
        stamp(datetime(2026, 11, 23))  # noqa: DTZ001 - the missing offset is the point


@pytest.mark.parametrize(
    ("left", "text", "label"),
    [
        (timedelta(days=2, hours=23, minutes=41, seconds=8), "2天23:41:08", "还剩 2 天 23 小时 41 分"),
        (timedelta(hours=48), "2天00:00:00", "还剩 2 天 0 小时 0 分"),
        (timedelta(hours=46, minutes=12, seconds=55), "46:12:55", "还剩 46 小时 12 分"),
        (timedelta(minutes=7, seconds=3), "0:07:03", "还剩 7 分"),
        (timedelta(seconds=9), "0:00:09", "还剩不到 1 分"),
        (timedelta(0), "0:00:00", "已到时"),
        (timedelta(days=-3), "0:00:00", "已到时"),
    ],
)
def test_a_countdown_reads_right_without_a_script(left: timedelta, text: str, label: str) -> None:
    chip = countdown(NOW + left, NOW, absolute=False)
    assert words(chip) == text
    assert f'aria-label="{label}"' in chip
    assert 'role="timer"' in chip


def test_a_countdown_stands_beside_its_moment() -> None:
    shown = countdown(NOW + timedelta(hours=1), NOW)
    assert '<time datetime="2026-11-23T13:14:07.000Z">11月23日 21:14</time>' in shown
    assert 'data-deadline="2026-11-23T13:14:07.000Z"' in shown


@pytest.mark.parametrize(("hours", "text"), [(24, "24 小时"), (72, "72 小时"), (100, "100 小时"), (168, "7 天")])
def test_a_service_level_is_told_in_days_above_seventy_two_hours(hours: int, text: str) -> None:
    assert hours_text(hours) == text


@pytest.mark.parametrize(
    ("left", "mood"),
    [(timedelta(hours=1), "cd"), (timedelta(minutes=59), "cd hot"), (timedelta(seconds=-1), "cd over")],
)
def test_the_last_hour_and_the_time_after_look_different(left: timedelta, mood: str) -> None:
    assert f'class="{mood}"' in countdown(NOW + left, NOW)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("13812345678", "138****5678"), ("+8613812345678", "138****5678"), ("12345", "****45"), ("", "****")],
)
def test_a_phone_number_hides_its_middle(phone: str, masked: str) -> None:
    assert phone_mask(phone) == masked


def test_a_fingerprint_is_short_with_the_whole_at_hand() -> None:
    assert words(short_hash(FINGERPRINT)).endswith("a3f9…71c2")
    assert f'title="{FINGERPRINT}"' in short_hash(FINGERPRINT)
    assert short_hash(bytes.fromhex(FINGERPRINT)) == short_hash(FINGERPRINT)
    assert words(short_hash("abc")).endswith("abc")


def test_an_unknown_icon_fails() -> None:
    assert "icons.svg" in icon("lock", "chev")
    with pytest.raises(LookupError, match="no icon named 'unicorn'"):
        icon("unicorn")


def test_every_icon_a_template_names_exists() -> None:
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"\bi\('([a-z0-9-]+)'", path.read_text("utf-8"))
    }
    assert named <= icon_names()


def test_a_meter_says_in_words_what_it_draws() -> None:
    drawn = meter([(40, "f1"), (250, "f2")], f"用了 40%{EVIL}", tick=70)
    assert 'x="40%" width="100%"' in drawn
    assert 'x1="70%"' in drawn
    assert "<script>" not in drawn
    assert "style" not in drawn


def test_steps_mark_where_one_is() -> None:
    rungs = ladder([("协商", "用时 3 小时", "done"), ("客服", "48 小时内", "now"), ("外部", EVIL, "todo")])
    assert rungs.count("aria-current") == 1
    assert "<script>" not in rungs
    assert "ladder calm" in ladder([("协商", "48 小时", "todo")], calm=True)
    steps = flow([("付款", "done"), ("拆封", "now"), (EVIL, "todo")])
    assert words(steps).startswith("付款2拆封3")
    assert steps.count("aria-current") == 1
    assert "<script>" not in steps
    assert ">封</text>" in stampmark("封")


def test_static_addresses_change_with_the_content() -> None:
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", static_url("app.css"))
    assert static_url("app.css") != static_url("tokens.css")
    with pytest.raises(FileNotFoundError):
        static_url("missing.css")


def test_a_name_cannot_bring_markup_into_a_page() -> None:
    person = SimpleNamespace(roles=frozenset({"buyer"}), display_name=EVIL, phone_masked="138****5678")
    shown = page(viewer=person, flash=SimpleNamespace(kind="ok", text=EVIL))
    assert EVIL not in shown
    assert "&lt;script&gt;" in shown


def test_a_page_offers_what_the_person_may_open() -> None:
    stranger, staff = (
        page(),
        page(
            viewer=SimpleNamespace(roles=frozenset({"buyer", "support"}), display_name="", phone_masked="138****5678"),
            unread=3,
        ),
    )
    assert "/sign-in" in stranger
    assert "退出" not in stranger
    assert "客服台" in staff
    assert "138****5678" in staff
    assert "/messages" in staff
    assert "卖家中心" not in staff


def test_an_error_shows_in_the_title() -> None:
    assert "<title>错误：" in page(errors={"amount": "金额太大"})
    assert "<title>错误：" not in page()


def test_pages_keep_to_the_content_policy() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on", text), path.name
        assert not re.search(r"<script(?! src=)", text), path.name


def test_a_field_is_tied_to_its_error_and_hint() -> None:
    errors = {"amount": "退款金额不能超过 96.50 元"}
    shown = draw("{{ f.errsum(e) }}{{ f.money('amount', '想退多少', v, '这单付了 96.50 元', e) }}", e=errors, v=EVIL)
    assert '<a href="#amount">退款金额不能超过 96.50 元</a>' in shown
    assert 'aria-describedby="amount-h amount-e"' in shown
    assert 'aria-invalid="true"' in shown
    assert EVIL not in shown


def test_an_error_without_a_field_is_still_said() -> None:
    assert "验证码太多次" in draw("{{ f.errsum(e) }}", e={"": "验证码太多次，一小时后再试"})


def test_form_parts_draw_what_was_chosen() -> None:
    shown = draw(
        "{{ f.choices('claim', '遇到了什么', [('used', '已被使用', '附上时间'), ('bad', '无效', '')], 'bad') }}"
        "{{ f.select('kind', '类型', [('a', '甲'), ('b', '乙')], 'b') }}"
        "{{ f.segments('out', '结果', [('full', '全额退')], 'full') }}"
        "{{ f.tick('adult', '我已满 18 岁') }}{{ f.area('what', '发生了什么', '一\n二') }}"
        "{{ f.files('shots', '截图', accept='image/*') }}{{ f.attach('more') }}"
        "{{ f.post('/o/1/confirm', '确认可用', 'check', hidden={'version': 3}) }}"
    )
    assert 'value="bad" checked' in shown
    assert '<option value="b" selected>' in shown
    assert 'value="full" required id="out" checked' in shown
    assert 'name="adult" value="yes" required>' in shown
    assert '<input type="hidden" name="csrf_token" value="token-1">' in shown
    assert '<input type="hidden" name="version" value="3">' in shown


def test_marks_draw_their_words() -> None:
    shown = draw(
        "{{ ui.said('me', 'message-square', '我', when(now), t) }}"
        "{% call ui.said('mer', 'store', '店', '', '') %}{{ ui.file('/f', 'a.png', '3 KB') }}{% endcall %}"
        "{{ ui.happened('sys', 'lock', '冻结', stamp(now)) }}{{ ui.progress(64, 100, [('导入', 61)]) }}"
        "{{ ui.progress(64, 0, []) }}{{ ui.deal([('商家给你', 6000, '')]) }}{{ ui.fingerprint(h) }}"
        "{{ ui.q_item('/c', '87', '已核销', 9650, '21:40', 70, mood='t-warn') }}"
        "{{ ui.good('/i/1', t, '店', 9650) }}{{ ui.cover('店', t) }}{{ ui.deadline('到时放款', now) }}"
        "{% call ui.note('warn') %}{{ t }}{% endcall %}",
        t=EVIL,
        h=FINGERPRINT,
    )
    assert EVIL not in shown
    assert "64%" in shown
    assert "11月23日 20:14" in shown
    assert FINGERPRINT in shown


def test_an_unset_name_fails_instead_of_drawing_nothing() -> None:
    with pytest.raises(UndefinedError):
        draw("{{ nobody }}")
    with pytest.raises(UndefinedError):
        environment().from_string("{{ csrf() }}").render()


def test_a_countdown_in_a_template_uses_the_pages_moment() -> None:
    due = NOW + timedelta(minutes=30)
    assert draw("{{ countdown(due) }}", due=due) == countdown(due, NOW)
    assert isinstance(countdown(due, NOW), Markup)


def test_a_countdown_stands_still_in_a_pause() -> None:
    due, until = NOW + timedelta(hours=5), NOW + timedelta(hours=2)
    early, later = [countdown(due, at, paused_until=until) for at in (NOW, NOW + timedelta(hours=1))]
    assert early == later
    assert 'class="cd paused"' in early
    assert f'data-from="{int(until.timestamp() * 1000)}"' in early
    assert "还剩 3 小时 0 分" in early
    assert countdown(due, until, paused_until=until) == countdown(due, until)


def test_the_styles_parse_in_old_web_views_and_stay_small() -> None:
    css = b"".join((STATIC / name).read_bytes() for name in ("tokens.css", "app.css"))
    text = re.sub(r"/\*.*?\*/", "", css.decode(), flags=re.DOTALL)
    assert len(gzip.compress(css)) <= 14 * 1024
    for newer in ("@layer", "@container", "color-mix", "oklch", "light-dark", ":has(", ":is(", ":where(", "url("):
        assert newer not in text, newer
    assert not re.search(r"\{[^{}]*&", text)
    assert not re.search(r"\b\d+(dvh|svh|lvh)\b", text)
    assert text.count("{") == text.count("}")


def test_every_colour_a_rule_names_is_a_token() -> None:
    named = set(re.findall(r"var\((--[a-z0-9-]+)\)", (STATIC / "app.css").read_text("utf-8")))
    defined = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "tokens.css").read_text("utf-8")))
    assert named <= defined


def test_the_script_is_small_and_stores_nothing() -> None:
    script = (STATIC / "app.js").read_bytes()
    assert len(script) <= 4 * 1024
    assert not re.search(rb"localStorage|sessionStorage|indexedDB|cookie|eval\(|new Function", script)


def test_what_is_vendored_carries_its_licence() -> None:
    licences = (STATIC / "vendor" / "LICENSES.md").read_text("utf-8")
    assert "htmx 2.0.11" in licences
    assert "Zero-Clause BSD" in licences
    assert "ISC License" in licences
    assert (STATIC / "vendor" / "htmx-2.0.11.min.js").stat().st_size > 0
