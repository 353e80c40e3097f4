//! `tokenizer.json`: the pieces of a pretrained encoder, and how texts are cut into them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::encode::pieces::PieceVocabulary;

/// The parts that decide what a text becomes. How pieces are put around texts is the same for every BERT, and how long a
/// text may be is a parameter of the model.
#[derive(Deserialize)]
struct TokenizerFile {
    added_tokens: Vec<AddedPiece>,
    normalizer: Normalizer,
    pre_tokenizer: Kind,
    model: PieceModel,
}

#[derive(Deserialize)]
struct AddedPiece {
    id: usize,
    content: String,
    special: bool,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct Normalizer {
    r#type: String,
    #[serde(default = "yes")]
    clean_text: bool,
    #[serde(default = "yes")]
    handle_chinese_chars: bool,
    #[serde(default)]
    strip_accents: Option<bool>,
    #[serde(default = "yes")]
    lowercase: bool,
}

/// The normalizer's own defaults.
fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct PieceModel {
    /// Older files leave it out.
    #[serde(default)]
    r#type: Option<String>,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: BTreeMap<String, usize>,
}

/// # Errors
/// Says what is not as in BERT, in the keys of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<PieceVocabulary, String> {
    let file: TokenizerFile = serde_json::from_slice(bytes)
        .map_err(|error| format!("is not the WordPiece tokenizer of a BERT-shaped encoder: {error}"))?;
    for (key, found, expected) in [
        ("normalizer.type", file.normalizer.r#type.as_str(), "BertNormalizer"),
        ("pre_tokenizer.type", file.pre_tokenizer.r#type.as_str(), "BertPreTokenizer"),
        ("model.type", file.model.r#type.as_deref().unwrap_or("WordPiece"), "WordPiece"),
        ("model.unk_token", file.model.unk_token.as_str(), "[UNK]"),
    ] {
        if found != expected {
            return Err(format!("{key} is '{found}', expected '{expected}', as in BERT"));
        }
    }
    let mut numbered = file.model.vocab;
    for AddedPiece { id, content, special, single_word, lstrip, rstrip } in &file.added_tokens {
        if !special || *single_word || *lstrip || *rstrip {
            return Err(format!(
                "added_tokens: '{content}' must have special = true, and single_word, lstrip and rstrip = false, as all of BERT's \
                 have"
            ));
        }
        let known = *numbered.entry(content.clone()).or_insert(*id);
        if known != *id {
            return Err(format!("its piece '{content}' has the numbers {known} and {id}"));
        }
    }
    let count = numbered.len();
    let mut pieces = vec![None; count];
    for (piece, number) in numbered {
        match pieces.get_mut(number) {
            Some(place @ None) => *place = Some(piece),
            Some(Some(other)) => {
                return Err(format!("its pieces '{other}' and '{piece}' both have the number {number}"));
            }
            None => return Err(format!("its piece '{piece}' has the number {number}, but there are {count} pieces")),
        }
    }
    Ok(PieceVocabulary {
        // There are as many numbers as places, and no two are equal.
        pieces: pieces.into_iter().flatten().collect(),
        special: file.added_tokens.into_iter().map(|piece| piece.content).collect(),
        continuing: file.model.continuing_subword_prefix,
        longest_word: file.model.max_input_chars_per_word,
        clean: file.normalizer.clean_text,
        chinese: file.normalizer.handle_chinese_chars,
        strip_accents: file.normalizer.strip_accents,
        lowercase: file.normalizer.lowercase,
    })
}
