//! The features of a row of a table: its numbers, which of them are missing, and one feature for each category.
//!
//! A missing number becomes the median of its column, and a feature says that it was missing. A column that has no number in the training
//! rows is 0 in every row. A missing category is a category of its own. A category that no training row has has no feature, so that all features of its column are zero. These are the encodings of
//! scikit-learn's `SimpleImputer` (median, with indicators), `StandardScaler` and `OneHotEncoder`, learned from the training rows. That
//! imputer leaves a column without a number out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bakeoff_datasets::{Table, TableColumns};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::scale::Scale;
use crate::artefact::{ArraysIn, ArraysOut};
use crate::model::ModelError;

/// The most features of all training rows, which take 8 GiB.
const MOST_VALUES: u64 = 1 << 31;

/// What a saved [`ColumnEncoder`] stores beside its arrays.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnState {
    columns: TableColumns,
    /// The columns of numbers of which some were missing, by their places.
    indicated: Vec<usize>,
    /// The categories of each column, in the order of their features. A missing one is empty.
    categories: Vec<Vec<String>>,
    /// The columns of numbers that have none in the training rows.
    empty: Vec<usize>,
    /// Whether numbers are in standard deviations from their means.
    is_scaled: bool,
}

/// An encoder fitted on the training rows.
#[derive(Debug, Clone)]
pub(crate) struct ColumnEncoder {
    columns: Arc<TableColumns>,
    /// The median of each column of numbers; `None` if no training row has a number there.
    medians: Vec<Option<f32>>,
    indicated: Vec<usize>,
    /// `None` if numbers stay as they are.
    scale: Option<Scale>,
    /// The place of each category among the features of its column.
    places: Vec<HashMap<Arc<str>, usize>>,
}

impl ColumnEncoder {
    /// Learns from at least one row, and encodes all of them.
    ///
    /// # Errors
    /// If their features take too much memory.
    pub(crate) fn fit(table: &Table, is_scaled: bool) -> Result<(ColumnEncoder, Array2<f32>), ModelError> {
        let numbers = table.columns.numbers.len();
        let is_indicated = |&column: &usize| table.number_column(column).any(f32::is_nan);
        let places = (0..table.columns.categories.len()).map(|column| {
            let known: BTreeSet<&str> = table.category_column(column).collect();
            known.into_iter().map(Arc::from).zip(0..).collect()
        });
        let mut encoder = ColumnEncoder {
            columns: Arc::clone(&table.columns),
            medians: (0..numbers).map(|column| median(table.number_column(column).collect())).collect(),
            indicated: (0..numbers).filter(is_indicated).collect(),
            scale: None,
            places: places.collect(),
        };
        let (width, rows) = (encoder.width() as u64, table.len() as u64);
        if width.saturating_mul(rows) > MOST_VALUES {
            let most = MOST_VALUES / width;
            return Err(ModelError::Unsupported(format!(
                "{width} features of {rows} training rows take more than {} GiB: set train_size = {most} or less for the task",
                (MOST_VALUES * size_of::<f32>() as u64) >> 30
            )));
        }
        let mut rows = encoder.encode(table);
        if is_scaled {
            let (mut part, _) = rows.view_mut().split_at(Axis(1), numbers);
            let scale = Scale::fit(&part.view());
            scale.apply(&mut part);
            encoder.scale = Some(scale);
        }
        Ok((encoder, rows))
    }

    /// One row for each row of a table with the columns of the training rows, `rows x features`.
    pub(crate) fn encode(&self, table: &Table) -> Array2<f32> {
        let numbers = self.medians.len();
        let mut rows = Array2::zeros((table.len(), self.width()));
        for (row, mut features) in rows.outer_iter_mut().enumerate() {
            let found = table.numbers_of(row);
            for (column, (&number, &median)) in found.iter().zip(&self.medians).enumerate() {
                features[column] = median.map_or(0.0, |median| if number.is_nan() { median } else { number });
            }
            for (place, &column) in self.indicated.iter().enumerate() {
                features[numbers + place] = f32::from(u8::from(found[column].is_nan()));
            }
            let mut from = numbers + self.indicated.len();
            for (word, places) in table.categories_of(row).iter().zip(&self.places) {
                if let Some(place) = places.get(word) {
                    features[from + place] = 1.0;
                }
                from += places.len();
            }
        }
        if let Some(scale) = &self.scale {
            scale.apply(&mut rows.view_mut().split_at(Axis(1), numbers).0);
        }
        rows
    }

