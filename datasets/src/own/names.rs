//! Names of classes and columns: which are the same, and which only look the same.
//!
//! Names that are equal in Unicode's normalization form C are one name: `é` may be written as one code point or as `e`
//! and a combining accent. Names that differ but look the same are refused, because a report would show two classes
//! under one name. They may differ in invisible characters, in blanks, in the compatibility form of characters (NFKC:
//! `ﬁ` and `fi`, `１` and `1`), or in the script of letters that look alike (UTS 39: a Cyrillic `а` and a Latin `a`).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// Characters without a glyph: Unicode's `Default_Ignorable_Code_Point`, and the format characters (`Cf`) outside it that
/// show nothing either. The prepended marks of Arabic, Syriac and Kaithi are format characters too, but are seen.
const INVISIBLE: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_3430, 0x1_343f),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];
/// Braille without dots. Unicode does not count it as white space, but it looks blank.
const BRAILLE_BLANK: char = '\u{2800}';

pub(crate) fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|&(first, last)| (first..=last).contains(&u32::from(c)))
}

/// The name in normalization form C, in which names are compared, kept and shown.
pub fn normalized(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// The code points of a name: `U+0063 U+0061 U+0066 U+00E9`.
pub fn code_points(name: &str) -> String {
    let points: Vec<String> = name.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
    points.join(" ")
}

/// What a reader sees of a name: equal for names that only look the same.
pub(super) fn appearance(name: &str) -> String {
    if name.is_ascii() {
        return one_space_between_words(name);
    }
    // Normalized again, because marks may combine once an invisible character between them is gone.
    one_space_between_words(&visible(name.nfkc())).nfkc().collect()
}

/// What a reader sees of a name if letters of different scripts that look the same count as one letter, and the scripts
/// of the name. The scripts leave out those that belong to no single writing system.
fn across_scripts(name: &str) -> (String, BTreeSet<&'static str>) {
    let shown = appearance(name);
    let scripts = shown.chars().map(|c| c.script()).filter(|script| !SHARED.contains(script));
    (skeleton(&shown).collect(), scripts.map(|script| script.full_name()).collect())
}

/// The scripts of digits, signs and marks, which many writing systems share.
const SHARED: [Script; 3] = [Script::Common, Script::Inherited, Script::Unknown];

/// Whether two names with these scripts, which look the same, do so only because they mix scripts. Letters of one
/// script may look alike, such as `I` and `l`, or the dotless `ı` and `i` of Turkish. Its readers are used to that.
fn scripts_differ(a: &BTreeSet<&str>, b: &BTreeSet<&str>) -> bool {
    a != b && !a.is_empty() && !b.is_empty()
}

/// Whether names that look the same differ in compatibility form, and not only in invisible characters and blanks.
fn differ_in_form(a: &str, b: &str) -> bool {
    let shown = |name: &str| -> String { one_space_between_words(&visible(name.nfc())).nfc().collect() };
    shown(a) != shown(b)
}

fn visible(name: impl Iterator<Item = char>) -> String {
    name.filter(|&c| !is_invisible(c)).map(|c| if c == BRAILLE_BLANK { ' ' } else { c }).collect()
}

pub(crate) fn one_space_between_words(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Two names that are not equal and look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAlikes {
    /// The first of the two.
    pub first: String,
    /// The second of the two.
    pub second: String,
}

impl LookAlikes {
    /// The first two of `names` that only look the same. `names` must be in normalization form C.
    pub fn among<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<LookAlikes> {
        let mut seen: HashMap<String, &str> = HashMap::new();
        let mut by_skeleton: HashMap<String, Vec<(&str, BTreeSet<&str>)>> = HashMap::new();
        for name in names {
            match seen.insert(appearance(name), name) {
                Some(first) if first != name => return Some(LookAlikes::new(first, name)),
                Some(_) => continue,
                None => {}
            }
            let (skeleton, scripts) = across_scripts(name);
            let others = by_skeleton.entry(skeleton).or_default();
            if let Some((first, _)) = others.iter().find(|(_, other)| scripts_differ(other, &scripts)) {
                return Some(LookAlikes::new(first, name));
            }
            others.push((name, scripts));
        }
        None
    }

    /// `name`, and the one of `others` that looks the same.
    pub(super) fn of<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<LookAlikes> {
        let (wanted, (wanted_skeleton, wanted_scripts)) = (appearance(name), across_scripts(name));
        let looks_the_same = |other: &&str| {
            let (skeleton, scripts) = across_scripts(other);
            *other != name
                && (appearance(other) == wanted
                    || (skeleton == wanted_skeleton && scripts_differ(&scripts, &wanted_scripts)))
        };
        let other = others.into_iter().find(looks_the_same)?;
        Some(LookAlikes::new(other, name))
    }

    fn new(first: &str, second: &str) -> LookAlikes {
        LookAlikes { first: first.to_owned(), second: second.to_owned() }
    }

    /// How the two names differ.
    fn difference(&self) -> &'static str {
        if appearance(&self.first) != appearance(&self.second) {
            "they are letters of different scripts"
        } else if differ_in_form(&self.first, &self.second) {
            "they are the same characters in another form (equal in NFKC)"
        } else {
            "they differ only in invisible characters or blanks"
        }
    }
}

impl fmt::Display for LookAlikes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LookAlikes { first, second } = self;
        let (first_points, second_points) = (code_points(first), code_points(second));
        let difference = self.difference();
        write!(
            f,
            "'{second}' ({second_points}) looks like '{first}' ({first_points}) but is a different name: {difference}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_letters_are_one_name() {
        assert_eq!(normalized("cafe\u{301}"), "caf\u{e9}");
        assert_eq!(normalized("\u{1112}\u{1161}\u{11ab}"), "한", "Hangul too");
        assert_eq!(normalized("a\u{323}\u{307}"), normalized("a\u{307}\u{323}"), "in whatever order the marks are");
        assert!(matches!(normalized("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn names_that_differ_only_in_invisible_characters_or_blanks_look_the_same() {
        for other in [
            "red\u{200b} fox",
            "red\u{a0}fox",
            "red  fox",
            "red fox ",
            "\u{feff}red fox",
            "re\u{ad}d fox",
            "red\u{3000}fox",
            "\u{202b}red fox\u{202c}",
            "red fox\u{fe0f}",
            "r\u{2060}ed fox",
            "red\u{2800}fox",
            "red fox\u{e0041}",
        ] {
            let found =
                LookAlikes::among(["red fox", "blue fox", other]).map(|pair| (pair.second.clone(), pair.difference()));
            let (second, difference) = found.unwrap_or_else(|| panic!("{other:?} is taken for another name"));
            assert_eq!(second, other);
            assert_eq!(difference, "they differ only in invisible characters or blanks", "{other:?}");
        }
    }

    #[test]
    fn names_that_differ_only_in_form_look_the_same() {
        for (a, b) in [("file", "ﬁle"), ("1", "１"), ("x2", "x²"), ("Å1", "\u{212b}①"), ("ハ", "ﾊ")] {
            let pair = LookAlikes::among([a, b]).unwrap_or_else(|| panic!("{b} is taken for another name than {a}"));
            assert_eq!(pair.difference(), "they are the same characters in another form (equal in NFKC)");
        }
    }

    #[test]
    fn names_that_a_reader_can_tell_apart_are_different() {
        assert_eq!(LookAlikes::among(["cat", "Cat", "cats", "c at", "kat", "cât", "貓", "猫", "-1", "1", "01"]), None);
        assert_eq!(LookAlikes::among(["cat", "cat"]), None, "the same name");
        assert_eq!(LookAlikes::of("dog", ["cat", "dog"]), None);
    }

    #[test]
    fn letters_of_different_scripts_that_look_the_same_are_told_apart_by_code_points() {
        for (a, b) in
            [("cat", "c\u{430}t"), ("\u{441}\u{430}\u{442}", "ca\u{442}"), ("A", "\u{391}"), ("A1", "\u{410}1")]
        {
            let pair = LookAlikes::among([a, b]).unwrap_or_else(|| panic!("{b} is taken for another name than {a}"));
            assert_eq!(pair.difference(), "they are letters of different scripts");
            assert_eq!(LookAlikes::of(b, [a]), Some(pair));
        }
        // Letters of one script, digits and signs may look alike.
        let one_script = ["I", "l", "1", "O", "0", "rn", "m", "k\u{131}r", "kir", "-", "\u{2013}"];
        assert_eq!(LookAlikes::among(one_script), None);
    }

    #[test]
    fn a_mark_after_an_invisible_character_combines_with_the_letter_before_it() {
        assert!(LookAlikes::among(["é", "e\u{200b}\u{301}"]).is_some());
        assert!(LookAlikes::among(["é", "e\u{34f}\u{301}"]).is_some());
    }

    #[test]
    fn code_points_have_four_digits_or_more() {
        assert_eq!(code_points("cé\u{1f600}"), "U+0063 U+00E9 U+1F600");
    }
}
