"""Every word a reader sees can be translated, and is."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import read_po

from drafting.config import ROOT
from drafting.web import language

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = sorted((ROOT / "drafting" / "web" / "pages").glob("*.py"))
SAID = {"aria-label", "title", "placeholder", "alt", "data-asks", "data-words", "summary"}
# Names, numbers and signs that are the same in every language.
SAME = re.compile(
    r"(?:https://|Drafting|U-|WCAG 2\.2|Markdown|Word|Ctrl(?:\+\w+)*|PDF|XLSX|CSV|DOCX|HTML|[A-Z?](?=$)|[\W\d_]+)+"
)


class Words(HTMLParser):
    """The text and the spoken attributes of a template whose Jinja was taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        self.found += [value for name, value in attrs if name in SAID and value]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def literal_words(template: str) -> list[str]:
    """Texts of a template that stand outside of `_()`."""
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template, flags=re.DOTALL)
    reader = Words()
    reader.feed(plain)
    return [
        " ".join(each.split())
        for each in reader.found
        if re.search(r"[^\W\d_]{2,}", each)
        and not SAME.fullmatch("".join(each.split()))
        and not re.match(r"\s*[/?&]\S*\s*$", each)  # part of an address
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_word_of_a_template_is_translatable(path):
    assert literal_words(path.read_text(encoding="utf-8")) == []


def test_the_finder_of_words_finds_them():
    assert literal_words('<p title="Say">{{ _("x") }} Hello</p>') == ["Say", "Hello"]
    assert literal_words('<p>U-{{ n }} · {{ _("x") }}</p>') == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_what_pages_say_is_translatable(path):
    """Flashed words, words at a field and words of a redirect come through gettext."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
            "flash", "go", "back", "needs", "choice",
        ):  # fmt: skip
            positional = node.args[1:] if getattr(node.func, "attr", "") in ("go", "back", "needs") else node.args[:1]
            bare += [
                arg.value
                for arg in positional
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and " " in arg.value
            ]
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Subscript) and getattr(target.value, "attr", "") == "errors"
            for target in node.targets
        ):
            bare += (
                [node.value.value] if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else []
            )
    assert bare == []


def catalogue():
    with (language.FOLDER / "pl" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="pl")


def test_polish_has_every_string_and_no_other():
    polish = catalogue()
    wanted = {message.id for message in language.source_strings() if message.id}
    assert sorted(map(str, wanted - {message.id for message in polish})) == []
    assert sorted(map(str, {message.id for message in polish if message.id} - wanted)) == []
    assert language.missing(polish) == []


def test_polish_fills_the_same_blanks():
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", text))

    for message in catalogue():
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings:
            assert blanks(string) == blanks(ids[-1]), message.id


def test_polish_has_three_forms_of_number():
    plural = [message for message in catalogue() if isinstance(message.id, tuple)]
    assert plural
    assert all(len(message.string) == 3 for message in plural)
    assert catalogue().plural_expr.count("?") == 2


def test_no_string_is_set_outside_the_words_of_the_script():
    """The script speaks only words that a template gave it: no letters in the texts it writes into the page."""
    spoken = re.compile(
        r"""(?:textContent|innerText|ariaLabel|title|placeholder)\s*=\s*["'`]([^"'`$]*[^\W\d_]{3,}[^"'`]*)["'`]"""
    )
    found = {
        str(path.name): spoken.findall(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "static" / "src").glob("*.ts"))
    }
    assert {name: words for name, words in found.items() if words} == {}


SENTENCE = re.compile(r"[A-ZĄĆĘŁŃÓŚŹŻ][a-ząćęłńóśźż]+,?( [\w“”’'-]+,?)+[.!?…]?")
# the API describes itself to programmers, in English
MODULES = [path for path in sorted((ROOT / "drafting" / "web").glob("*.py")) if path.name != "api.py"]
SAYING = {"_", "_l", "gettext", "ngettext", "lazy_gettext", "pgettext"}


def sentences_of_script(source: str) -> list[str]:
    """Literals of a script that read like words to people: they begin with a capital and have a second word."""
    plain = re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.DOTALL)
    literals = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', plain)
    return [said for pair in literals for said in pair if SENTENCE.fullmatch(re.sub(r"\$\{[^}]*\}", "0", said))]


def sentences_of_module(source: str) -> list[str]:
    """Literals of a module of pages that read like words to people and are not given to gettext.

    What exceptions say is for logs: the reader gets the words of their code. Docstrings are for us.
    """
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        called = getattr(node, "func", None)
        name = getattr(called, "id", getattr(called, "attr", ""))
        if name in SAYING or name[:1].isupper() or isinstance(node, ast.Raise):
            silent.update(id(each) for each in ast.walk(node))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in silent
        and SENTENCE.fullmatch(node.value)
        and node.value != "Drafting document"  # the name of a property in Word files, read again by us
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "src").glob("*.ts")), ids=lambda path: path.name)
def test_a_script_holds_no_sentence(path):
    assert sentences_of_script(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [*PAGES, *MODULES], ids=lambda path: path.name)
def test_a_module_of_pages_holds_no_sentence(path):
    assert sentences_of_module(path.read_text(encoding="utf-8")) == []


def test_the_finders_of_sentences_find_them():
    script = 'const a = "Not saved yet."; const b = `Draft ${n} is here`; const c = "btn btn--main"; // A word'
    assert sentences_of_script(script) == ["Not saved yet.", "Draft ${n} is here"]
    module = 'def f():\n    """Says it."""\n    say("Not saved yet.")\n    say(_("Saved now."))\n    raise Wrong("It is wrong.")'
    assert sentences_of_module(module) == ["Not saved yet."]
