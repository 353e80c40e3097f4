//! Texts as numbered word pieces, by the vocabulary of a pretrained encoder (WordPiece: Wu et al. 2016, Devlin et al. 2018).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bakeoff_datasets::Text;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, DecoderWrapper, PostProcessorWrapper, TokenizerBuilder, TokenizerImpl};

/// The piece before each text, the one after each text, and the one of every word that has no pieces.
const CLASS: &str = "[CLS]";
const SEPARATOR: &str = "[SEP]";
const UNKNOWN: &str = "[UNK]";

/// The fewest pieces of an example: those before, between and after two texts of a piece each.
pub(crate) const FEWEST_PIECES: usize = 5;

/// The pieces, and how a text is cut into words before the words are cut into pieces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PieceVocabulary {
    /// The pieces in the order of their numbers.
    pub(crate) pieces: Vec<String>,
    /// The pieces that a text is never cut within, such as `[SEP]`.
    pub(crate) special: Vec<String>,
    /// How a piece begins that does not begin a word.
    pub(crate) continuing: String,
    /// The longest word in characters; a longer one is unknown.
    pub(crate) longest_word: usize,
    /// Whether control characters are removed and all kinds of space made alike.
    pub(crate) clean: bool,
    /// Whether each Chinese character is a word.
    pub(crate) chinese: bool,
    /// Whether accents are removed; `None` if they are removed where capital letters are.
    pub(crate) strip_accents: Option<bool>,
    /// Whether capital letters are made small.
    pub(crate) lowercase: bool,
}

type Tokenizer = TokenizerImpl<WordPiece, BertNormalizer, BertPreTokenizer, PostProcessorWrapper, DecoderWrapper>;

/// A text, or a pair of texts, as piece numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PieceText {
    /// `[CLS] first [SEP]`, and for a pair `second [SEP]` after it.
    pub(crate) ids: Vec<u32>,
    /// How many of them belong to the first text, with the pieces around it.
    pub(crate) first: usize,
}

/// Cuts texts into pieces.
#[derive(Clone)]
pub(crate) struct Pieces {
    vocabulary: Arc<PieceVocabulary>,
    tokenizer: Arc<Tokenizer>,
    class: u32,
    separator: u32,
    unknown: u32,
    max_pieces: usize,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pieces({} pieces, at most {} per example)", self.vocabulary.pieces.len(), self.max_pieces)
    }
}

impl PartialEq for Pieces {
    fn eq(&self, other: &Pieces) -> bool {
        (&self.vocabulary, self.max_pieces) == (&other.vocabulary, other.max_pieces)
    }
}

impl Pieces {
    /// `max_pieces` is the largest number of pieces of an example, those around the texts included.
    ///
    /// # Errors
    /// Says what the vocabulary lacks or has twice.
    pub(crate) fn new(vocabulary: PieceVocabulary, max_pieces: usize) -> Result<Pieces, String> {
        if max_pieces < FEWEST_PIECES {
            return Err(format!("at most {max_pieces} pieces per example, expected at least {FEWEST_PIECES}"));
        }
        let number = |piece: &str| {
            let at = vocabulary.pieces.iter().position(|other| other == piece);
            at.and_then(|at| u32::try_from(at).ok()).ok_or_else(|| format!("it has no piece {piece}"))
        };
        let (class, separator, unknown) = (number(CLASS)?, number(SEPARATOR)?, number(UNKNOWN)?);
        let mut seen = HashSet::new();
        if let Some(piece) = vocabulary.pieces.iter().find(|piece| !seen.insert(piece.as_str())) {
            return Err(format!("it has the piece '{piece}' twice"));
        }
        if let Some(piece) = vocabulary.special.iter().find(|piece| piece.is_empty() || !seen.contains(piece.as_str()))
        {
            return Err(format!("its special piece '{piece}' has no number"));
        }
        let numbered: BTreeMap<&str, usize> = vocabulary.pieces.iter().map(String::as_str).zip(0..).collect();
        // The form in which tokenizers are published, because the library's own names a type of another library. It reads text
        // alone, and no values.
        let published = json!({
            "type": "WordPiece",
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": vocabulary.continuing,
            "max_input_chars_per_word": vocabulary.longest_word,
            "vocab": numbered,
        });
        let model: WordPiece = serde_json::from_str(&published.to_string()).map_err(|error| error.to_string())?;
        let PieceVocabulary { clean, chinese, strip_accents, lowercase, .. } = vocabulary;
        let mut tokenizer: Tokenizer = TokenizerBuilder::new()
            .with_model(model)
            .with_normalizer(Some(BertNormalizer::new(clean, chinese, strip_accents, lowercase)))
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_post_processor(None)
            .with_decoder(None)
            .build()
            .map_err(|error| error.to_string())?;
        let special: Vec<AddedToken> = vocabulary.special.iter().map(|piece| AddedToken::from(piece, true)).collect();
        tokenizer.add_special_tokens(special).map_err(|error| error.to_string())?;
        let (vocabulary, tokenizer) = (Arc::new(vocabulary), Arc::new(tokenizer));
        Ok(Pieces { vocabulary, tokenizer, class, separator, unknown, max_pieces })
    }

    /// The pieces and how a text is cut.
    pub(crate) fn vocabulary(&self) -> &PieceVocabulary {
        &self.vocabulary
    }

