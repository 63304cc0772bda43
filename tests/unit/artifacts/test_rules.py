from __future__ import annotations

import pytest

from casvault.artifacts.rules import DEFAULTS, Rule, Rules, parse_rules
from casvault.errors import UsageError
from casvault.merge.drivers.registry import BUILT_IN, DEFAULT_DRIVERS, Binding, DriverName
from casvault.worktree.node import Role

PROMPTS = b'[[rules]]\npath = "prompts/**/*.txt"\nkind = "prompt"\nsuffix = ".txt"\n'


def kind_of(rule: Rule, path: bytes) -> str | None:
    found = Rules([rule]).find(path)
    return None if found is None else found.kind


@pytest.mark.parametrize(
    ("path", "kind", "short"),
    [
        (b"skills/pdf", "skill", b"skill/pdf"),
        (b"skills/pdf.md", "skill", b"skill/pdf.md"),
        (b"commands/review.md", "command", b"command/review"),
        (b"commands/analyze/symbols.md", "command", b"command/analyze/symbols"),
        (b"commands/a/b/c.md", "command", b"command/a/b/c"),
        (b"agents/x.md", "agent", b"agent/x"),
        (b"hooks/pre.sh", "hook", b"hook/pre.sh"),
        (b"mcp/server.json", "mcp", b"mcp/server.json"),
        (b"workflows/w", "workflow", b"workflow/w"),
        (b"composites/c", "composite", b"composite/c"),
        (b"plugins/p", "plugin", b"plugin/p"),
        (b"models/tiny", "model", b"model/tiny"),
        (b"data/set one", "data", b"data/set one"),
        (b"s/x", "s", b"s/x"),
        (b"skills/\xff", "skill", b"skill/\xff"),
    ],
)
def test_rules_default_artifact(path: bytes, kind: str, short: bytes) -> None:
    rules = Rules()
    assert (rules.kind(path), rules.short_name(path)) == (kind, short)


@pytest.mark.parametrize(
    "path", [b"README.md", b"commands/notes.txt", b"commands/a/notes.txt", b"skills", b"skills/pdf/SKILL.md", b"a/b/c"]
)
def test_rules_default_no_artifact(path: bytes) -> None:
    rules = Rules()
    assert (rules.find(path), rules.kind(path), rules.short_name(path)) == (None, "file", path)


@pytest.mark.parametrize(
    ("path", "is_directory", "role"),
    [
        (b"skills/pdf", True, Role.UNIT),
        (b"skills/pdf", False, Role.UNIT),
        (b"skills", True, Role.DESCEND),
        (b"commands/analyze", True, Role.DESCEND),
        (b"commands/notes.txt", False, Role.PLAIN),
    ],
)
def test_classify_default(path: bytes, is_directory: bool, role: Role) -> None:
    assert Rules().classify(path, is_directory) == role


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("p/*", b"p/a", True),
        ("p/*", b"p/a/b", False),
        ("p/*", b"p/a\nb", True),
        ("p/*.txt", b"p/.txt", True),
        ("p/*.txt", b"p/atxt", False),
        ("p/a.b", b"p/axb", False),
        ("p/a*b*c", b"p/a1b2c", True),
        ("p/a*b*c/x*y*z", b"p/abc/xyz", True),
        ("p/**/x", b"p/x", True),
        ("p/**/x", b"p/a/b/x", True),
        ("p/**/x", b"p/ax", False),
        ("p/**/q/*.md", b"p/a/q/b.md", True),
        ("p/[ab]c", b"p/bc", True),
        ("p/[ab]c", b"p/dc", False),
        ("p/a?c", b"p/abc", True),
        ("p/a+(b)", b"p/a+(b)", True),
        ("p/é*", "p/éa".encode(), True),
    ],
)
def test_pattern(pattern: str, path: bytes, matches: bool) -> None:
    assert kind_of(Rule(pattern, "k"), path) == ("k" if matches else None)


def test_pattern_question_mark_stays_within_a_name() -> None:
    """skills/a?b made the file skills/a/b an artifact."""
    assert kind_of(Rule("p/a?b", "k"), b"p/a/b") is None


def test_pattern_negated_class_stays_within_a_name() -> None:
    assert kind_of(Rule("p/a[!x]b", "k"), b"p/a/b") is None


