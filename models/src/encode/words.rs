//! The definition of a word, shared by all models.
//!
//! First, two texts that look alike are made equal: a text is converted to lower case and to Unicode's composed form
//! (NFC), and invisible characters are removed. Then the text is cut at Unicode's word boundaries (Standard Annex 29):
//!
//! - Letters and digits stay together, with an apostrophe, a point or a comma between two of them: `don't`, `3.14`.
//! - A mark is a segment of its own: `,`, `!`, `+`.
//! - An emoji is one segment with everything that belongs to it: a skin tone, a flag, a family of joined emoji.
//! - Scripts without spaces between words are cut into characters, each with the signs attached to it, because the
//!   annex has no dictionary. This holds for each Chinese ideograph, each Hiragana sign, and each Thai, Lao, Khmer or
//!   Burmese letter. A run of Katakana and a run of Hangul stay whole. Models still see neighbours, as 2-grams or as a
//!   sequence.
//!
//! [`Tokens::Characters`] reads characters in the place of words: a text is made equal as above, but keeps its line ends, and is cut
//! into the characters that people see (grapheme clusters of the annex), spaces and line ends among them.

use std::fmt;
use std::ops::RangeInclusive;

use bakeoff_datasets::Text;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::params::{DefaultValue, Domain, Param, Resolved};
use crate::search::{Search, SearchDefault};

/// Joins the parts of an emoji.
const JOINER: char = '\u{200d}';
/// Separates two letters that would otherwise join, inside a word of Persian or of an Indian language.
const NON_JOINER: char = '\u{200c}';
/// An invisible place at which a word may end.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Invisible characters (Unicode's `Default_Ignorable_Code_Point`). The two joiners above are left out, and so are the
/// tags that say which flag an emoji shows.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200e}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e001f}',
    '\u{e0080}'..='\u{e0fff}',
];
/// Emoji: Unicode's blocks of pictographs, and the emoji among other symbols (`Emoji_Presentation`, and the common ones
/// that can also be shown as text). Punctuation marks are left out.
const PICTOGRAPHS: &[RangeInclusive<char>] = &[
    '⌚'..='⌛',
    '⌨'..='⌨',
    '⏏'..='⏏',
    '⏩'..='⏳',
    '⏸'..='⏺',
    '▪'..='▫',
    '▶'..='▶',
    '◀'..='◀',
    '◻'..='◾',
    '☀'..='➿',
    '⤴'..='⤵',
    '⬅'..='⬇',
    '⬛'..='⬜',
    '⭐'..='⭐',
    '⭕'..='⭕',
    '㊗'..='㊗',
    '㊙'..='㊙',
    '\u{1f000}'..='\u{1faff}',
    '\u{1fc00}'..='\u{1fffd}',
];
/// Scripts without spaces between words.
const WITHOUT_SPACES: &[RangeInclusive<char>] = &[
    // Thai and Lao; Tibetan; Burmese; Khmer; the scripts of Tai Le to Tai Tham.
    '\u{0e00}'..='\u{0eff}',
    '\u{0f00}'..='\u{0fff}',
    '\u{1000}'..='\u{109f}',
    '\u{1780}'..='\u{17ff}',
    '\u{1950}'..='\u{1aaf}',
    // Chinese and Japanese: iteration marks, Hiragana and Katakana, Bopomofo, ideographs.
    '\u{3005}'..='\u{3007}',
    '\u{3040}'..='\u{312f}',
    '\u{31a0}'..='\u{31ff}',
    '\u{3400}'..='\u{9fff}',
    '\u{f900}'..='\u{faff}',
    '\u{ff66}'..='\u{ff9f}',
    '\u{1b000}'..='\u{1b16f}',
    '\u{20000}'..='\u{3ffff}',
];

