//! Texts as word numbers, by a vocabulary fitted on the training texts.

use std::collections::{HashMap, HashSet};

use bakeoff_datasets::Text;

use super::words::{Tokens, Words};

/// The token that pads short texts.
pub(crate) const PAD: u32 = 0;
/// The token of every word that is not in the vocabulary.
pub(crate) const UNKNOWN: u32 = 1;
/// The token between the two texts of a pair.
pub(crate) const SEPARATOR: u32 = 2;
/// The number of the first word.
const FIRST_WORD: u32 = 3;

/// The words that have a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    numbers: HashMap<String, u32>,
    tokens: Tokens,
    max_tokens: usize,
}

impl Vocabulary {
    /// The `max_words` words that are in the most texts, without those that are in fewer than `min_count` texts. Ties
    /// go to the word that is first in the alphabet. `tokens` says what a word is. An encoded text has at most
    /// `max_tokens` tokens.
    pub(crate) fn fit(
        texts: &[Text],
        tokens: Tokens,
        max_words: usize,
        min_count: usize,
        max_tokens: usize,
    ) -> Vocabulary {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for text in texts {
            let parts = std::iter::once(&text.first).chain(&text.second).map(|part| Words::of(part, tokens));
            let parts: Vec<Words> = parts.collect();
            for word in parts.iter().flat_map(Words::iter).collect::<HashSet<&str>>() {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
        let mut ranked: Vec<(String, usize)> = counts.into_iter().filter(|(_, count)| *count >= min_count).collect();
        ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ranked.truncate(max_words);
        let numbers = ranked.into_iter().map(|(word, _)| word).zip(FIRST_WORD..).collect();
        Vocabulary { numbers, tokens, max_tokens }
    }

    /// The words in the order of their numbers.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<(&String, u32)> = self.numbers.iter().map(|(word, &number)| (word, number)).collect();
        words.sort_unstable_by_key(|&(_, number)| number);
        words.into_iter().map(|(word, _)| word.clone()).collect()
    }

    /// What these tokens stand for. A word that has no number is `[unknown]`.
    pub(crate) fn names(&self, tokens: &[u32]) -> Vec<String> {
        let words = self.words();
        let name = |&token: &u32| match token {
            SEPARATOR => "[SEP]".to_owned(),
            token => token
                .checked_sub(FIRST_WORD)
                .and_then(|number| words.get(number as usize))
                .map_or_else(|| "[unknown]".to_owned(), String::clone),
        };
        tokens.iter().map(name).collect()
    }

    /// Restores a vocabulary from what [`Vocabulary::words`] returned. `None` if a word occurs twice.
    pub(crate) fn of(words: Vec<String>, tokens: Tokens, max_tokens: usize) -> Option<Vocabulary> {
        let count = words.len();
        let numbers: HashMap<String, u32> = words.into_iter().zip(FIRST_WORD..).collect();
        (numbers.len() == count).then_some(Vocabulary { numbers, tokens, max_tokens })
    }

    /// How many different tokens [`Vocabulary::encode`] can return.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len() + FIRST_WORD as usize
    }

    /// Which segments of a text this vocabulary reads as words.
    pub(crate) fn tokens(&self) -> Tokens {
        self.tokens
    }

    /// The largest number of tokens of a text.
    pub(crate) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Whether a text has a word that has a number.
    pub(crate) fn knows_a_word_of(&self, text: &str) -> bool {
        Words::of(text, self.tokens).iter().any(|word| self.numbers.contains_key(word))
    }

    /// The tokens of each text of a pair by itself: at least one and at most [`Vocabulary::max_tokens`] each.
    pub(crate) fn encode_apart(&self, text: &Text) -> [Vec<u32>; 2] {
        let second = text.second.as_deref().unwrap_or_default();
        [text.first.as_str(), second].map(|text| {
            let mut tokens = self.numbers_of(text);
            tokens.truncate(self.max_tokens);
            tokens
        })
    }