    /// Whether a table has the columns of the training rows.
    pub(crate) fn fits(&self, table: &Table) -> bool {
        self.columns == table.columns
    }

    /// The number of features.
    pub(crate) fn width(&self) -> usize {
        let [numbers, categories @ ..] = &*self.groups() else {
            unreachable!("numbers have a group, which may be empty")
        };
        numbers + categories.iter().sum::<usize>()
    }

    /// How many features belong to numbers, those of missing ones included, and then to each column of categories.
    pub(crate) fn groups(&self) -> Vec<usize> {
        let numbers = self.medians.len() + self.indicated.len();
        std::iter::once(numbers).chain(self.places.iter().map(HashMap::len)).collect()
    }

    /// A name for each feature.
    pub(crate) fn feature_names(&self) -> Vec<String> {
        let missing = |name: &str| format!("{name} is missing");
        let numbers = self.columns.numbers.iter();
        let numbers = numbers.map(|name| match self.scale {
            Some(_) => format!("{name} in standard deviations"),
            None => name.clone(),
        });
        let indicators = self.indicated.iter().map(|&column| missing(&self.columns.numbers[column]));
        let categories = self.columns.categories.iter().zip(self.categories()).flat_map(|(name, words)| {
            let named = move |word: String| if word.is_empty() { missing(name) } else { format!("{name} = {word}") };
            words.into_iter().map(named)
        });
        numbers.chain(indicators).chain(categories).collect()
    }

    /// The categories of each column, in the order of their features.
    fn categories(&self) -> Vec<Vec<String>> {
        let ordered = |places: &HashMap<Arc<str>, usize>| {
            let mut words: Vec<(&Arc<str>, usize)> = places.iter().map(|(word, place)| (word, *place)).collect();
            words.sort_by_key(|(_, place)| *place);
            words.into_iter().map(|(word, _)| word.to_string()).collect()
        };
        self.places.iter().map(ordered).collect()
    }

    /// Adds the learned arrays and returns everything else that was learned.
    pub(crate) fn save(&self, arrays: &mut ArraysOut) -> ColumnState {
        arrays.add("columns.median", &[self.medians.len()], self.medians.iter().map(|median| median.unwrap_or(0.0)));
        self.scale.iter().for_each(|scale| scale.save("columns", arrays));
        ColumnState {
            columns: self.columns.as_ref().clone(),
            indicated: self.indicated.clone(),
            categories: self.categories(),
            empty: (0..self.medians.len()).filter(|&column| self.medians[column].is_none()).collect(),
            is_scaled: self.scale.is_some(),
        }
    }

    /// Restores an encoder from what [`ColumnEncoder::save`] stored.
    ///
    /// # Errors
    /// If the stored encoder is not one for so many columns of numbers and of categories.
    pub(crate) fn load(
        state: ColumnState,
        [numbers, categories]: [usize; 2],
        arrays: &mut ArraysIn,
    ) -> Result<ColumnEncoder, ModelError> {
        let ColumnState { columns, indicated, categories: words, empty, is_scaled } = state;
        let fits = columns.numbers.len() == numbers
            && columns.categories.len() == categories
            && words.len() == categories
            && words.iter().all(|words| !words.is_empty())
            && indicated.iter().chain(&empty).all(|&column| column < numbers)
            && indicated.windows(2).all(|pair| pair[0] < pair[1]);
        if !fits {
            return Err(arrays.refused("goes with other columns than the task has"));
        }
        let mut places = Vec::new();
        for words in words {
            let count = words.len();
            let place: HashMap<Arc<str>, usize> = words.into_iter().map(Arc::from).zip(0..).collect();
            if place.len() != count {
                return Err(arrays.refused("goes with a column that has a category twice"));
            }
            places.push(place);
        }
        let medians: Vec<f32> = arrays.take("columns.median", &[numbers])?;
        let medians = medians.into_iter().enumerate();
        let medians = medians.map(|(column, median)| (!empty.contains(&column)).then_some(median)).collect();
        let scale = is_scaled.then(|| Scale::load("columns", numbers, arrays)).transpose()?;
        Ok(ColumnEncoder { columns: Arc::new(columns), medians, indicated, scale, places })
    }
}

