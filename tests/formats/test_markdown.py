"""Markdown: safe, faithful to its source lines, and marked without ever being broken."""

from __future__ import annotations

import os
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from drafting.engine.text import to_units
from drafting.errors import PositionError, TooLarge
from drafting.formats.markdown import Mark, blocks, outline, plain_text, render, render_marked, words

CASES = 3000 if os.environ.get("DRAFTING_PLAY") == "full" else 250
VOID = {"br", "hr", "img", "input"}

RICH = """# Cel **główny**

Rada w Mieście na podstawie art. 5a ust. 2 pkt 3 **ustawy** o [pożytku](https://x.pl "t") i <b>html</b> `a|b`.
Druga *linia 🌳 drzew* &amp; koniec \\* gwiazdki

## § 4. Zasady

1. Pierwszy *ważny*;
2. Drugi 🌳 drzewa[^1]:
   - pod **punkt**
   - [ ] zadanie
1) a
2) b
a) lit
> cytat
> > głębszy ~~skreślony~~

| a | b\\|c |
|---|:-:|
| 1 | 🌳 x |
| **dwa** | a |

[^1]: Przypis **tu**.

```py
kod <x>
```

    wcięty kod

http://example.org/a oraz ![obraz](x.png) i przypis^[wewnątrz *tekstu*] tu

Nagłówek
===
"""


