"""The check of HTML reports; where Chromium and axe are installed, of a page as well."""

import check_pages
import pytest

from conegrad_evaluation.report.html_template import template_of

TOOLS = check_pages.tools()


def test_the_check_is_skipped_aloud_without_chromium_or_axe(monkeypatch, capsys):
    monkeypatch.setattr(check_pages, "tools", lambda: None)
    assert check_pages.main(["report.html"]) == check_pages.SKIPPED
    assert "needs Chromium, and axe" in capsys.readouterr().out


@pytest.mark.skipif(TOOLS is None, reason="needs Chromium and axe")
def test_a_picture_without_a_description_is_found_and_the_base_page_has_nothing(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(template_of("conegrad_evaluation.report", "page.html").render())
    assert list(check_pages.violations(page, "dark", *TOOLS)) == []
    page.write_text(page.read_text().replace("<main>", '<main><img src="data:,">'))
    assert [rule for rule, _, _ in check_pages.violations(page, "light", *TOOLS)] == ["image-alt"]