def test_pattern_question_mark_stands_for_one_character() -> None:
    assert kind_of(Rule("p/?", "k"), "p/é".encode()) == "k"


def test_pattern_class_with_dot_and_star() -> None:
    assert kind_of(Rule("p/[.*]x", "k"), b"p/*x") == "k"


def test_parse_rules_pattern_that_can_never_match() -> None:
    """A rule prompts/** was accepted, and everything below prompts/ stayed a plain file."""
    with pytest.raises(UsageError, match="end with the pattern of a name"):
        parse_rules(b'[[rules]]\npath = "prompts/**"\nkind = "prompt"\n', "casvault.toml")


def test_parse_rules_before_the_defaults() -> None:
    rules = parse_rules(b'[[rules]]\npath = "skills/x*"\nkind = "xskill"\n', "casvault.toml")
    assert [rules.kind(path) for path in (b"skills/xy", b"skills/pdf")] == ["xskill", "skill"]


def test_parse_rules_suffix_is_dropped_in_short_names() -> None:
    rules = parse_rules(PROMPTS, "casvault.toml")
    assert rules.short_name(b"prompts/a/b.txt") == b"prompt/a/b"


def test_parse_rules_home_of_a_rule_is_closed_to_the_catch_all() -> None:
    rules = parse_rules(PROMPTS, "casvault.toml")
    assert [rules.kind(path) for path in (b"prompts/a.pdf", b"models/a.pdf")] == ["file", "model"]


def test_parse_rules_without_defaults() -> None:
    rules = parse_rules(b"defaults = false\n" + PROMPTS, "casvault.toml")
    found = [rules.kind(path) for path in (b"commands/a/b.md", b"prompts/x.txt")]
    assert found == ["file", "prompt"]