    /// The tokens of a text: at least one and at most [`Vocabulary::max_tokens`]. For a pair they are the tokens of the
    /// first text, a separator, and the tokens of the second text. If a pair is too long, tokens are removed one by one
    /// from the end of the text that is longer at that time (Devlin et al. 2018, `_truncate_seq_pair` in their code).
    pub(crate) fn encode(&self, text: &Text) -> Vec<u32> {
        let mut tokens = self.numbers_of(&text.first);
        if let Some(second) = &text.second {
            let mut second = self.numbers_of(second);
            while tokens.len() + second.len() + 1 > self.max_tokens {
                if tokens.len() > second.len() {
                    tokens.pop()
                } else {
                    second.pop()
                };
            }
            tokens.push(SEPARATOR);
            tokens.extend(second);
        }
        tokens.truncate(self.max_tokens);
        tokens
    }

    /// The number of each word. A text without a word becomes one unknown word.
    fn numbers_of(&self, text: &str) -> Vec<u32> {
        let words = Words::of(text, self.tokens);
        let numbers: Vec<u32> = words.iter().map(|word| self.numbers.get(word).copied().unwrap_or(UNKNOWN)).collect();
        if numbers.is_empty() { vec![UNKNOWN] } else { numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_named_by_the_words_that_they_stand_for() {
        let texts = [text("a b"), text("a b"), text("a")];
        let vocabulary = Vocabulary::fit(&texts, Tokens::WordsAndMarks, 10, 1, 10);
        let pair = Text { first: "b c".to_owned(), second: Some("A".to_owned()) };
        assert_eq!(vocabulary.names(&vocabulary.encode(&pair)), ["b", "[unknown]", "[SEP]", "a"]);
    }

    fn text(first: &str) -> Text {
        Text { first: first.to_owned(), second: None }
    }

    #[test]
    fn the_words_of_most_texts_come_first_and_rare_ones_are_unknown() {
        let texts = [text("b a a a"), text("b c"), text("b a")];
        let vocabulary = Vocabulary::fit(&texts, Tokens::WordsAndMarks, 10, 2, 8);
        assert_eq!(vocabulary.len(), 5);
        assert_eq!(vocabulary.encode(&text("b a c")), [3, 4, UNKNOWN]);
        assert_eq!(
            Vocabulary::fit(&texts, Tokens::WordsAndMarks, 1, 1, 8).encode(&text("b a c")),
            [3, UNKNOWN, UNKNOWN]
        );
    }

    #[test]
    fn a_text_has_between_one_and_the_most_tokens() {
        let vocabulary = Vocabulary::fit(&[text("a b")], Tokens::WordsAndMarks, 10, 1, 4);
        assert_eq!(vocabulary.encode(&text("")), [UNKNOWN]);
        assert_eq!(vocabulary.encode(&text("a b a b a b")), [3, 4, 3, 4]);
    }

    #[test]
    fn of_a_pair_the_longer_text_is_cut_first() {
        let vocabulary = Vocabulary::fit(&[text("a b")], Tokens::WordsAndMarks, 10, 1, 4);
        let pair = Text { first: "a a a a a".to_owned(), second: Some("b".to_owned()) };
        assert_eq!(vocabulary.encode(&pair), [3, 3, SEPARATOR, 4]);
    }

    #[test]
    fn each_text_of_a_pair_has_a_token_however_the_pair_is_read() {
        let vocabulary = Vocabulary::fit(&[text("a b")], Tokens::WordsAndMarks, 10, 1, 3);
        for (first, second) in [("", ""), ("", "a b a b"), ("a b a b", "")] {
            let pair = Text { first: first.to_owned(), second: Some(second.to_owned()) };
            let joined = vocabulary.encode(&pair);
            assert_eq!((joined.len(), joined[1]), (3, SEPARATOR));
            assert!(vocabulary.encode_apart(&pair).iter().all(|tokens| (1..=3).contains(&tokens.len())));
        }
    }
}