    /// The largest number of pieces of an example.
    pub(crate) fn max_pieces(&self) -> usize {
        self.max_pieces
    }

    /// The pieces of an example. If there are too many, the ends of its texts are cut off.
    pub(crate) fn encode(&self, text: &Text) -> PieceText {
        let first = self.numbers_of(&text.first);
        let second = text.second.as_deref().map(|second| self.numbers_of(second));
        let (kept, kept_second) = match &second {
            None => (first.len().min(self.max_pieces - 2), 0),
            Some(second) => shortened(first.len(), second.len(), self.max_pieces - 3),
        };
        let mut ids = Vec::with_capacity(kept + kept_second + 3);
        ids.push(self.class);
        ids.extend_from_slice(&first[..kept]);
        ids.push(self.separator);
        let first = ids.len();
        if let Some(second) = second {
            ids.extend_from_slice(&second[..kept_second]);
            ids.push(self.separator);
        }
        PieceText { ids, first }
    }

    /// Whether an example has more pieces than are read.
    pub(crate) fn is_cut(&self, text: &Text) -> bool {
        let count = |text: &str| self.numbers_of(text).len();
        let (around, second) = text.second.as_deref().map_or((2, 0), |second| (3, count(second)));
        count(&text.first) + second + around > self.max_pieces
    }

    /// Whether a text has a piece that has a number of its own.
    pub(crate) fn knows_a_piece_of(&self, text: &str) -> bool {
        self.numbers_of(text).iter().any(|&piece| piece != self.unknown)
    }

    fn numbers_of(&self, text: &str) -> Vec<u32> {
        let encoding = self.tokenizer.encode_fast(text, false);
        encoding.expect("a vocabulary with an unknown piece has a piece for every word").get_ids().to_vec()
    }
}

/// How many pieces stay of two texts, of which at most `most` are read. The longer text is cut until it is as long as the
/// shorter one, and then both are cut (as the library `tokenizers` does under the name "longest first").
fn shortened(first: usize, second: usize, most: usize) -> (usize, usize) {
    if first + second <= most {
        return (first, second);
    }
    let less = first.min(second);
    let (less, more) = if 2 * less <= most { (less, most - less) } else { (most / 2, most - most / 2) };
    if first > second { (more, less) } else { (less, more) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A vocabulary of these pieces after the special ones.
    pub(crate) fn vocabulary(pieces: &[&str]) -> PieceVocabulary {
        let special = ["[PAD]", UNKNOWN, CLASS, SEPARATOR].map(str::to_owned).to_vec();
        PieceVocabulary {
            pieces: special.iter().cloned().chain(pieces.iter().map(|&piece| piece.to_owned())).collect(),
            special,
            continuing: "##".to_owned(),
            longest_word: 100,
            clean: true,
            chinese: true,
            strip_accents: None,
            lowercase: true,
        }
    }

    fn text(first: &str, second: Option<&str>) -> Text {
        Text { first: first.to_owned(), second: second.map(str::to_owned) }
    }

    #[test]
    fn words_are_cut_into_pieces_between_the_marks_of_their_texts() {
        let pieces = Pieces::new(vocabulary(&["un", "##happy", "film"]), 20).expect("a vocabulary");
        let single = pieces.encode(&text("Unhappy film?", None));
        assert_eq!(single, PieceText { ids: vec![2, 4, 5, 6, 1, 3], first: 6 });
        let pair = pieces.encode(&text("film", Some("FILM")));
        assert_eq!(pair, PieceText { ids: vec![2, 6, 3, 6, 3], first: 3 });
        assert!(pieces.knows_a_piece_of("a film") && !pieces.knows_a_piece_of("¿?") && !pieces.knows_a_piece_of(""));
    }

    #[test]
    fn the_longer_text_is_cut_first_and_a_text_is_counted_as_cut_if_it_loses_a_piece() {
        for (lengths, most, expected) in
            [((3, 9), 10, (3, 7)), ((9, 3), 10, (7, 3)), ((9, 9), 11, (5, 6)), ((8, 9), 17, (8, 9))]
        {
            assert_eq!(shortened(lengths.0, lengths.1, most), expected);
        }
        let pieces = Pieces::new(vocabulary(&["a"]), 6).expect("a vocabulary");
        for (example, is_cut) in [
            (text("a a a a", None), false),
            (text("a a a a a", None), true),
            (text("a a", Some("a")), false),
            (text("a a", Some("a a")), true),
            (text("", Some("")), false),
        ] {
            assert_eq!(pieces.is_cut(&example), is_cut, "{example:?}");
            assert!(pieces.encode(&example).ids.len() <= 6);
        }
    }

    #[test]
    fn a_vocabulary_without_a_needed_piece_or_with_one_twice_is_refused() {
        let mut lacking = vocabulary(&["a"]);
        lacking.pieces[2] = "[class]".to_owned();
        assert_eq!(Pieces::new(lacking, 9).map(drop), Err("it has no piece [CLS]".to_owned()));
        let twice = Pieces::new(vocabulary(&["a", "a"]), 9).map(drop);
        assert_eq!(twice, Err("it has the piece 'a' twice".to_owned()));
        let mut special = vocabulary(&["a"]);
        special.special.push("[MASK]".to_owned());
        assert_eq!(Pieces::new(special, 9).map(drop), Err("its special piece '[MASK]' has no number".to_owned()));
    }
}