class WellFormed(HTMLParser):
    """Complains when tags do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("ins", "del", "span", "mark") or self.stack, f"{tag} outside every block"
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack}"
        self.stack.pop()


def assert_well_formed(html: str) -> None:
    reader = WellFormed()
    reader.feed(html)
    reader.close()
    assert reader.stack == []


def without_marks(html: str) -> str:
    return re.sub(r"</?(?:ins|span|mark)\b[^>]*>", "", html)


def test_blocks_say_their_source_lines():
    html = render("# A\n\nb\nc\n\n- d\n- e\n")
    assert '<h1 data-l="0-1" id="h-a">A</h1>' in html
    assert '<p data-l="2-4">b\nc</p>' in html
    assert '<li data-l="6-7">e</li>' in html


def test_raw_html_and_foreign_schemes_stay_text():
    for hostile in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](blob:https://a/b)",
        "[x](vbscript:x)",
        "![x](data:image/svg+xml;base64,AAAA)",
        "<javascript:alert(1)>",
        '[x](https://a" onmouseover="alert(1))',
        '[x](https://a "t\\" onmouseover=alert(1)")',
        "# <svg onload=alert(1)>",
        '```"onload=alert(1)\n</code><script>x</script>\n```',
        "| <b onclick=x> |\n|---|\n",
        "[^1]\n\n[^1]: <script>x</script>",
    ):
        for html in (render(hostile), render_marked(hostile, [Mark(0, 3, "ins"), Mark(1, 1, "del", (), hostile)])):
            assert_well_formed(html)
            tags = re.findall(r"<(?!/)[^>]*>", html)
            for tag in tags:
                bare = re.sub(r'"[^"]*"', '""', tag)
                assert not re.match(r"<(?:script|svg|b|iframe)\b", bare), html
                assert " on" not in bare, html
                for address in re.findall(r'(?:href|src)="([^"]*)"', tag):
                    assert re.match(r"https?:|mailto:|#|[^:]*\Z", address), html


def test_links_that_are_allowed_work():
    html = render("[a](https://a.pl/b?c=d) [b](mailto:x@y.pl) [c](#h-x) [d](/d/x) [e](e.md) <https://f.pl>")
    for address in ("https://a.pl/b?c=d", "mailto:x@y.pl", "#h-x", "/d/x", "e.md", "https://f.pl"):
        assert f'href="{address}"' in html


def test_polish_references_do_not_break_across_lines():
    html = render("W § 4 ust. 2 pkt 3 i art. 5 z **a** b")
    assert "W&nbsp;§&nbsp;4 ust.&nbsp;2 pkt&nbsp;3 i&nbsp;art.&nbsp;5 z&nbsp;<strong>" in html


def test_points_with_a_parenthesis_keep_it_and_letters_stand_on_lines_of_their_own():
    html = render("1) jeden\n2) dwa:\na) litera\n– tiret")
    assert 'class="parenthesised"' in html
    assert html.count("<br>") == 2


def test_ids_carry_the_prefix_and_stay_unique():
    html = render("# A\n# A\n\n[^1]\n\n[^1]: x", "s7")
    assert 'id="h-s7-a"' in html and 'id="h-s7-a-2"' in html and 'id="fn-s7-1"' in html


def test_outline_counts_positions_in_units():
    text = "🌳🌳\n\n# Pierwszy *ważny*\n\ntekst\n\n## Drugi\n\n# Trzeci"
    first, second, third = outline(text)
    units = to_units(text)
    assert (first.level, first.title, units[first.start :][:3]) == (1, "Pierwszy ważny", "# P")
    assert units[second.start : second.end] == "## Drugi\n\n"
    assert first.end == third.start


def test_blocks_are_the_leaves():
    units = to_units("# 🌳\n\n- a\n- b\n  c\n\n| x |\n|---|\n| y |\n")
    shown = [(b.kind, units[b.start : b.end]) for b in blocks("# 🌳\n\n- a\n- b\n  c\n\n| x |\n|---|\n| y |\n")]
    assert [s for _, s in shown] == [to_units("# 🌳"), "- a", "- b\n  c", "| x |", "| y |"]


def test_too_much_is_refused_with_the_limit():
    with pytest.raises(TooLarge):
        render("a" * 1_000_001)
    wide = "|" + "a|" * 5000 + "\n|" + "-|" * 5000 + "\n"
    assert "<table" not in render(wide)


def test_a_mark_outside_the_text_is_refused():
    with pytest.raises(PositionError):
        render_marked("abc", [Mark(2, 4, "ins")])
    with pytest.raises(PositionError):
        render_marked("abc", [Mark(0, 1, "script")])
    with pytest.raises(PositionError):
        render_marked("abc", [Mark(0, 1, "ins", (("onclick", "x"),))])


def test_marks_cross_bold_and_links_without_breaking_them():
    text = "ala **ma [kota](x) tu** dziś"
    html = render_marked(text, [Mark(2, 12, "ins", (("data-s", "1"),))])
    assert '<ins data-s="1">a </ins><strong><ins data-s="1">ma </ins><a' in html
    assert '<ins data-s="1">ko</ins>ta</a>' in html


def test_a_deleted_list_item_stands_as_an_item_and_a_deleted_word_in_its_line():
    text = "1. a\n2. b c\n"
    html = render_marked(text, [Mark(5, 5, "del", (), "2. była\n"), Mark(10, 10, "del", (), " słowo")])
    assert '<li data-l="1-2"><del>była</del></li>' in html
    assert "b <del> słowo</del>c" in html or "b<del> słowo</del> c" in html


def test_a_deleted_number_at_the_start_of_a_line_is_shown_and_not_taken_for_a_list():
    assert "<del>2027.</del>" in render_marked("x", [Mark(1, 1, "del", (), "2027.")])


def test_pieces_of_an_empty_text_are_shown():
    assert "<del>wszystko</del>" in render_marked("", [Mark(0, 0, "del", (), "wszystko")])


def random_marks(rng: random.Random, units: str) -> list[Mark]:
    marks = []
    for k in range(rng.randint(1, 12)):
        start = rng.randint(0, len(units))
        if rng.random() < 0.3:
            piece = "".join(
                rng.choice(["a", " ", "\n", "**", "- ", "1. ", "🌳", "<b>", "|", "`", "\n\n", "# "])
                for _ in range(rng.randint(1, 6))
            )
            marks.append(Mark(start, start, "del", (("data-k", str(k)),), piece))
        else:
            end = min(len(units), start + rng.choice([0, 1, 2, 5, 30, 300]))
            marks.append(Mark(start, end, rng.choice(["ins", "span", "mark"]), (("data-k", f'"{k}>'),)))
    return marks


def test_marked_html_is_well_formed_and_reads_as_the_plain_rendering():
    atoms = [
        "a",
        "🌳 ",
        "*",
        "**",
        "[x](y)",
        "`",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "# ",
        "> ",
        "|",
        "\\",
        "&amp;",
        "~~",
        " ",
        "w ",
        "[^1]",
        "[^1]: n\n",
        "---\n",
        "    ",
        "| a | b |\n|---|---|\n| c \\| d | e |\n",
    ]
    for seed in range(CASES):
        rng = random.Random(seed)
        text = RICH if seed % 5 == 0 else "".join(rng.choice(atoms) for _ in range(rng.randint(1, 25)))
        units = to_units(text)
        marks = random_marks(rng, units)
        plain = render(text)
        html = render_marked(text, marks)
        case = f"seed {seed}: {text!r} {marks}"
        assert_well_formed(html)
        assert words(html) == words(plain), case
        if not any(m.text for m in marks):
            assert without_marks(html) == plain, case


def test_every_character_of_a_plain_paragraph_is_marked_where_it_stands():
    text = "Ala 🌳 ma *kota* i `psa`.\n\n| a | b\\|c |\n|---|---|\n| a | a |\n\n## a ##\n"
    units = to_units(text)
    for word, place in (
        ("kota", units.index("kota")),
        ("psa", units.index("psa")),
        ("a", units.rindex("## a") + 3),
        ("a", units.rindex("| a |") + 2),
    ):
        html = render_marked(text, [Mark(place, place + len(word), "ins")])
        assert html.count(f"<ins>{word}</ins>") == 1 and html.count("<ins>") == 1
    html = render_marked(text, [Mark(units.rindex("| a |") + 2, units.rindex("| a |") + 3, "ins")])
    assert re.search(r"<td>a</td>\s*<td><ins>a</ins></td>", html)


def test_the_programme_of_the_demo_renders_with_marks():
    folder = Path(__file__).parents[2] / "drafting" / "demo" / "programme"
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        marks = [Mark(i, min(i + 7, len(text)), "span", (("data-source", "1"),)) for i in range(0, len(text) - 7, 11)]
        assert without_marks(render_marked(text, marks)) == render(text)


def test_plain_text_has_no_signs():
    assert plain_text("# **Cel** [główny](x)\n\ni `kod`") == "Cel główny i kod"


def test_schemes_without_an_address_cost_what_their_text_costs():
    """Each was searched for in all of the text before it: this one took minutes."""
    assert render("<http://" * 30_000).count("&lt;http://") == 30_000
    assert render("ą " * 100 + "https://example.org/a, xhttp://b.c").count("<a href=") == 1
