"""What people paste: from Word, from a web page, a hundred kilobytes, words of enormous length."""

from __future__ import annotations

from tests.browser.conftest import Open, Programme
from tests.browser.hands import Hand

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta name=Generator content="Microsoft Word 15">
<style>p.MsoNormal{margin:0}</style></head><body><!--StartFragment-->
<h2>Rozdział <b>drugi</b></h2>
<p class=MsoNormal>Zwykły <b style='mso-bidi-font-weight:normal'>pogrubiony </b>i <i>kursywa</i>,
<a href="https://example.org/a(b)">odnośnik</a>.<o:p></o:p></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='mso-list:Ignore'>1.<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp; </span></span><![endif]>Pierwszy</p>
<p class=MsoListParagraphCxSpLast style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>a)<span>&nbsp;
</span></span>Litera</p>
<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>·<span>&nbsp; </span></span>Kropka</p>
<table><tr><td>Rok</td><td>Kwota</td></tr><tr><td>2027</td><td>5|000</td></tr></table>
<p>Koniec<del>skreślone</del>.</p><script>window.inert=false</script><img src=x onerror="window.inert=false">
<!--EndFragment--></body></html>"""

PAGE = """<b style="font-weight:normal" id="docs-internal-guid-1"><p><span style="font-weight:700">Ważne</span> zdanie</p>
<ul><li><p>jeden</p></li><li>dwa<ol><li>w środku</li></ol></li></ul></b>"""


def paste(hand: Hand, html: str, plain: str) -> None:
    hand.page.evaluate(
        """([html, plain]) => {
            const data = new DataTransfer();
            if (html) data.setData("text/html", html);
            data.setData("text/plain", plain);
            workspace.view.contentDOM.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        [html, plain],
    )


def test_words_from_word_become_markdown(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    team.put_caret("zadaniem ciągłym.")
    paste(team, WORD, "PLAIN")
    team.settled()
    assert team.text().split("zadaniem ciągłym.")[1].strip() == "\n\n".join(
        (
            "## Rozdział drugi",
            "Zwykły **pogrubiony** i *kursywa*, [odnośnik](https://example.org/a%28b%29).",
            "1. Pierwszy",
            "   a) Litera",
            "- Kropka",
            "| Rok | Kwota |\n| --- | --- |\n| 2027 | 5\\|000 |",
            "Koniec.",
        )
    )
    assert team.page.evaluate("window.inert") is None


def test_a_list_from_a_page_becomes_a_list(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    team.put_caret("zadaniem ciągłym.")
    paste(team, PAGE, "PLAIN")
    team.settled().reads("ciągłym.**Ważne** zdanie\n\n- jeden\n\n- dwa\n\n   1. w środku")


def test_plain_words_stay_as_they_are(programme: Programme, open_as: Open) -> None:
    team = open_as(programme, "team", "edit")
    team.put_caret("sąsiedzki")
    paste(team, "<p>tylko <span>słowa</span></p>", " tylko słowa 5 * 3")
    team.reads("sąsiedzki tylko słowa 5 * 3 jest")


def test_a_hundred_kilobytes_are_pasted_and_proposed(programme: Programme, open_as: Open) -> None:
    words = "\n\n".join(f"{n}. Zdanie o drzewach i ławkach w dzielnicach miasta." for n in range(1, 1901))
    assert len(words) > 100_000
    team, ngo = open_as(programme, "team", "edit"), open_as(programme, "ngo", "suggest")
    team.put_caret("zadaniem ciągłym.")
    paste(team, "", "\n\n" + words)
    team.settled()
    ngo.reads("1900. Zdanie o drzewach")
    team.press("Control+z").no_longer_reads("1900. Zdanie").settled()
    ngo.put_caret("zadaniem ciągłym.")
    paste(ngo, "", "\n\n" + words)
    ngo.until("workspace.branch !== null").settled()
    ngo.page.reload()
    ngo.page.wait_for_selector(".cm-content")
    ngo.reads("1900. Zdanie o drzewach")


def test_a_word_without_an_end_keeps_the_page_in_its_width(programme: Programme, open_as: Open) -> None:
    for width in (1280, 390):
        ngo = open_as(programme, "ngo", "suggest", width=width)
        number = ngo.propose("podwórek", "pod" + "wór" * 60)
        ngo.file("Po" + "wód" * 80)
        reader = open_as(programme, None, "read", width=width)
        if width == 1280:
            reader.choose(number)
        overflow = reader.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"scrolls sideways by {overflow} px at {width}"
        wide = reader.page.evaluate(
            "[...document.querySelectorAll('.card *, .cm-line *')].filter(each => each.checkVisibility()"
            " && each.getBoundingClientRect().right > innerWidth + 1)"
            ".map(each => each.outerHTML.slice(0, 90))"
        )
        assert wide == []
