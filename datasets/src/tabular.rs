//! Rows of a table: named columns of numbers and of categories.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The names of a table's columns, which all of its rows share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableColumns {
    /// Those of numbers.
    pub numbers: Vec<String>,
    /// Those of categories.
    pub categories: Vec<String>,
}

/// Rows of a table, which has at least one column.
#[derive(Debug, Clone)]
pub struct Table {
    /// The columns.
    pub columns: Arc<TableColumns>,
    /// `rows x numbers`, row-major. A missing one is [`Table::MISSING`].
    pub numbers: Vec<f32>,
    /// `rows x categories`, row-major. A missing one is empty.
    pub categories: Vec<Arc<str>>,
}

impl Table {
    /// A number that is missing. It is the only one that is not finite.
    pub const MISSING: f32 = f32::NAN;

    /// The number of rows.
    pub fn len(&self) -> usize {
        match (self.columns.numbers.len(), self.columns.categories.len()) {
            (0, 0) => 0,
            (0, categories) => self.categories.len() / categories,
            (numbers, _) => self.numbers.len() / numbers,
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every row has a value in every column.
    pub fn is_whole(&self) -> bool {
        let rows = self.len();
        self.numbers.len() == rows * self.columns.numbers.len()
            && self.categories.len() == rows * self.columns.categories.len()
    }

    /// The numbers of a row, in the order of their columns.
    pub fn numbers_of(&self, row: usize) -> &[f32] {
        let width = self.columns.numbers.len();
        &self.numbers[row * width..][..width]
    }

    /// The categories of a row, in the order of their columns.
    pub fn categories_of(&self, row: usize) -> &[Arc<str>] {
        let width = self.columns.categories.len();
        &self.categories[row * width..][..width]
    }

    /// The numbers of a column, row by row.
    pub fn number_column(&self, column: usize) -> impl Iterator<Item = f32> + Clone + '_ {
        self.numbers.iter().copied().skip(column).step_by(self.columns.numbers.len().max(1))
    }

    /// The categories of a column, row by row.
    pub fn category_column(&self, column: usize) -> impl Iterator<Item = &str> + Clone + '_ {
        self.categories.iter().map(AsRef::as_ref).skip(column).step_by(self.columns.categories.len().max(1))
    }

    /// The rows at these numbers, in that order.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn select(&self, rows: &[usize]) -> Table {
        Table {
            columns: Arc::clone(&self.columns),
            numbers: rows.iter().flat_map(|&row| self.numbers_of(row)).copied().collect(),
            categories: rows.iter().flat_map(|&row| self.categories_of(row)).cloned().collect(),
        }
    }

    /// Appends rows of the same columns.
    pub fn extend(&mut self, more: &Table) {
        self.numbers.extend_from_slice(&more.numbers);
        self.categories.extend_from_slice(&more.categories);
    }
}

/// A missing number equals a missing one.
impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
        self.columns == other.columns
            && self.categories == other.categories
            && self.numbers.len() == other.numbers.len()
            && self.numbers.iter().zip(&other.numbers).all(same)
    }
}

impl Eq for Table {}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(numbers: &[f32], categories: &[&str]) -> Table {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let columns = Arc::new(TableColumns { numbers: names(&["age", "income"]), categories: names(&["city"]) });
        let categories = categories.iter().map(|word| Arc::from(*word)).collect();
        Table { columns, numbers: numbers.to_vec(), categories }
    }

    #[test]
    fn rows_and_columns_are_found_and_a_missing_number_equals_a_missing_one() {
        let mut all = table(&[1.0, 2.0, 3.0, Table::MISSING], &["Rome", ""]);
        assert_eq!(all.len(), 2);
        assert_eq!(all.numbers_of(0), [1.0, 2.0]);
        assert_eq!(all.number_column(0).collect::<Vec<_>>(), [1.0, 3.0]);
        assert_eq!(all.category_column(0).collect::<Vec<_>>(), ["Rome", ""]);
        assert_eq!(all.select(&[1, 0]), table(&[3.0, Table::MISSING, 1.0, 2.0], &["", "Rome"]));
        assert_ne!(all, table(&[1.0, 2.0, 3.0, 4.0], &["Rome", ""]));
        all.extend(&table(&[5.0, 6.0], &["Oslo"]));
        assert_eq!((all.len(), &*all.categories_of(2)[0]), (3, "Oslo"));
    }
}
