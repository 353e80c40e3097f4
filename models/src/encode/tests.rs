//! Compares the encoders with scikit-image and scikit-learn (see scripts/make-fixtures/classic.py).

use bakeoff_datasets::{Images, Inputs, Text};
use ndarray::Array2;
use serde_json::Value;

use super::features::{Encoder, FeatureParams, Features};
use super::hog::{hog, width};
use super::images::ImageFeatures;
use super::scale::Scale;
use super::tfidf::TfIdf;
use super::words::{Tokens, Words};

const PARAMS: FeatureParams =
    FeatureParams { images: ImageFeatures::HOG, tokens: Tokens::WordsAndMarks, terms: 10, pairs: false, scaled: true };

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/encoders.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn texts(value: &Value) -> Vec<Text> {
    let text = |v: &Value| Text { first: v.as_str().unwrap().to_owned(), second: None };
    value.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn hog_features_are_scikit_images() {
    for image in fixture()["hog"].as_array().unwrap() {
        let shape: Vec<usize> = numbers(&image["shape"]).iter().map(|&v| v as usize).collect();
        let pixels = numbers(&image["pixels"]).iter().map(|&v| v as u8).collect();
        let features = hog(&Images { channels: shape[0], height: shape[1], width: shape[2], pixels });
        let expected = numbers(&image["features"]);
        assert_eq!(features.dim(), (1, expected.len()));
        assert_eq!(width(shape[1], shape[2]), expected.len());
        for (index, (&ours, theirs)) in features.iter().zip(&expected).enumerate() {
            assert!((f64::from(ours) - theirs).abs() < 1e-6, "{shape:?}, feature {index}: {ours} is not {theirs}");
        }
    }
}

#[test]
fn words_are_the_segments_that_another_implementation_of_the_annex_finds() {
    let fixture = fixture();
    for (text, expected) in texts(&fixture["tfidf"]["texts"]).iter().zip(fixture["words"].as_array().unwrap()) {
        let words = Words::of(&text.first, Tokens::WordsAndMarks);
        let words: Vec<&str> = words.iter().collect();
        assert_eq!(serde_json::json!(words), *expected);
    }
}

#[test]
fn tfidf_rows_are_scikit_learns() {
    let fixture = &fixture()["tfidf"];
    let encoder = TfIdf::fit(&texts(&fixture["train"]), Tokens::WordsAndMarks, usize::MAX);
    let rows = encoder.encode(&texts(&fixture["texts"])).to_dense();
    let expected = fixture["rows"].as_array().unwrap();
    assert_eq!(rows.dim(), (expected.len(), fixture["terms"].as_array().unwrap().len()));
    for (ours, theirs) in rows.rows().into_iter().zip(expected) {
        for (ours, theirs) in ours.iter().zip(numbers(theirs)) {
            assert!((f64::from(*ours) - theirs).abs() < 1e-6, "{ours} is not {theirs}");
        }
    }
}

#[test]
fn scaled_training_rows_have_mean_zero_and_variance_one_and_constants_become_zero() {
    let mut rows = Array2::from_shape_fn((50, 2), |(row, column)| if column == 0 { 7.0 } else { 3.0 * row as f32 });
    Scale::fit(&rows.view()).apply(&mut rows.view_mut());
    assert!(rows.column(0).iter().all(|&v| v == 0.0));
    assert!(rows.column(1).mean().unwrap().abs() < 1e-6);
    assert!((rows.column(1).std(0.0) - 1.0).abs() < 1e-6);
}

#[test]
fn inputs_of_another_kind_or_size_are_refused() {
    let images =
        |side: usize| Inputs::Images(Images { channels: 1, height: side, width: side, pixels: vec![0; side * side] });
    let (encoder, features) = Encoder::fit(&images(16), &PARAMS).unwrap();
    assert!(matches!(features, Features::Dense(_)));
    let error = encoder.encode(&images(24)).unwrap_err().to_string();
    assert_eq!(error, "this model was fitted on images of 1 x 16 x 16, not on these inputs");
    let (encoder, _) = Encoder::fit(&Inputs::Texts(texts(&serde_json::json!(["a film"]))), &PARAMS).unwrap();
    assert_eq!(
        encoder.encode(&images(16)).unwrap_err().to_string(),
        "this model was fitted on texts, not on these inputs"
    );
}
