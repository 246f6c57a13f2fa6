"""The demo's own timestamp authorities are called what they are, wherever their stamps are shown."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from town import Town

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[1] / "vectors" / "sample.zip"
WORDS = "演示机构，没有证明力"


def test_simulated_stamps_are_called_so_on_the_log_s_page_and_where_a_pack_is_checked(demo: Town) -> None:
    page = demo.phone()
    page.goto("/log/")
    expect(page.get_by_text(WORDS)).to_have_count(2)
    page.goto("/verify")
    page.locator("#v-file").set_input_files(SAMPLE)
    expect(page.locator("#v-result").get_by_text(WORDS)).to_have_count(2)
