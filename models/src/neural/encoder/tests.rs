//! Texts that lose tokens, and the mean and the deviation of each colour plane.

use super::*;

#[test]
fn a_text_is_counted_as_cut_if_and_only_if_it_loses_a_token() {
    let text = |first: &str, second: Option<&str>| Text { first: first.into(), second: second.map(Into::into) };
    let cases = [
        (TextReading::Single, [text("a b c", None), text("a b c d", None), text("a b c d e", None)]),
        (TextReading::Joined, [text("a b", Some("c")), text("a b", Some("c d")), text("", Some("a b c d"))]),
        (TextReading::Apart, [text("a b c d", Some("a b c d")), text("a", Some("a b c d e")), text("", Some(""))]),
    ];
    for (reading, texts) in cases {
        let vocabulary = Vocabulary::fit(&texts, Tokens::WordsAndMarks, 10, 1, 4);
        let whole = Vocabulary::fit(&texts, Tokens::WordsAndMarks, 10, 1, 512);
        let lost = |text: &&Text| length(&vocabulary, reading, text) < length(&whole, reading, text);
        let lost = texts.iter().filter(lost).count();
        let encoder = InputEncoder::Texts { vocabulary, typical: 1, reading };
        assert!(lost > 0);
        assert_eq!(encoder.truncated(&Inputs::Texts(texts.to_vec())), Some(lost), "{reading:?}");
    }
}

#[test]
fn each_plane_has_its_own_mean_and_deviation() {
    let pixels = vec![0, 255, 51, 51, 255, 0, 51, 51];
    let found = Normalisation::fit(&Images { channels: 2, height: 1, width: 2, pixels });
    assert_eq!(found.mean, vec![0.5, 0.2]);
    assert_eq!(found.std, vec![0.5, 1.0]);
}
