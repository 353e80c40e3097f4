//! What the process that fits a model leaves for the process that serves it: the saved model and the inputs of the test rows.
//!
//! The serving process is given nothing else. It does not read the data, so its memory is that of a program which serves, and
//! it has nothing to predict with but the artefact.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Table, TableColumns, Text};
use bakeoff_reports::{PredictionRow, RunDir};
use serde::{Deserialize, Serialize};

use crate::case::Case;

/// Where a fitted model waits to be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingPlace {
    /// The folder of the saved model. There is none before the fit.
    pub artefact: PathBuf,
    /// The file with the inputs of the test rows.
    pub inputs: PathBuf,
    /// The file with inputs that the model has never been asked to predict. There is none unless the scenarios are audited.
    pub unseen: PathBuf,
}

/// A folder for one case. It is removed when the value is dropped; what a kill leaves, the recorder tidies up.
#[derive(Debug)]
pub struct ServingFolder {
    folder: PathBuf,
    place: ServingPlace,
}

impl ServingFolder {
    /// The folder of a case. It is in the directory of its run, or among temporary files if it belongs to none. A model that is to
    /// be kept is saved where it stays.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn make(case: &Case, run: Option<&RunDir>) -> Result<ServingFolder, String> {
        let folder = match run {
            Some(run) => in_run(run, case)?,
            None => tempfile::tempdir().map_err(|error| unmade(&std::env::temp_dir(), &error))?.keep(),
        };
        let kept = run.filter(|_| case.keep_model).map(|run| run.model_path(&case.id));
        let place = ServingPlace {
            artefact: kept.unwrap_or_else(|| folder.join("model")),
            inputs: folder.join("inputs"),
            unseen: folder.join("unseen"),
        };
        Ok(ServingFolder { folder, place })
    }

    /// Where the model is saved, and where the inputs are.
    pub fn place(&self) -> &ServingPlace {
        &self.place
    }

    /// Whether the model and the inputs are there, so that the model can be served.
    pub fn is_filled(&self) -> bool {
        self.place.artefact.exists() && self.place.inputs.exists()
    }
}

impl Drop for ServingFolder {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the run ends.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes the folder of a case in the directory of its run. It does not make the directory again if that was moved or removed.
fn in_run(run: &RunDir, case: &Case) -> Result<PathBuf, String> {
    let folder = run.serving_path(&case.id);
    // An earlier attempt may have left something that could not be removed then.
    let _ = fs::remove_dir_all(&folder);
    for folder in [folder.parent().unwrap_or(run.path()), folder.as_path()] {
        make_folder(folder).map_err(|error| unmade(folder, &error))?;
    }
    Ok(folder)
}

/// Makes a folder, but not those above it. It may be there already.
///
/// # Errors
/// If it cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn unmade(folder: &Path, error: &io::Error) -> String {
    format!("failed to make a folder for the saved model in {}: {error}", folder.display())
}

/// The first line of a file of inputs. The rest are pixels, the texts as JSON, or the numbers of a table in 32 bits each and then its
/// categories as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Header {
    Images { channels: usize, height: usize, width: usize, bytes: usize },
    Texts { bytes: usize },
    Table { columns: TableColumns, numbers: usize, bytes: usize },
}

/// Writes inputs to a file. Its folder must be there.
///
/// # Errors
/// If the file cannot be written.
pub fn write_inputs(path: &Path, inputs: &Inputs) -> Result<(), String> {
    let failed = |error: serde_json::Error| format!("failed to write {}: {error}", path.display());
    let texts: Vec<u8>;
    let (header, body) = match inputs {
        Inputs::Images(Images { channels, height, width, pixels }) => {
            let (channels, height, width, bytes) = (*channels, *height, *width, pixels.len());
            (Header::Images { channels, height, width, bytes }, pixels)
        }
        Inputs::Texts(rows) => {
            let rows: Vec<(&str, Option<&str>)> =
                rows.iter().map(|text| (text.first.as_str(), text.second.as_deref())).collect();
            texts = serde_json::to_vec(&rows).map_err(failed)?;
            (Header::Texts { bytes: texts.len() }, &texts)
        }
        Inputs::Table(table) => {
            let mut bytes: Vec<u8> = table.numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            let words: Vec<&str> = table.categories.iter().map(AsRef::as_ref).collect();
            serde_json::to_writer(&mut bytes, &words).map_err(failed)?;
            texts = bytes;
            let (columns, numbers) = (table.columns.as_ref().clone(), table.numbers.len());
            (Header::Table { columns, numbers, bytes: texts.len() }, &texts)
        }
    };
    let mut file = serde_json::to_vec(&header).map_err(failed)?;
    file.push(b'\n');
    file.extend(body);
    fs::write(path, file).map_err(|error| {
        // Half a file is of no use.
        let _ = fs::remove_file(path);
        format!("failed to write {}: {error}", path.display())
    })
}

