"""The web client without a mouse, without eyes, and with weak ones."""

from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests import browser, speech
from tests.browser import PageFor

Scheme = Literal["dark", "light"]
Forced = Literal["none", "active"]

SPEECH = speech.DATA / "austen_cold_hearted.wav"
NAMELESS_BUTTONS = """
() => [...document.querySelectorAll("button, a, input, select, textarea")]
  .filter((e) => e.checkVisibility() && !e.labels?.length
    && !(e.ariaLabel || e.textContent.trim()))
  .map((e) => e.outerHTML)
"""
# WCAG 2.2, 2.4.11: what has the focus, or the label around it, is seen to its end.
UNCOVERED = """
() => {
  const focused = document.activeElement.closest("label");
  const { left, width, bottom } = focused.getBoundingClientRect();
  return focused.contains(document.elementFromPoint(left + width / 2, bottom - 4));
}
"""
# WCAG 2.2, 1.4.3: contrast of text and ground, as the browser itself paints them.
CONTRASTS = """
(pairs) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => {
    canvas.fillStyle = style.getPropertyValue(name) || name;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map((pair) => {
    const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  });
}
"""
# A switch's outline and its card, its knob and its ground; off, then on.
SWITCH = """
() => {
  const card = document.createElement("form");
  card.className = "card";
  const ground = (...of) => getComputedStyle(...of).backgroundColor;
  return [false, true].flatMap((checked) => {
    const label = document.createElement("label");
    label.className = "switch";
    const input = document.createElement("input");
    Object.assign(input, { type: "checkbox", checked });
    label.append(input);
    card.append(label);
    document.body.append(card);
    const { borderTopWidth, borderTopColor } = getComputedStyle(input);
    const outline = parseFloat(borderTopWidth) ? borderTopColor : ground(input);
    return [[outline, ground(card)], [ground(input, "::after"), ground(input)]];
  });
}
"""


async def test_the_keyboard_does_it_all(page_for: PageFor) -> None:
    """
    Sheets take the focus and give it back, and cover nothing that has it; the skip link
    comes first, a new view's heading has the focus, and the microphone is a button that
    says if it is pressed.
    """
    page = await page_for("ugo", SPEECH, on_feed=False)
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip-link")).to_be_focused()

    await page.get_by_test_id("start-space").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("start-title")).to_be_focused()
    width, height = browser.PHONE
    await page.set_viewport_size({"width": width, "height": height // 2})
    await page.keyboard.press("Tab")
    await page.wait_for_function(UNCOVERED)  # once the sheet has come up
    await page.set_viewport_size({"width": width, "height": height})
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("start-space")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("By keyboard alone")
    await page.keyboard.press("Enter")
    await browser.expect_live(page)
    await expect(page.get_by_role("heading", level=1)).to_be_focused()

    mic = page.get_by_test_id("mic")
    await mic.focus()
    await page.keyboard.press("Space")
    await expect(mic).to_have_attribute("data-on", "true")
    await expect(page.locator("#announcer")).to_contain_text("Your microphone is on.")


async def test_everything_has_a_name(page_for: PageFor) -> None:
    """
    No control of a page, a sheet or the room is nameless to a screen reader.
    """
    page = await page_for("vera", SPEECH, on_feed=False)
    nameless = []
    for path, shown in (("/inbox", "inbox-empty"), ("/me", "profile-save")):
        await page.goto(path)
        await expect(page.get_by_test_id(shown)).to_be_visible()
        nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.goto("/")
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.get_by_test_id("start-space").click()
    await page.get_by_test_id("timing-later").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.keyboard.press("Escape")
    await browser.start_space(page, "Names")
    await page.get_by_test_id("react").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.get_by_test_id("more").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("people").click()
    await expect(page.get_by_test_id("person")).to_have_count(1)
    nameless += await page.evaluate(NAMELESS_BUTTONS)

    assert nameless == []


async def test_text_stands_out(page: Page) -> None:
    """
    Text has a contrast of at least 4.5 to what it stands on, dark and light (WCAG AA).
    """
    pairs = [
        *(("--ink", f"--{ground}") for ground in ("bg", "surface", "surface-2")),
        *(("--ink-2", f"--{ground}") for ground in ("bg", "surface", "surface-2")),
        ("--on-accent", "--accent"),
        ("--on-accent", "--accent-hover"),
        ("--accent", "--accent-soft"),
        ("--ink-2", "--accent-soft"),
        ("--accent", "--surface"),
        ("--danger", "--danger-soft"),
        ("--danger", "--surface"),
    ]

    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(CONTRASTS, pairs)
    await page.emulate_media(color_scheme="light")
    light = await page.evaluate(CONTRASTS, pairs)

    too_low = {
        (scheme, pair): round(ratio, 2)
        for scheme, ratios in (("dark", dark), ("light", light))
        for pair, ratio in zip(pairs, ratios, strict=True)
        if ratio < 4.5
    }
    assert too_low == {}


@pytest.mark.parametrize("forced", ["none", "active"])
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_a_switch_stands_out(page: Page, scheme: Scheme, forced: Forced) -> None:
    """
    On or off, it has a contrast of at least 3 to its card, and its knob to it
    (WCAG 2.2, 1.4.11), in the reader's own colours too.
    """
    for name in ("feed", "pages"):
        await page.add_style_tag(url=f"/styles/{name}.css")
    await page.emulate_media(color_scheme=scheme, forced_colors=forced)

    ratios = await page.evaluate(CONTRASTS, await page.evaluate(SWITCH))

    assert len(ratios) == 4
    assert min(ratios) >= 3, ratios
