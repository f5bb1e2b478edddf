"""Text from outside in a line of markdown."""

import pytest

from harness.report.markdown import code, escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pump by waking, 3.18× at C=500", "Pump by waking, 3.18× at C=500"),
        ("a|b `c` <d> [e](f) *g* \\h", r"a\|b \`c\` \<d\> \[e\](f) \*g\* \\h"),
        ("snake_case and __init__ and _x", r"snake_case and \_\_init\_\_ and \_x"),
        ("~16,000 and ~~struck~~", r"~16,000 and \~\~struck\~\~"),
        ("at ~16,000 &lt;b&gt; a & b", r"at ~16,000 \&lt;b\&gt; a & b"),
        ("# heading", r"\# heading"),
        ("1. item", r"1\. item"),
        ("1.5 s", "1.5 s"),
        ("  - item\nnext", r"\- item next"),
        ("ask @somebody, (@org/team)", "ask `@somebody`, (`@org/team`)"),
        ("fixes #12, GH-3, owner/name#4", "fixes `#12`, `GH-3`, `owner/name#4`"),
        (
            "see https://example.org/a?b=c or www.x.org",
            "see `https://example.org/a?b=c` or `www.x.org`",
        ),
        ("mail me@example.org", "mail `me@example.org`"),
        ("@a#1", "`@a#1`"),
        ("`@a`", "\\``@a`\\`"),
        ("5 @ 3 # 4", "5 @ 3 # 4"),
    ],
)
def test_escape_leaves_words_alone(text: str, shown: str) -> None:
    """Markup is escaped, links become code, and other text stays unchanged."""
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"), [("epoll_wait", "`epoll_wait`"), ("a`b|c\n", "`a?b?c`"), ("", "`?`")]
)
def test_code_holds_any_name(name: str, shown: str) -> None:
    """A name cannot end its code span."""
    assert code(name) == shown
