"""One person in one browser: signs in, types, chooses, says what is to be seen. Waits for states, never for times."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import ConsoleMessage, Page, expect

EXPECTED = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED", "status of 4", "WebSocket connection")


class Hand:
    """`wrong` gathers what the browser's console calls an error, but lost connections and refusals."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.address = ""
        self.wrong: list[str] = []
        page.set_default_timeout(15_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"{error}\n{error.stack}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(each in message.text for each in EXPECTED):
            self.wrong.append(f"{message.text} ({message.location})")

    def go(self, mode: str = "read") -> Hand:
        """The section in a mode, with its editor there and everything saved."""
        self.page.goto(f"{self.address}?mode={mode}")
        self.page.wait_for_selector(".cm-content")
        self.settled()
        return self

    # ── the text ──

    def text(self) -> str:
        return str(self.page.evaluate("workspace.view.state.doc.toString()"))

    def put_caret(self, words: str, offset: int | None = None) -> Hand:
        """The caret after these words of the text, or `offset` code units into them."""
        self.reads(words)
        self.page.evaluate(
            """([words, offset]) => {
                const { view } = workspace;
                const at = view.state.doc.toString().indexOf(words);
                view.dispatch({ selection: { anchor: at + (offset ?? words.length) }, scrollIntoView: true });
                view.focus();
            }""",
            [words, offset],
        )
        return self

    def select(self, words: str) -> Hand:
        self.reads(words)
        self.page.evaluate(
            """words => {
                const { view } = workspace;
                const at = view.state.doc.toString().indexOf(words);
                view.dispatch({ selection: { anchor: at, head: at + words.length }, scrollIntoView: true });
                view.focus();
            }""",
            words,
        )
        return self

    def type(self, words: str, delay: float = 5) -> Hand:
        self.page.keyboard.type(words, delay=delay)
        return self

    def press(self, key: str) -> Hand:
        self.page.keyboard.press(key)
        return self

    # ── waiting ──

    def until(self, claim: str, value: Any = None, says: str = "") -> Hand:
        """Waits until a JavaScript expression over `value` is true."""
        try:
            self.page.wait_for_function(
                f"value => {{ {claim} }}" if "return" in claim else f"value => {claim}", arg=value
            )
        except Exception as error:
            raise AssertionError(f"{says or claim} ({value!r})\n{self.text()}") from error
        return self

    def reads(self, words: str) -> Hand:
        return self.until("workspace.view.state.doc.toString().includes(value)", words, "the text should read")

    def no_longer_reads(self, words: str) -> Hand:
        return self.until("!workspace.view.state.doc.toString().includes(value)", words, "the text should not read")

    def settled(self) -> Hand:
        """Connected and everything saved."""
        return self.until("document.querySelector('.statusline').dataset.state === 'saved'", says="everything saved")

    def goes_offline(self) -> Hand:
        """Cut off from the network, and the page says so."""
        self.page.context.set_offline(True)
        return self.until("document.querySelector('.statusline').dataset.state === 'offline'", says="said to be offline")

    def sees(self, words: str) -> Hand:
        """Somewhere on the page, also in widgets."""
        expect(self.page.get_by_text(words).first).to_be_visible()
        return self

    # ── proposals and cards ──

    def propose(self, old: str, new: str) -> int:
        """Types a replacement in Suggest mode; the number of the draft."""
        self.select(old).type(new)
        self.until("workspace.draft && workspace.branch")
        self.settled()
        return int(self.page.evaluate("workspace.draft.number"))

    def suggest(self, old: str, new: str, reason: str) -> int:
        """Types a replacement in Suggest mode and files it; its number."""
        number = self.propose(old, new)
        self.file(reason)
        return number

    def file(self, reason: str) -> Hand:
        self.page.click("[data-file]")
        self.page.fill("#file-reason", reason)
        self.page.click("#file-suggestion .btn--main")
        expect(self.page.locator("#file-suggestion")).to_be_hidden()
        return self

    def card(self, number: int) -> Any:
        return self.page.locator(f'.card[data-number="{number}"][id^="s-"]')

    def choose(self, number: int) -> Any:
        card = self.card(number)
        expect(card).to_be_visible()
        card.locator(".card__head").click()
        return card

    def accept(self, number: int, reason: str = "") -> Any:
        """Accepts a suggestion on its card; the card."""
        card = self.choose(number)
        if reason:
            card.locator("textarea[name=reason]").fill(reason)
        card.locator("[data-verdict=accepted]").first.click()
        return card

    def desk(self) -> Hand:
        """The review desk of the programme."""
        self.page.goto(f"{self.address.rpartition('/s/')[0]}/review")
        return self

    # ── remarks ──

    def begin_remark(self, words: str, says: str) -> Hand:
        """A remark on these words of the text, written and not sent."""
        self.select(words)
        self.page.click(".remark")
        self.page.fill("#new-remark-t", says)
        return self

    def send_remark(self) -> Hand:
        self.page.click("#new-remark .btn--main")
        return self

    def remark(self, words: str, says: str) -> Hand:
        return self.begin_remark(words, says).send_remark()