def test_parse_rules_empty_file_is_the_defaults() -> None:
    rules = parse_rules(b"", "casvault.toml")
    paths = [rule.path.replace("**/", "").replace("*", "x").encode() for rule in DEFAULTS]
    assert [rules.kind(path) for path in paths] == [rule.kind for rule in DEFAULTS]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"rules = [", "not TOML"),
        (b"\xff", "not TOML"),
        (b"a = " + b"[" * 100_000, "not TOML"),
        (b"rules = 5", "not a list of tables"),
        (b'rules = ["skills/*"]', "has `path`, `kind`"),
        (b'[[rules]]\npath = "a/*"\n', "has `path`, `kind`"),
        (b'[[rules]]\npath = "a/*"\nkind = "a"\nother = 1\n', "has `path`, `kind`"),
        (b'[[rules]]\npath = 1\nkind = "a"\n', "are strings"),
        (b'[[rules]]\npath = "a/*"\nkind = "a"\nsuffix = 1\n', "are strings"),
        (b'[[rules]]\npath = "a"\nkind = "a"\n', "plain name and a slash"),
        (b'[[rules]]\npath = "/a"\nkind = "a"\n', "plain name and a slash"),
        (b'[[rules]]\npath = "a/"\nkind = "a"\n', "plain name and a slash"),
        (b'[[rules]]\npath = "a//b"\nkind = "a"\n', "plain name and a slash"),
        (b'[[rules]]\npath = "*/b"\nkind = "a"\n', "plain name and a slash"),
        (b'[[rules]]\npath = "a/*"\nkind = ""\n', "must be a word"),
        (b'[[rules]]\npath = "a/*"\nkind = "a/b"\n', "must be a word"),
        (b'[[rules]]\npath = "a/*"\nkind = " "\n', "must be a word"),
        (b'[[rules]]\npath = "a/*"\nkind = "a\\n"\n', "must be a word"),
        (b'[[rules]]\npath = "a/../*"\nkind = "a"\n', r"no part be \. or \.\."),
        (b'[[rules]]\npath = "a/*"\nkind = "a"\nsuffix = "/x"\n', "without a slash"),
    ],
)
def test_parse_rules_malformed(text: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_rules(text, "lib/casvault.toml")
    assert caught.value.place == "lib/casvault.toml"


@pytest.mark.parametrize("first", ["pro?pts", "[ab]"])
def test_parse_rules_wildcard_in_the_first_name(first: str) -> None:
    with pytest.raises(UsageError, match="plain name"):
        parse_rules(f'[[rules]]\npath = "{first}/*"\nkind = "a"\n'.encode(), "casvault.toml")


@pytest.mark.parametrize("text", [b'[[rule]]\npath = "a/*"\nkind = "a"\n', b"default = false\n"])
def test_parse_rules_unknown_key(text: bytes) -> None:
    """[[rule]] for [[rules]]: every rule of the file was ignored without a word."""
    with pytest.raises(UsageError, match=r"unknown: (rule|default)"):
        parse_rules(text, "casvault.toml")


def test_parse_rules_defaults_that_are_no_boolean() -> None:
    with pytest.raises(UsageError, match="neither true nor false"):
        parse_rules(b'defaults = "no"\n', "casvault.toml")


@pytest.mark.parametrize(
    ("name", "like", "path"),
    [
        (b"x", b"skills/pdf", b"skills/x"),
        (b"x", b"commands/a/b.md", b"commands/a/x.md"),
        (b"x.md", b"commands/a/b.md", b"commands/a/x.md"),
        (b"skill/x", b"commands/b.md", b"skills/x"),
        (b"command/a/x", b"skills/pdf", b"commands/a/x.md"),
        (b"command/x.md", b"skills/pdf", b"commands/x.md"),
        (b"skills/x", b"commands/b.md", b"skills/x"),
        (b"model/x", b"models/y", b"models/x"),
        (b"model/x", b"skills/y", b"model/x"),
        (b"prompt/a/x", b"skills/y", b"prompts/a/x.txt"),
        (b"mcp/x", b"skills/y", b"mcp/x"),
        (b"skill/a/b", b"skills/y", b"skill/a/b"),
    ],
)
def test_expand_new_name(name: bytes, like: bytes, path: bytes) -> None:
    assert parse_rules(PROMPTS, "casvault.toml").expand(name, like) == path


@pytest.mark.parametrize("path", [b"skills/pdf", b"commands/a/b.md", b"prompts/x/y.txt", b"models/tiny"])
def test_expand_is_the_inverse_of_short_name(path: bytes) -> None:
    rules = parse_rules(PROMPTS, "casvault.toml")
    assert rules.expand(rules.short_name(path), path) == path


@pytest.mark.parametrize("path", [b"skills/pdf", b"commands/a/b.md", b"prompts/x/y.txt", b"models/tiny"])
def test_a_short_name_leads_to_its_path(path: bytes) -> None:
    rules = parse_rules(PROMPTS, "casvault.toml")
    assert path in rules.paths_of(rules.short_name(path))


@pytest.mark.parametrize(
    ("path", "admitted"),
    [
        (b"skills/pdf", True),
        (b"skills/pdf/x", False),
        (b"commands/a.md/b.md", False),
        (b"commands/a", False),
        (b"skills", False),
        (b"", False),
    ],
)
def test_admits_paths_that_can_be_artifacts(path: bytes, admitted: bool) -> None:
    assert Rules().admits(path) == admitted


def test_merge_rules_come_before_the_built_in_choice() -> None:
    text = b'[[merge]]\npath = "*.json"\ndriver = "text"\n[[merge]]\npath = "skills/**/log"\ndriver = "union"\n'
    drivers = parse_rules(text, "here").drivers
    assert drivers.bindings == (
        Binding("*.json", DriverName.TEXT),
        Binding("skills/**/log", DriverName.UNION),
        *BUILT_IN,
    )
    assert parse_rules(b"", "here").drivers is DEFAULT_DRIVERS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("merge = 1", "not a list"),
        ("merge = [1]", "has `path` and `driver`"),
        ('[[merge]]\npath = "x"', "has `path` and `driver`"),
        ('[[merge]]\npath = "x"\ndriver = "text"\nmore = 1', "has `path` and `driver`"),
        ('[[merge]]\npath = 1\ndriver = "text"', "strings"),
        ('[[merge]]\npath = "x"\ndriver = "magic"', "no merge driver is called 'magic'"),
        ('[[merge]]\npath = ""\ndriver = "text"', "must be a name"),
        ('[[merge]]\npath = "/x"\ndriver = "text"', "must be a name"),
        ('[[merge]]\npath = "../x"\ndriver = "text"', "must be a name"),
        ('[[merge]]\npath = "x/**"\ndriver = "text"', "must end with the pattern of a name"),
    ],
)
def test_merge_rules_that_say_nothing(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_rules(text.encode(), "here")
