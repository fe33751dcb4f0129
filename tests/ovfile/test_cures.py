"""Common mistakes in TOML: the help shows the correction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.ovfile.parse import parse
from ovmake.ovfile.text.cures import cure, plain_name

MODEL = '[models.m]\nsource = "m.pb"\n'
NAMES = "such a name may have the letters a to z, digits, `.`, `_` and `-`"
ESCAPE = "a backslash begins an escape: write paths with slashes, "
STRAIGHT = "use straight quotes: "
UNIT = "a value with a unit needs quotes: "
EQUALS = "write `=` between a key and its value"


def refused(text: str) -> Diagnostic:
    with pytest.raises(OvmakeError) as caught:
        parse(text)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        # backslashes of Windows
        ('[models.m]\nsource = "models\\digits"\n', ESCAPE + '`"models/digits"`'),
        ('[models.m]\nsource = "C:\\Users\\me\\m.pb"\n', ESCAPE + '`"C:/Users/me/m.pb"`'),
        ('[models.m]\r\nsource = "models\\digits"   # mine\r\n', ESCAPE + '`"models/digits"`'),
        (MODEL + 'kind = "x"\nsignature = ["a", "b\\c"]\n', ESCAPE + '`"b/c"`'),
        # quotes of word processors
        ("[models.m]\nsource = \u201cmodels/digits\u201d\n", STRAIGHT + '`source = "models/digits"`'),
        ("[models.m]\nsource = \u2018models/digits\u2019\n", STRAIGHT + "`source = 'models/digits'`"),
        ('[models.m]\nsource = "models/digits\u201d\n', STRAIGHT + '`source = "models/digits"`'),
        (MODEL + "precisions = [\u201efp32\u201c]\n", STRAIGHT + '`precisions = ["fp32"]`'),
        # no quotes
        (MODEL + "accuracy.max-drop = 1%\n", UNIT + '`"1%"`'),
        (MODEL + "accuracy.max-drop = 0.5 %\n", UNIT + '`"0.5%"`'),
        (MODEL + "accuracy.max-drop = 1\uff05\n", UNIT + '`"1%"`'),
        (MODEL + "accuracy = { max-drop = 1% }\n", UNIT + '`"1%"`'),
        (MODEL + "require.size = 50 MB\n", UNIT + '`"50 MB"`'),
        (MODEL + "require.size = 50MiB\n", UNIT + '`"50 MiB"`'),
        (MODEL + "precisions = [fp32, int8]\n", 'text needs quotes: `"fp32"`'),
        ("[models.m]\nsource = models/digits\n", 'text needs quotes: `"models/digits"`'),
        (MODEL + 'precisions = ["fp32", int8]\n', 'text needs quotes: `"int8"`'),
        ('[models.m]\nsource = "m.pb\n', 'the quote is not closed: `source = "m.pb"`'),
        # words of other programming languages
        (MODEL + "accuracy = False\n", "write `false`"),
        (MODEL + "accuracy = None\n", "TOML has no null: leave the key out"),
        # names of tables
        ('[models.mod\u00e8le]\nsource = "m.pb"\n', f"{NAMES}: `[models.modele]`"),
        ('[models.gr\u00f6\u00dfe]\nsource = "m.pb"\n', f"{NAMES}: `[models.grosse]`"),
        ('[models.my model]\nsource = "m.pb"\n', f"{NAMES}: `[models.my-model]`"),
        ('[datasets.v\u00e1l]\npath = "x.npz"\n', f"{NAMES}: `[datasets.val]`"),
        ('[models.\u6a21\u578b]\nsource = "m.pb"\n', NAMES),
        (MODEL + "[models.m.variants.a b]\nbatch = 1\n", f"{NAMES}: `[models.m.variants.a-b]`"),
        (MODEL + '[models.m.inputs.x:0]\ntype = "u8"\n', 'other characters need quotes: `[models.m.inputs."x:0"]`'),
        (
            MODEL + "[models.m.inputs.gr\u00f6\u00dfe]\n",
            'other characters need quotes: `[models.m.inputs."gr\u00f6\u00dfe"]`',
        ),
        ('[models.m\nsource = "m.pb"\n', "close the bracket after the table's name: `[models.m]`"),
        # signs
        ('[models.m]\nsource: "m.pb"\n', f'{EQUALS}: `source = "m.pb"`'),
        (MODEL + 'inputs = {"x": 1}\n', EQUALS),
        (MODEL + "batch:\n", EQUALS),
        ('[models.m]\nsource = "m.pb",\n', 'remove the text after the value: `source = "m.pb"`'),
        ('[models.m]\nsource = "m.pb";  # mine\n', 'remove the text after the value: `source = "m.pb"`'),
        (MODEL + "; comment\n", "a comment begins with `#`"),
        (MODEL + "// comment\n", "a comment begins with `#`"),
        ('[models.m]\nsource\u00a0= "m.pb"\n', "this line has a space character that TOML does not allow: retype it"),
        # numbers
        (MODEL + "mean = 1,5\n", "write a decimal point: `1.5`; several numbers need brackets"),
        (MODEL + "accuracy.max-drop = .01\n", "write a digit before the point: `0.01`"),
        (MODEL + "accuracy.max-drop = -.01\n", "write a digit before the point: `-0.01`"),
        (MODEL + "batch = 0128\n", "a whole number must not begin with 0: `128`"),
        # no help
        (MODEL + "batch = 1_\n", ""),
        (MODEL + "[models..x]\n", ""),
        (MODEL + "[]\n", ""),
        (MODEL + '[models."x"y]\n', ""),
        ("[[x]\n" + MODEL, ""),
        (MODEL + "batch\n", ""),
        (MODEL + "= 3\n", ""),
        (MODEL + 'kind = """\n', ""),
        (MODEL + f"batch = {'1' * 300}%\n", ""),
        (MODEL + "inputs = { a b }\n", ""),
    ],
)
def test_help_shows_the_correction(text: str, hint: str) -> None:
    found = refused(text)

    assert ("toml-syntax", hint) == (found.code, found.help)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        # A valid string may hold any quotes and spaces.
        ("title = \u00abx\u00bb", STRAIGHT + '`title = "x"`'),
        ('title = "it\u2019s" x', ""),
        ('title = "a\u00a0b" x', ""),
        ("size = 3  # 1% of it, \u201csmall\u201d", ""),
        ('a = "1%" b', ""),
        ('a = "b\\\\c" x', ""),
    ],
)
def test_valid_parts_of_the_line_are_not_blamed(line: str, hint: str) -> None:
    assert hint == cure(line, len(line) if "#" in line or hint == "" else line.index("=") + 2)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[models.mobilenet.v2]\nsource = "m.pb"\n', 'a name with dots needs quotes: `[models."mobilenet.v2"]`'),
        ('[models.resnet.v1.5]\nsource = "m.pb"\n', 'a name with dots needs quotes: `[models."resnet.v1.5"]`'),
        (
            MODEL + '[models.m.v2]\nsource = "m.pb"\nbatch = 1\n',
            'a name with dots needs quotes: `[models."m.v2"]`',
        ),
        (
            MODEL + '[datasets.val.small]\nloader = "a.py:f"\n',
            'a name with dots needs quotes: `[datasets."val.small"]`',
        ),
        ('["models.m"]\nsource = "m.pb"\n', "put the dot outside of the quotes: `[models.m]`"),
        ('["models.m".fp32]\nsource = "m.pb"\n', "put the dot outside of the quotes: `[models.m.fp32]`"),
    ],
)
def test_help_quotes_a_name_with_dots(text: str, hint: str) -> None:
    found = refused(text)

    assert ("unknown-key", hint) == (found.code, found.help)