/// Which segments of a text a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// Every visible segment.
    WordsAndMarks,
    /// The segments of [`Tokens::Words`]. If a text has none of them, every visible segment.
    WordsOrMarks,
    /// Segments that contain a letter, a digit or an emoji. Punctuation and other symbols are left out.
    Words,
    /// The segments of [`Tokens::Words`], without single letters and digits of scripts with spaces between words.
    LongWords,
    /// Every character, spaces and line ends too.
    Characters,
}

/// The value as it is written in the parameter.
impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tokens::WordsAndMarks => "words+marks",
            Tokens::WordsOrMarks => "words-or-marks",
            Tokens::Words => "words",
            Tokens::LongWords => "long-words",
            Tokens::Characters => "characters",
        })
    }
}

impl Tokens {
    const NAMES: &[&str] = &["words+marks", "words-or-marks", "words", "long-words", "characters"];
    /// Those that a search draws from. It has no range on a task of characters.
    const OF_WORDS: &[&str] = &["words+marks", "words-or-marks", "words", "long-words"];

    /// The parameter `tokens` of a model that reads texts.
    pub(crate) const fn param(default: &'static str, source: &'static str) -> Param {
        Param {
            name: "tokens",
            images: DefaultValue::Word(default),
            texts: DefaultValue::Word(default),
            tables: DefaultValue::Word(default),
            domain: Domain::Word(Tokens::NAMES),
            about: "texts: words (emoji too) and marks (punctuation, symbols), words or the marks of a text without a word, words \
                    alone, words of two characters and more, or characters, the default where the task is about characters",
            source,
            search: Some(Search::of_texts(SearchDefault::Words(Tokens::OF_WORDS), "all of ours for words")),
        }
    }

    /// The value of the parameter `tokens`. Panics if the model has no such parameter, which is a fault of the program
    /// and not of the user.
    pub fn of(params: &Resolved) -> Tokens {
        match params.word("tokens") {
            "words-or-marks" => Tokens::WordsOrMarks,
            "words" => Tokens::Words,
            "long-words" => Tokens::LongWords,
            "characters" => Tokens::Characters,
            _ => Tokens::WordsAndMarks,
        }
    }

    fn admits(self, segment: &str) -> bool {
        match self {
            Tokens::WordsAndMarks | Tokens::Characters => true,
            Tokens::WordsOrMarks | Tokens::Words => segment.chars().any(is_word_character),
            Tokens::LongWords => {
                let first = segment.chars().next();
                segment.chars().any(is_word_character)
                    && (segment.chars().nth(1).is_some() || first.is_some_and(stands_alone))
            }
        }
    }
}

/// A normalised text, ready to be cut into words.
#[derive(Debug, Clone)]
pub struct Words {
    text: String,
    tokens: Tokens,
}

impl Words {
    /// The words of `text` that `tokens` admits.
    pub fn of(text: &str, tokens: Tokens) -> Words {
        let text = normal(text, tokens == Tokens::Characters);
        let has_none = tokens == Tokens::WordsOrMarks && !text.chars().any(is_word_character);
        Words { tokens: if has_none { Tokens::WordsAndMarks } else { tokens }, text }
    }

