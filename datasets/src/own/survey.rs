//! Describes examples before a model sees them: lengths, balance, duplicates.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use super::{Own, RowPlace};
use crate::example::{Inputs, Split, Targets};
use crate::leakage::{DistinctInputs, Repetition, class_counts};
use crate::tabular::Table;

/// The number of duplicates whose places are shown.
const SHOWN: usize = 3;

/// What the data holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Training rows.
    pub train_rows: usize,
    /// Test rows.
    pub test_rows: usize,
    /// Each class with its training rows and test rows; empty for a regression.
    pub classes: Vec<(String, usize, usize)>,
    /// Smallest, median and largest target of the training rows and of the test rows, if there are any; for a regression.
    pub values: Option<([f32; 3], Option<[f32; 3]>)>,
    /// As [`Own::rounded`].
    pub rounded: Option<(RowPlace, usize)>,
    /// The inputs.
    pub inputs: InputSurvey,
    /// Training rows whose input an earlier training row has.
    pub within_train: Duplicates,
    /// Test rows whose input a training row has. A model that memorises its training rows scores there.
    pub across: Duplicates,
}

/// The form of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum InputSurvey {
    /// Fewest, median and most words of the training rows and of the test rows, if there are any, both texts of a pair
    /// together.
    Words([usize; 3], Option<[usize; 3]>),
    /// Channels, height and width as models see them; width and height of the smallest and the largest image before resizing.
    Images([usize; 3], Option<[[u32; 2]; 2]>),
    /// The columns of a table: those of numbers, then those of categories.
    Table(Vec<ColumnSurvey>),
}

/// What a column of a table holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSurvey {
    /// Its name.
    pub name: String,
    /// In how many training rows and test rows its value is missing.
    pub missing: [usize; 2],
    /// Its values.
    pub values: ColumnValues,
}

/// The values of a column of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Smallest, median and largest number of the training rows and of the test rows, if there are any.
    Numbers(Option<[f32; 3]>, Option<[f32; 3]>),
    /// Categories.
    Categories {
        /// How many different ones the training rows have.
        count: usize,
        /// The commonest of them, with its number of training rows.
        commonest: Option<(String, usize)>,
        /// How many test rows have a category that no training row has.
        unknown: usize,
    },
}

/// Rows whose input an earlier row or a training row has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Duplicates {
    /// How many.
    pub count: usize,
    /// How many of them have another target than a row that they repeat.
    pub contradicting: usize,
    /// The first of them, each with the row that it repeats.
    pub first: Vec<(RowPlace, RowPlace)>,
}

/// Describes all examples.
pub fn survey(own: &Own) -> Survey {
    let (train, test) = (&own.splits.train, &own.splits.test);
    let mut within_train = Duplicates::default();
    let learned = DistinctInputs::watching(train, |row, earlier| {
        within_train.add(&earlier, &own.train_places[row], &own.train_places);
    });
    let mut across = Duplicates::default();
    for row in 0..test.len() {
        if let Some(leak) = learned.find(test, row) {
            across.add(&leak, &own.test_places[row], &own.train_places);
        }
    }
    Survey {
        train_rows: train.len(),
        test_rows: test.len(),
        classes: classes(train, test),
        values: values(train).map(|train| (train, values(test))),
        rounded: own.rounded.clone(),
        inputs: inputs(own),
        within_train,
        across,
    }
}

impl Duplicates {
    /// Adds the row at `place`, which repeats one of the training rows at `train_places`.
    fn add(&mut self, repetition: &Repetition, place: &RowPlace, train_places: &[RowPlace]) {
        self.count += 1;
        self.contradicting += usize::from(repetition.other_target);
        if self.first.len() < SHOWN {
            self.first.push((place.clone(), train_places[repetition.row].clone()));
        }
    }
}

fn classes(train: &Split, test: &Split) -> Vec<(String, usize, usize)> {
    let Targets::Classes { names, .. } = &train.targets else { return Vec::new() };
    let counts = class_counts(&train.targets).into_iter().zip(class_counts(&test.targets));
    names.iter().zip(counts).map(|(name, (train, test))| (name.clone(), train, test)).collect()
}

fn values(split: &Split) -> Option<[f32; 3]> {
    let Targets::Values(values) = &split.targets else { return None };
    spread(values.clone())
}

/// Smallest, median and largest.
fn spread(mut values: Vec<f32>) -> Option<[f32; 3]> {
    values.sort_by(f32::total_cmp);
    Some([*values.first()?, values[values.len() / 2], *values.last()?])
}

fn columns(train: &Table, test: &Table) -> Vec<ColumnSurvey> {
    let numbers = train.columns.numbers.iter().enumerate().map(|(column, name)| {
        let known = |table: &Table| table.number_column(column).filter(|x| !x.is_nan()).collect::<Vec<f32>>();
        let (train_values, test_values) = (known(train), known(test));
        ColumnSurvey {
            name: name.clone(),
            missing: [train.len() - train_values.len(), test.len() - test_values.len()],
            values: ColumnValues::Numbers(spread(train_values), spread(test_values)),
        }
    });
    let categories = train.columns.categories.iter().enumerate().map(|(column, name)| {
        let missing = |table: &Table| table.category_column(column).filter(|word| word.is_empty()).count();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        train
            .category_column(column)
            .filter(|word| !word.is_empty())
            .for_each(|word| *counts.entry(word).or_default() += 1);
        let learned: HashSet<&str> = train.category_column(column).collect();
        let commonest = counts.iter().max_by_key(|(word, count)| (**count, std::cmp::Reverse(**word)));
        ColumnSurvey {
            name: name.clone(),
            missing: [missing(train), missing(test)],
            values: ColumnValues::Categories {
                count: counts.len(),
                commonest: commonest.map(|(word, count)| ((*word).to_owned(), *count)),
                unknown: test
                    .category_column(column)
                    .filter(|word| !word.is_empty() && !learned.contains(word))
                    .count(),
            },
        }
    });
    numbers.chain(categories).collect()
}