@pytest.mark.parametrize("text", [MODEL + "[models.m.colour]\nx = 1\n", MODEL + "[models.m.colour.x]\n"])
def test_table_that_is_not_a_model_gets_different_help(text: str) -> None:
    assert refused(text).help.startswith("known here: accuracy, ")


@pytest.mark.parametrize(
    ("name", "plain"),
    [("mobilenet v2", "mobilenet-v2"), ("Mod\u00e8le (1)", "Modele-1"), ("\u6a21\u578b", ""), ("-a-", "a")],
)
def test_nearest_name_that_a_model_may_have(name: str, plain: str) -> None:
    assert plain == plain_name(name)
    hint = refused(f'[models."{name}"]\nsource = "m.pb"\n').help
    assert hint.endswith(f": `{plain}`" if plain else "begin with a letter or digit")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("metrics.py", "name the function too, after a colon: `metrics.py:FUNCTION`"),
        ("lib/metrics.py:", "name the function too, after a colon: `lib/metrics.py:FUNCTION`"),
        ("metrics:mine", "name your function by its file: `metrics.py:mine`"),
        ("metrics.mine", "name your function by its file: `metrics.py:mine`"),
        ("lib.metrics.mine", "name your function by its file: `lib/metrics.py:mine`"),
        ("metrics.py::mine", "name your function by its file: `metrics.py:mine`"),
        ("metrics.py:mine()", "name your function by its file: `metrics.py:mine`"),
        ("metrics.py.mine", "name your function by its file: `metrics.py:mine`"),
        ("nonsense", ""),
        ("???", ""),
    ],
)
def test_help_shows_how_to_name_a_function(written: str, hint: str) -> None:
    metric = refused(MODEL + f'[models.m.accuracy]\nmetric = "{written}"\n')
    loader = refused(f'[datasets.v]\nloader = "{written}"\n' + MODEL)

    assert ("unknown-metric", hint) == (metric.code, metric.help)
    assert ("bad-value", hint) == (loader.code, loader.help)


def test_misspelt_metric_gets_a_suggestion() -> None:
    assert refused(MODEL + 'accuracy.metric = "acuracy"\n').help == "did you mean `accuracy`?"


@pytest.mark.unmeasured
@given(st.text(alphabet=st.sampled_from("ab=[]\"'\\.:,;#%1\u201c\u00e8 \n\r\t{}0"), max_size=60), st.integers(0, 60))
def test_help_is_one_line_for_any_text(text: str, position: int) -> None:
    assert "\n" not in cure(text, min(position, len(text)))