/// Reads the inputs that [`write_inputs`] wrote.
///
/// # Errors
/// Names the file that is missing, cut off or something else.
pub fn read_inputs(path: &Path) -> Result<Inputs, String> {
    let fault = |what: &dyn std::fmt::Display| format!("failed to read the test inputs in {}: {what}", path.display());
    let mut file = BufReader::new(File::open(path).map_err(|error| fault(&error))?);
    let mut line = String::new();
    file.read_line(&mut line).map_err(|error| fault(&error))?;
    let header: Header = serde_json::from_str(&line).map_err(|error| fault(&error))?;
    let (Header::Images { bytes, .. } | Header::Texts { bytes } | Header::Table { bytes, .. }) = header;
    // A file that is longer than it says is read one byte further, to be refused.
    let mut body = Vec::new();
    file.take(bytes as u64 + 1).read_to_end(&mut body).map_err(|error| fault(&error))?;
    if body.len() != bytes {
        return Err(fault(&format!("it has not the {bytes} bytes that its first line states")));
    }
    match header {
        Header::Images { channels, height, width, .. } => {
            Ok(Inputs::Images(Images { channels, height, width, pixels: body }))
        }
        Header::Texts { .. } => {
            let rows: Vec<(String, Option<String>)> = serde_json::from_slice(&body).map_err(|error| fault(&error))?;
            Ok(Inputs::Texts(rows.into_iter().map(|(first, second)| Text { first, second }).collect()))
        }
        Header::Table { columns, numbers, .. } => {
            let size = numbers.saturating_mul(size_of::<f32>());
            let (numbers, words) = body.split_at_checked(size).ok_or_else(|| fault(&"it has too few numbers"))?;
            let numbers = numbers.chunks_exact(size_of::<f32>());
            let numbers = numbers.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap_or_default())).collect();
            let words: Vec<String> = serde_json::from_slice(words).map_err(|error| fault(&error))?;
            let categories = words.into_iter().map(Arc::from).collect();
            let table = Table { columns: Arc::new(columns), numbers, categories };
            if table.is_whole() { Ok(Inputs::Table(table)) } else { Err(fault(&"its rows do not fit its columns")) }
        }
    }
}

/// The first test row for which the loaded model gives another prediction than the fitted one, in words; `None` if they are the same. On
/// the processor they must be so to the last bit. On a card, two processes may choose two kernels for the same product, so numbers may be
/// a hundredth apart, and one label in a hundred may be another one.
pub fn difference(fitted: &[PredictionRow], loaded: &[PredictionRow], is_on_card: bool) -> Option<String> {
    if fitted.len() != loaded.len() {
        let (before, now) = (fitted.len(), loaded.len());
        return Some(format!("the loaded model gives {now} predictions, the fitted one gave {before}"));
    }
    let bits = |row: &PredictionRow| row.probabilities.iter().map(|share| share.to_bits()).collect::<Vec<_>>();
    let differs = |before: &PredictionRow, now: &PredictionRow| match is_on_card {
        false => before.prediction != now.prediction || bits(before) != bits(now),
        true => !is_close(before, now),
    };
    let rows: Vec<_> = fitted.iter().zip(loaded).filter(|(before, now)| differs(before, now)).collect();
    let (before, now) = rows.first()?;
    if is_on_card && rows.len() * 100 <= fitted.len() {
        return None;
    }
    let (now, was) = (shown(now), shown(before));
    let all = if is_on_card { format!(" in {} of {} test rows", rows.len(), fitted.len()) } else { String::new() };
    Some(format!(
        "the loaded model predicts otherwise than the fitted one{all}, first for test row {}: {now}, and it was {was}",
        before.example
    ))
}

/// How far apart two probabilities of one row, or two numbers by their size, may be on a card. A product may be in TF32, whose factors have
/// 10 bits after the point.
const CARD_TOLERANCE: f64 = 0.01;

/// Whether two predictions are the same, rounding on a card aside.
fn is_close(before: &PredictionRow, now: &PredictionRow) -> bool {
    let near = |one: f64, other: f64, size: f64| (one - other).abs() <= CARD_TOLERANCE * size;
    if before.probabilities.is_empty() {
        return match (before.prediction.parse::<f64>(), now.prediction.parse::<f64>()) {
            (Ok(one), Ok(other)) => near(one, other, one.abs().max(1.0)),
            _ => before.prediction == now.prediction,
        };
    }
    let shares = before.probabilities.iter().zip(&now.probabilities);
    before.prediction == now.prediction
        && before.probabilities.len() == now.probabilities.len()
        && shares.into_iter().all(|(one, other)| near(f64::from(*one), f64::from(*other), 1.0))
}