    /// Each word, in order; each character, if characters are read.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (words, characters) = if self.tokens == Tokens::Characters { ("", &*self.text) } else { (&*self.text, "") };
        let words = segments(words).filter(|segment| self.tokens.admits(segment));
        words.chain(characters.graphemes(true))
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// How many examples have a text without a word that `tokens` admits.
pub fn wordless(texts: &[Text], tokens: Tokens) -> usize {
    count_unread(texts, |text| Words::of(text, tokens).is_empty())
}

/// How many examples have a text of which a model can use nothing.
pub(crate) fn count_unread(texts: &[Text], is_unread: impl Fn(&str) -> bool) -> usize {
    texts.iter().filter(|text| is_unread(&text.first) || text.second.as_deref().is_some_and(&is_unread)).count()
}

/// Converts a text to lower case and NFC, with one kind of space and no invisible character. A line end becomes a space too,
/// unless lines are kept.
fn normal(text: &str, keeps_lines: bool) -> String {
    let shown = |c: char| match c {
        '\n' if keeps_lines => Some('\n'),
        c if c.is_whitespace() || c.is_control() || c == ZERO_WIDTH_SPACE => Some(' '),
        c if is_ignorable(c) => None,
        c => Some(c),
    };
    if text.is_ascii() {
        return text.chars().filter_map(shown).map(|c| c.to_ascii_lowercase()).collect();
    }
    let text: String = text.chars().filter_map(shown).collect();
    text.to_lowercase().nfc().collect()
}

/// The visible segments between word boundaries.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    // The library finds ASCII words much faster than it finds every boundary. So it finds the words first, and only the
    // text between two words is cut at every boundary.
    let mut end = 0;
    let words = text.unicode_word_indices().chain(std::iter::once((text.len(), "")));
    let all = words.flat_map(move |(start, word)| {
        let between = &text[end..start];
        end = start + word.len();
        between.trim_matches(' ').split_word_bounds().chain(std::iter::once(word))
    });
    all.map(|segment| segment.trim_matches([' ', JOINER, NON_JOINER])).filter(|segment| !segment.is_empty())
}

/// Whether a character is invisible and joins nothing.
fn is_ignorable(c: char) -> bool {
    !c.is_ascii() && within(INVISIBLE, c)
}

/// Whether a character is a letter, a digit or an emoji.
fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || is_pictograph(c)
}

fn is_pictograph(c: char) -> bool {
    !c.is_ascii() && within(PICTOGRAPHS, c)
}

/// Whether a character can be a word by itself: an emoji, or a character of a script without spaces.
fn stands_alone(c: char) -> bool {
    is_pictograph(c) || within(WITHOUT_SPACES, c)
}