fn inputs(own: &Own) -> InputSurvey {
    let words = |split: &Split| {
        let Inputs::Texts(texts) = &split.inputs else { return None };
        let count = |text: &str| text.unicode_words().count();
        let mut counts: Vec<usize> =
            texts.iter().map(|text| count(&text.first) + text.second.as_deref().map_or(0, count)).collect();
        counts.sort_unstable();
        Some([*counts.first()?, counts[counts.len() / 2], *counts.last()?])
    };
    match &own.splits.train.inputs {
        Inputs::Texts(_) => InputSurvey::Words(words(&own.splits.train).unwrap_or_default(), words(&own.splits.test)),
        Inputs::Images(images) => InputSurvey::Images([images.channels, images.height, images.width], own.sizes),
        Inputs::Table(train) => match &own.splits.test.inputs {
            Inputs::Table(test) => InputSurvey::Table(columns(train, test)),
            _ => unreachable!("both splits are of one format"),
        },
    }
}

impl fmt::Display for Survey {
    /// Writes lines of `what: …`, without a newline after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.test_rows {
            0 => writeln!(f, "rows: {}, to be divided into folds", self.train_rows)?,
            test_rows => writeln!(f, "rows: {} training, {test_rows} test", self.train_rows)?,
        }
        match &self.inputs {
            InputSurvey::Words(train, test) => writeln!(f, "words: {}", ranges(train, test.as_ref()))?,
            InputSurvey::Images([channels, height, width], sizes) => {
                write!(f, "images: {channels} x {height} x {width}")?;
                match sizes {
                    Some([[w, h], most]) if [*w, *h] == *most => write!(f, ", made of images of {w} x {h} pixels")?,
                    Some([[w, h], [most_w, most_h]]) => {
                        write!(f, ", made of images of {w} x {h} to {most_w} x {most_h} pixels")?;
                    }
                    None => {}
                }
                writeln!(f)?;
            }
            InputSurvey::Table(columns) => {
                writeln!(f, "columns: {}", columns.len())?;
                columns.iter().try_for_each(|column| writeln!(f, "  {column}"))?;
            }
        }
        if let Some((train, test)) = &self.values {
            writeln!(f, "values: {}", ranges(train, test.as_ref()))?;
        } else {
            writeln!(f, "classes: {}", self.classes.len())?;
        }
        if let Some((place, count)) = &self.rounded {
            writeln!(
                f,
                "rounded: {count} values, because only about seven digits are stored; the first is in {place}"
            )?;
        }
        for (class, train, test) in &self.classes {
            let percent = 100.0 * *train as f64 / self.train_rows as f64;
            let has_test = self.test_rows > 0;
            let remark = match (train, test) {
                (0, _) => "  (in no training row)",
                (1, _) => "  (one training row: no model can learn a class from that)",
                (_, 0) if has_test => "  (in no test row)",
                _ => "",
            };
            let test = if has_test { format!(" and {test}") } else { String::new() };
            writeln!(f, "  {class}: {train} ({percent:.1} %){test}{remark}")?;
        }
        match self.within_train.count {
            0 => write!(f, "duplicates within the training rows: none")?,
            count => write!(
                f,
                "duplicates within the training rows: {count} ({} with another target)",
                self.within_train.contradicting
            )?,
        }
        self.within_train.list(f)?;
        if self.test_rows == 0 {
            return Ok(());
        }
        match self.across.count {
            0 => write!(f, "\nleakage: none of the test rows occurs in the training rows")?,
            count => write!(
                f,
                "\nleakage: {count} test {} in the training rows ({} of them with a different target)",
                if count == 1 { "row also occurs" } else { "rows also occur" },
                self.across.contradicting
            )?,
        }
        self.across.list(f)
    }
}

impl fmt::Display for ColumnSurvey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.values {
            ColumnValues::Numbers(None, _) => write!(f, "no number in the training rows")?,
            ColumnValues::Numbers(Some(train), test) => write!(f, "{}", ranges(train, test.as_ref()))?,
            ColumnValues::Categories { count, commonest, unknown } => {
                write!(f, "{count} {}", if *count == 1 { "category" } else { "categories" })?;
                if let Some((word, rows)) = commonest {
                    write!(f, ", the commonest '{word}' ({rows} training rows)")?;
                }
                if *unknown > 0 {
                    write!(f, "; {unknown} test rows have a category that no training row has")?;
                }
            }
        }
        match self.missing {
            [0, 0] => Ok(()),
            [train, test] => write!(f, "; missing in {train} training and {test} test rows"),
        }
    }
}

/// `1 to 9, median 4 (training), 2 to 7, median 3 (test)`.
fn ranges<T: fmt::Display>(train: &[T; 3], test: Option<&[T; 3]>) -> String {
    let range = |[least, median, most]: &[T; 3]| format!("{least} to {most}, median {median}");
    match test {
        Some(test) => format!("{} (training), {} (test)", range(train), range(test)),
        None => range(train),
    }
}

impl Duplicates {
    /// Writes the first places, each on a line of its own.
    fn list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, repeated) in &self.first {
            write!(f, "\n  {place} repeats {repeated}")?;
        }
        if self.count > self.first.len() {
            write!(f, "\n  and {} more", self.count - self.first.len())?;
        }
        Ok(())
    }
}