/// `odd (0.25 0.75)`.
fn shown(row: &PredictionRow) -> String {
    if row.probabilities.is_empty() {
        return row.prediction.clone();
    }
    let shares: Vec<String> = row.probabilities.iter().map(ToString::to_string).collect();
    format!("{} ({})", row.prediction, shares.join(" "))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn row(example: usize, prediction: &str, probabilities: &[f32]) -> PredictionRow {
        PredictionRow {
            example,
            target: String::new(),
            prediction: prediction.to_owned(),
            probabilities: probabilities.to_vec(),
        }
    }

    #[test]
    fn the_first_row_that_differs_is_named_with_both_predictions() {
        let fitted = [row(0, "odd", &[0.25, 0.75]), row(1, "even", &[0.5, 0.5]), row(2, "odd", &[0.0, 1.0])];
        assert_eq!(difference(&fitted, &fitted, false), None);
        let mut loaded = fitted.clone();
        loaded[1] = row(1, "even", &[0.500_000_06, 0.5]);
        loaded[2] = row(2, "even", &[1.0, 0.0]);
        let expected = "the loaded model predicts otherwise than the fitted one, first for test row 1: even (0.50000006 0.5), \
                        and it was even (0.5 0.5)";
        assert_eq!(difference(&fitted, &loaded, false).as_deref(), Some(expected));
    }

    #[test]
    fn on_a_card_one_label_in_a_hundred_may_be_another_one_and_probabilities_may_be_rounded() {
        let fitted: Vec<PredictionRow> = (0..200).map(|example| row(example, "odd", &[0.25, 0.75])).collect();
        let mut loaded: Vec<PredictionRow> = (0..200).map(|example| row(example, "odd", &[0.252, 0.748])).collect();
        assert!(difference(&fitted, &loaded, false).is_some());
        loaded[7] = row(7, "even", &[0.51, 0.49]);
        loaded[9] = row(9, "odd", &[0.4, 0.6]);
        assert_eq!(difference(&fitted, &loaded, true), None);
        loaded[11] = row(11, "even", &[0.51, 0.49]);
        let expected = "the loaded model predicts otherwise than the fitted one in 3 of 200 test rows, first for test row 7: even \
                        (0.51 0.49), and it was odd (0.25 0.75)";
        assert_eq!(difference(&fitted, &loaded, true).as_deref(), Some(expected));
        let number = |text: &str| [row(0, text, &[])];
        assert_eq!(difference(&number("21.04"), &number("21.05"), true), None);
        assert!(difference(&number("21.04"), &number("22"), true).is_some());
    }

    #[test]
    fn a_zero_of_another_sign_and_a_missing_row_are_differences() {
        let zero = [row(0, "odd", &[0.0])];
        assert!(difference(&zero, &[row(0, "odd", &[-0.0])], false).is_some());
        let expected = "the loaded model gives 0 predictions, the fitted one gave 1";
        assert_eq!(difference(&zero, &[], false).as_deref(), Some(expected));
    }

    #[test]
    fn inputs_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs");
        let texts = ["one", "two\n\"lines\"", ""].map(|first| Text { first: first.to_owned(), second: None });
        let pair = Text { first: "a".to_owned(), second: Some("\u{1F600}".to_owned()) };
        let images = Images { channels: 1, height: 2, width: 2, pixels: vec![0, 10, 255, b'\n', 1, 2, 3, 4] };
        let columns = TableColumns { numbers: vec!["x".to_owned()], categories: vec!["a \"b\"".to_owned()] };
        let categories = ["one\n", ""].map(Arc::from).to_vec();
        let table = Table { columns: Arc::new(columns), numbers: vec![1.5, Table::MISSING], categories };
        let inputs =
            [Inputs::Texts(texts.to_vec()), Inputs::Texts(vec![pair]), Inputs::Images(images), Inputs::Table(table)];
        for inputs in inputs {
            write_inputs(&path, &inputs).unwrap();
            assert_eq!(read_inputs(&path).unwrap(), inputs);
        }
    }

    #[test]
    fn inputs_that_are_cut_off_longer_or_gone_are_refused_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inputs");
        let images = Images { channels: 1, height: 1, width: 4, pixels: vec![1, 2, 3, 4] };
        write_inputs(&path, &Inputs::Images(images)).unwrap();
        let whole = fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() - 1], &[&whole[..], b"x"].concat(), b"", b"{}\n"] {
            fs::write(&path, damaged).unwrap();
            let message = read_inputs(&path).unwrap_err();
            assert!(message.contains(&path.display().to_string()), "{message}");
        }
        fs::remove_file(&path).unwrap();
        assert!(read_inputs(&path).unwrap_err().contains("No such file"));
    }
}