fn within(ranges: &[RangeInclusive<char>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, tokens: Tokens) -> Vec<String> {
        Words::of(text, tokens).iter().map(str::to_owned).collect()
    }

    fn all(text: &str) -> Vec<String> {
        words(text, Tokens::WordsAndMarks)
    }

    #[test]
    fn words_are_lower_case_and_marks_stand_alone() {
        assert_eq!(all("It's GOOD, no?!"), ["it's", "good", ",", "no", "?", "!"]);
        assert_eq!(
            all("about 3.14 or 1,000 – e.g. not_good"),
            ["about", "3.14", "or", "1,000", "–", "e.g", ".", "not_good"]
        );
        assert_eq!(all("a b c"), ["a", "b", "c"]);
        assert_eq!(all("C++ #1 $5"), ["c", "+", "+", "#", "1", "$", "5"]);
    }

    #[test]
    fn an_emoji_is_one_word_with_all_that_belongs_to_it() {
        assert_eq!(all("👎👎 👍"), ["👎", "👎", "👍"]);
        assert_eq!(all("👍🏽👨‍👩‍👧🇩🇪🇫🇷1️⃣"), ["👍🏽", "👨‍👩‍👧", "🇩🇪", "🇫🇷", "1\u{20e3}"]);
        assert_eq!(all("ok👍ok"), ["ok", "👍", "ok"]);
        assert_ne!(
            all("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"),
            all("🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}")
        );
    }

    #[test]
    fn scripts_without_spaces_fall_apart_into_their_characters() {
        assert_eq!(all("我爱电影。"), ["我", "爱", "电", "影", "。"]);
        assert_eq!(all("映画はカメラが好き"), ["映", "画", "は", "カメラ", "が", "好", "き"]);
        assert_eq!(all("สวัสดี"), ["ส", "วั", "ส", "ดี"]);
        assert_eq!(all("영화가 좋다"), ["영화가", "좋다"]);
        assert_eq!(all("ភាសា").len(), 2);
    }

    #[test]
    fn texts_that_look_alike_have_the_same_words() {
        assert_eq!(all("cafe\u{301}"), all("Café"));
        assert_eq!(all("❤\u{fe0f}"), all("❤"));
        assert_eq!(all("ex\u{ad}ample\u{2060}"), ["example"]);
        assert_eq!(all("one\u{a0}two\u{200b}three\u{7}four"), ["one", "two", "three", "four"]);
        assert_eq!(all(" \u{200d}👍"), ["👍"]);
    }

    #[test]
    fn a_text_without_anything_to_see_has_no_word() {
        for text in ["", " \n\t", "\u{200b}\u{200d}", "\u{feff}\u{3164}\u{ad}"] {
            assert!(all(text).is_empty(), "{text:?}");
        }
        let text = |first: &str, second: Option<&str>| Text { first: first.into(), second: second.map(Into::into) };
        let texts =
            [text("!!!", None), text("a film", None), text("👍", None), text("我", None), text("ok", Some("..."))];
        let counts = [Tokens::WordsAndMarks, Tokens::WordsOrMarks, Tokens::Words, Tokens::LongWords]
            .map(|tokens| wordless(&texts, tokens));
        assert_eq!(counts, [0, 0, 2, 2]);
        assert_eq!(wordless(&[text("a", None), text("I", None), text("7 b", None)], Tokens::LongWords), 3);
    }

    #[test]
    fn characters_are_all_that_is_seen_and_spaces_and_line_ends() {
        assert_eq!(words("\nA b,\tC", Tokens::Characters), ["\n", "a", " ", "b", ",", " ", "c"]);
        assert_eq!(words("cafe\u{301} 👍🏽\u{ad}", Tokens::Characters), ["c", "a", "f", "é", " ", "👍🏽"]);
        assert!(words("", Tokens::Characters).is_empty());
        let text = |first: &str| Text { first: first.to_owned(), second: None };
        assert_eq!(wordless(&[text("\n"), text(" "), text("")], Tokens::Characters), 1);
    }

    #[test]
    fn what_is_left_out_is_a_choice() {
        let text = "I'd say: a 5 / 10 👍, 电影!";
        assert_eq!(words(text, Tokens::Words), ["i'd", "say", "a", "5", "10", "👍", "电", "影"]);
        assert_eq!(words(text, Tokens::WordsOrMarks), words(text, Tokens::Words));
        assert_eq!(words("?! ...", Tokens::WordsOrMarks), ["?", "!", ".", ".", "."]);
        assert_eq!(words(text, Tokens::LongWords), ["i'd", "say", "10", "👍", "电", "影"]);
    }

    /// The segments by the annex alone, which [`segments`] must find too.
    fn of_the_annex(text: &str) -> Vec<&str> {
        let cut = text.split_word_bounds().map(|segment| segment.trim_matches([' ', JOINER, NON_JOINER]));
        cut.filter(|segment| !segment.is_empty()).collect()
    }

    proptest! {
        #[test]
        fn segments_are_those_of_the_annex(text in any::<String>()) {
            let text = normal(&text, false);
            prop_assert_eq!(segments(&text).collect::<Vec<_>>(), of_the_annex(&text));
        }

        #[test]
        fn segments_of_what_the_rules_are_about_are_those_of_the_annex(
            parts in prop::collection::vec(prop::sample::select(vec![
                "a", "B", "é", "e\u{301}", "1", ".", ",", "'", "’", ":", "_", " ", "  ", "\n", "👍", "🏽", "\u{200d}",
                "\u{200c}", "🇩", "🇪", "א", "\"", "我", "か", "カ", "ก", "ิ", "\u{fe0f}", "\u{ad}", "\u{301}",
            ]), 0..12)
        ) {
            let text = normal(&parts.concat(), false);
            prop_assert_eq!(segments(&text).collect::<Vec<_>>(), of_the_annex(&text));
        }
    }
}
