//! Reads a user's numbers and categories: one example a row of delimited text.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::names::normalized;
use super::table::{Header, TableReader, number, read_file, shown, target_column};
use super::{MAX_CATEGORIES, NumberColumns, OwnError, RawRows, RawTargets, RowPlace, TabularLayout, is_class_name};
use crate::example::Inputs;
use crate::tabular::{Table, TableColumns};

pub(super) fn read(path: &Path, layout: &TabularLayout) -> Result<RawRows, OwnError> {
    read_file(path, |data| read_rows(data, path, layout))
}

fn read_rows(data: &[u8], path: &Path, layout: &TabularLayout) -> Result<RawRows, OwnError> {
    let (mut table, header) = TableReader::open(data, path, (layout.delimiter, layout.quoting, layout.header))?;
    let columns = ColumnNumbers::find(&header, layout)?;
    let names = |columns: &[usize]| columns.iter().map(|&column| header.name(column)).collect();
    let (mut numbers, mut categories) = (Vec::new(), Vec::new());
    let mut known: Vec<HashSet<Arc<str>>> = vec![HashSet::new(); columns.categories.len()];
    let mut targets = RawTargets::new(&layout.target);
    let mut places = Vec::new();
    let is_missing = |field: &str| layout.missing.iter().any(|word| word == field);
    while let Some(place) = table.row(&header)? {
        for &column in &columns.numbers {
            let field = table.text(column);
            if is_missing(field) {
                numbers.push(Table::MISSING);
                continue;
            }
            let number = number(field).map_err(|expected| {
                let column = header.name(column);
                not_a_number(&place, &column, field, &expected)
            })?;
            numbers.push(number as f32);
        }
        for (&column, known) in columns.categories.iter().zip(&mut known) {
            let field = table.text(column);
            let word = if is_missing(field) { "" } else { category(field, &place, &header.name(column))? };
            let word = normalized(word);
            let word = known.get(&*word).cloned().unwrap_or_else(|| Arc::from(&*word));
            if known.insert(Arc::clone(&word)) && known.len() > MAX_CATEGORIES {
                let expected = format!("at most {MAX_CATEGORIES} categories in column '{}'", header.name(column));
                let found = "one more; if it holds numbers, name it in features; leave it out if it names each row";
                return Err(OwnError::format(&place, expected, found));
            }
            categories.push(word);
        }
        targets.read(&table, columns.target)?;
        places.push(place);
    }
    let columns = Arc::new(TableColumns { numbers: names(&columns.numbers), categories: names(&columns.categories) });
    let inputs = Inputs::Table(Table { columns, numbers, categories });
    Ok(RawRows { inputs, targets, places, sizes: None, checksums: Vec::new() })
}

fn not_a_number(place: &RowPlace, column: &str, field: &str, expected: &str) -> OwnError {
    let expected = format!("in column '{column}' {expected}");
    let found = match field {
        "" => "an empty field; if it stands for a missing value, set missing = [\"\"]".to_owned(),
        field => format!(
            "{}; if it stands for a missing value, add it to missing; if the column holds categories, name it in categories; with features = \
             \"*\", columns can be left out by ignore",
            shown(field)
        ),
    };
    OwnError::format(place, expected, found)
}

fn category<'a>(field: &'a str, place: &RowPlace, column: &str) -> Result<&'a str, OwnError> {
    match field {
        "" => {
            let expected = format!("a category in column '{column}'");
            let found = "an empty field; if it stands for a missing value, set missing = [\"\"]";
            Err(OwnError::format(place, expected, found))
        }
        field if is_class_name(field) => Ok(field),
        field => {
            let expected = format!("in column '{column}' a category with visible characters and no control characters");
            Err(OwnError::format(place, expected, shown(field)))
        }
    }
}

/// The numbers of the columns in use.
struct ColumnNumbers {
    numbers: Vec<usize>,
    categories: Vec<usize>,
    target: usize,
}

impl ColumnNumbers {
    fn find(header: &Header, layout: &TabularLayout) -> Result<ColumnNumbers, OwnError> {
        let categories = header.find_all(&layout.categories)?;
        let target = header.find(target_column(&layout.target))?;
        let mut used: Vec<usize> = categories.iter().copied().chain([target]).collect();
        let numbers = match &layout.numbers {
            NumberColumns::These(columns) => header.find_all(columns)?,
            NumberColumns::AllBut(others) => {
                let others = header.find_all(others)?;
                let not: BTreeSet<usize> = used.iter().chain(&others).copied().collect();
                used.extend(others);
                (0..header.count).filter(|column| !not.contains(column)).collect()
            }
        };
        used.extend(&numbers);
        header.refuse_repeated(used, "each feature, each category and for the target")?;
        header.refuse_unnamed(numbers.iter().chain(&categories).copied())?;
        if numbers.is_empty() && categories.is_empty() {
            return Err(header.nothing("a column to learn from"));
        }
        Ok(ColumnNumbers { numbers, categories, target })
    }
}