/// The median of the numbers that are not missing, the mean of the middle two if they are even in number. `None` if there is none.
fn median(mut numbers: Vec<f32>) -> Option<f32> {
    numbers.retain(|number| !number.is_nan());
    numbers.sort_by(f32::total_cmp);
    match (numbers.len() / 2, numbers.len() % 2) {
        (0, 0) => None,
        (middle, 1) => Some(numbers[middle]),
        (middle, _) => Some(f32::midpoint(numbers[middle - 1], numbers[middle])),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn table(rows: &[(f32, f32, &str)]) -> Table {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let columns = Arc::new(TableColumns { numbers: names(&["age", "income"]), categories: names(&["city"]) });
        let numbers = rows.iter().flat_map(|row| [row.0, row.1]).collect();
        Table { columns, numbers, categories: rows.iter().map(|row| Arc::from(row.2)).collect() }
    }

    #[test]
    fn missing_numbers_are_medians_with_a_feature_and_unknown_categories_have_no_feature() {
        let train = table(&[(1.0, 4.0, "Rome"), (2.0, Table::MISSING, ""), (6.0, 8.0, "Oslo"), (7.0, 1.0, "Rome")]);
        let (encoder, rows) = ColumnEncoder::fit(&train, false).unwrap();
        let names = ["age", "income", "income is missing", "city is missing", "city = Oslo", "city = Rome"];
        assert_eq!(encoder.feature_names(), names);
        assert_eq!(encoder.groups(), [3, 3]);
        assert_eq!(rows.row(1).to_vec(), [2.0, 4.0, 1.0, 1.0, 0.0, 0.0]);
        let unseen = encoder.encode(&table(&[(Table::MISSING, 3.0, "Bonn")]));
        assert_eq!(
            unseen.row(0).to_vec(),
            [4.0, 3.0, 0.0, 0.0, 0.0, 0.0],
            "the median of four is the mean of the middle two"
        );
    }

    #[test]
    fn numbers_are_scaled_by_the_training_rows_and_categories_are_not() {
        let (encoder, rows) = ColumnEncoder::fit(&table(&[(1.0, 5.0, "a"), (3.0, 5.0, "b")]), true).unwrap();
        assert_eq!(rows.row(0).to_vec(), [-1.0, 0.0, 1.0, 0.0]);
        assert_eq!(encoder.encode(&table(&[(4.0, 6.0, "b")])).row(0).to_vec(), [2.0, 1.0, 0.0, 1.0]);
    }
    #[test]
    fn a_column_without_a_number_in_the_training_rows_says_nothing_of_other_rows() {
        let empty = Table::MISSING;
        for is_scaled in [false, true] {
            let (encoder, _) = ColumnEncoder::fit(&table(&[(1.0, empty, "a"), (3.0, empty, "a")]), is_scaled).unwrap();
            let rows = encoder.encode(&table(&[(1.0, 50_000.0, "a"), (1.0, empty, "a")]));
            assert_eq!((rows[[0, 1]], rows[[1, 1]]), (0.0, 0.0));
        }
    }

    #[test]
    fn numbers_of_any_size_are_scaled() {
        let (_, rows) = ColumnEncoder::fit(&table(&[(1e-20, 1e20, "a"), (3e-20, 3e20, "a")]), true).unwrap();
        for column in 0..2 {
            assert!((rows[[0, column]] + 1.0).abs() < 1e-5 && (rows[[1, column]] - 1.0).abs() < 1e-5, "{rows}");
        }
    }
}
