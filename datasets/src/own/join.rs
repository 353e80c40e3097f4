//! Makes splits from files: reads and joins them, numbers the classes, and sets test rows aside.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::names::{LookAlikes, normalized};
use super::{DataFormat, MAX_CLASSES, Own, OwnData, OwnError, Part, RawRows, RawTargets, RowPlace, TestRows};
use super::{binary, idx, images, table, tabular};
use crate::example::{Inputs, Split, Splits, Targets};
use crate::split::set_aside;
use crate::tabular::Table;

pub(super) fn load(data: &OwnData) -> Result<Own, OwnError> {
    let mut checksums = BTreeMap::new();
    let mut read = |parts: &[Part], role: &str| -> Result<RawRows, OwnError> {
        let rows = read_parts(&data.layout, parts)?;
        let count = rows.checksums.len();
        let digits = count.to_string().len();
        for (index, (name, sum)) in rows.checksums.iter().enumerate() {
            // The order of the files decides the numbers of the rows, and which labels belong to which images.
            let number = if count > 1 { format!(" {:0digits$}", index + 1) } else { String::new() };
            checksums.insert(format!("{role}{number}: {name}"), sum.clone());
        }
        Ok(rows)
    };
    check_image_folders(data)?;
    let train = read(&data.train, "train")?;
    let names = class_names(&train, given_classes(&data.layout))?;
    let mut rounded = rounded_values(&train);
    let (train, test, sizes) = match &data.test {
        TestRows::Parts(parts) => {
            let test = read(parts, "test")?;
            rounded.extend(rounded_values(&test));
            check_same_form(&train, &test)?;
            let sizes = join_sizes(train.sizes, test.sizes);
            (Placed::new(train, names.as_ref())?, Placed::new(test, names.as_ref())?, sizes)
        }
        TestRows::Share { share, seed } => {
            let sizes = train.sizes;
            let (train, test) = Placed::new(train, names.as_ref())?.parted(*share, *seed)?;
            (train, test, sizes)
        }
        TestRows::None => {
            let sizes = train.sizes;
            let train = Placed::new(train, names.as_ref())?;
            let test = train.select(&[]);
            (train, test, sizes)
        }
    };
    refuse_classes_of_test_alone(&train, &test, &data.test)?;
    Ok(Own {
        splits: Splits::new(train.split, test.split),
        train_places: train.places,
        test_places: test.places,
        sizes,
        rounded: rounded.first().cloned().map(|first| (first, rounded.len())),
        checksums,
    })
}

/// The places of the numbers that change when they are stored in 32 bits.
fn rounded_values(rows: &RawRows) -> Vec<RowPlace> {
    let RawTargets::Values(values) = &rows.targets else { return Vec::new() };
    // A 32-bit number is written with the fewest digits that distinguish it from its neighbours.
    let is_kept = |value: f64| (value as f32).to_string().parse() == Ok(value);
    values.iter().zip(&rows.places).filter(|(value, _)| !is_kept(**value)).map(|(_, place)| place.clone()).collect()
}

/// Checks every folder of images before any is read, so that one error names everything that must be corrected.
fn check_image_folders(data: &OwnData) -> Result<(), OwnError> {
    let DataFormat::Images { .. } = data.layout else { return Ok(()) };
    let test = match &data.test {
        TestRows::Parts(parts) => parts.as_slice(),
        TestRows::Share { .. } | TestRows::None => &[],
    };
    let folders: Vec<&Path> = data.train.iter().chain(test).map(|part| part.path.as_path()).collect();
    images::check(&folders)
}

fn read_parts(layout: &DataFormat, parts: &[Part]) -> Result<RawRows, OwnError> {
    let mut joined: Option<RawRows> = None;
    for part in parts {
        let rows = match layout {
            DataFormat::Table(layout) => table::read(&part.path, layout),
            DataFormat::Tabular(layout) => tabular::read(&part.path, layout),
            DataFormat::Images { side } => images::read(&part.path, *side),
            DataFormat::Idx { classes } => idx::read(part, classes.as_deref()),
            DataFormat::Binary(layout) => binary::read(&part.path, layout),
        }?
        .with_normalized_classes();
        match &mut joined {
            None => joined = Some(rows),
            Some(joined) => {
                check_same_form(joined, &rows)?;
                joined.append(rows);
            }
        }
    }
    joined.ok_or_else(|| OwnError::format(&"the data", "a file or folder to read", "none"))
}

impl RawRows {
    /// The same rows with their classes in normalization form C, in which classes are compared.
    fn with_normalized_classes(mut self) -> RawRows {
        if let RawTargets::Classes(names) = &mut self.targets {
            for name in names {
                if let Cow::Owned(other) = normalized(name) {
                    *name = other;
                }
            }
        }
        self
    }

    /// Adds rows of the same layout.
    fn append(&mut self, other: RawRows) {
        match (&mut self.inputs, other.inputs) {
            (Inputs::Images(images), Inputs::Images(more)) => images.pixels.extend(more.pixels),
            (Inputs::Texts(texts), Inputs::Texts(more)) => texts.extend(more),
            (Inputs::Table(table), Inputs::Table(more)) => table.extend(&more),
            _ => unreachable!("a layout gives one kind of inputs"),
        }
        match (&mut self.targets, other.targets) {
            (RawTargets::Classes(names), RawTargets::Classes(more)) => names.extend(more),
            (RawTargets::Values(values), RawTargets::Values(more)) => values.extend(more),
            _ => unreachable!("a layout gives one kind of targets"),
        }
        self.places.extend(other.places);
        self.sizes = join_sizes(self.sizes, other.sizes);
        self.checksums.extend(other.checksums);
    }
}

/// Refuses images of different sizes and tables of different columns. Of images, only IDX files can differ, because each states its own
/// size. Of tables, those can whose columns are given by their numbers or are all but some.
fn check_same_form(first: &RawRows, second: &RawRows) -> Result<(), OwnError> {
    match (&first.inputs, &second.inputs) {
        (Inputs::Images(a), Inputs::Images(b)) if (a.height, a.width) != (b.height, b.width) => Err(OwnError::format(
            &second.places[0].file.display(),
            format!("images of {} x {}, as in {}", a.height, a.width, first.places[0].file.display()),
            format!("{} x {}", b.height, b.width),
        )),
        (Inputs::Table(a), Inputs::Table(b)) if a.columns != b.columns => {
            let names = |table: &Table| [&table.columns.numbers[..], &table.columns.categories[..]].concat();
            let (expected, found) = (names(a), names(b));
            let at = expected.iter().zip(&found).position(|(a, b)| a != b).unwrap_or(expected.len().min(found.len()));
            let name = |names: &[String]| names.get(at).map_or_else(|| "none".to_owned(), |name| format!("'{name}'"));
            let place = first.places[0].file.display();
            Err(OwnError::format(
                &second.places[0].file.display(),
                format!("the same columns in the same order as in {place}, there {}", name(&expected)),
                format!("{}; name the columns in features and categories", name(&found)),
            ))
        }
        _ => Ok(()),
    }
}

/// The smallest and the largest of two ranges of sizes, by area.
fn join_sizes(a: Option<[[u32; 2]; 2]>, b: Option<[[u32; 2]; 2]>) -> Option<[[u32; 2]; 2]> {
    let area = |size: &[u32; 2]| u64::from(size[0]) * u64::from(size[1]);
    let (Some([small_a, large_a]), Some([small_b, large_b])) = (a, b) else { return a.or(b) };
    let small = if area(&small_b) < area(&small_a) { small_b } else { small_a };
    let large = if area(&large_b) > area(&large_a) { large_b } else { large_a };
    Some([small, large])
}

fn given_classes(layout: &DataFormat) -> Option<Vec<String>> {
    let classes = match layout {
        DataFormat::Idx { classes } => classes.as_deref(),
        DataFormat::Binary(layout) => layout.classes.as_deref(),
        DataFormat::Table(_) | DataFormat::Tabular(_) | DataFormat::Images { .. } => None,
    };
    Some(classes?.iter().map(|name| normalized(name).into_owned()).collect())
}

/// The classes in the order of their labels: `given`, or those of `rows`, sorted by number if all are whole numbers.
fn class_names(rows: &RawRows, given: Option<Vec<String>>) -> Result<Option<Arc<[String]>>, OwnError> {
    let RawTargets::Classes(targets) = &rows.targets else { return Ok(None) };
    let file = rows.places[0].file.display();
    let names = given.unwrap_or_else(|| sorted(targets));
    if names.len() < 2 {
        return Err(OwnError::format(&file, "at least two classes", format!("only '{}'", names.concat())));
    }
    if names.len() > MAX_CLASSES {
        let found = format!("{}; if they are numbers to be predicted, name the column by value", names.len());
        return Err(OwnError::format(&file, format!("at most {MAX_CLASSES} classes"), found));
    }
    if let Some(names) = LookAlikes::among(names.iter().map(String::as_str)) {
        let place = |name: &str| place_of(name, targets, &rows.places);
        let (first, second) = (place(&names.first), place(&names.second));
        let second = second.unwrap_or_else(|| file.to_string());
        return Err(OwnError::LookAlikes { place: second, first_place: first, names });
    }
    Ok(Some(names.into()))
}

/// Where a class is first written.
fn place_of(class: &str, classes: &[String], places: &[RowPlace]) -> Option<String> {
    classes.iter().position(|other| other == class).map(|row| places[row].to_string())
}

/// Each class once, sorted.
fn sorted(classes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = classes.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    if names.iter().all(|name| name.parse::<i64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i64>().ok());
    }
    names
}

/// Examples and where they were read from.
struct Placed {
    split: Split,
    places: Vec<RowPlace>,
}

impl Placed {
    /// Rows whose targets are numbered by `names`, the classes of the training rows.
    fn new(rows: RawRows, names: Option<&Arc<[String]>>) -> Result<Placed, OwnError> {
        let targets = match (rows.targets, names) {
            (RawTargets::Values(values), _) => Targets::Values(values.into_iter().map(|value| value as f32).collect()),
            (RawTargets::Classes(classes), names) => {
                let names = names.cloned().unwrap_or_else(|| Arc::new([]));
                let numbers: HashMap<&str, u16> = names.iter().map(String::as_str).zip(0..).collect();
                let label = |(class, place): (&String, &RowPlace)| {
                    numbers
                        .get(class.as_str())
                        .copied()
                        .ok_or_else(|| unknown_class(class, place, names.iter().map(String::as_str)))
                };
                let labels = classes.iter().zip(&rows.places).map(label).collect::<Result<_, _>>()?;
                Targets::Classes { labels, names: Arc::clone(&names) }
            }
        };
        Ok(Placed { split: Split { inputs: rows.inputs, targets }, places: rows.places })
    }

    /// Sets a share of the rows aside for the test. Returns the training rows and the test rows.
    fn parted(self, share: f64, seed: u64) -> Result<(Placed, Placed), OwnError> {
        let rows = self.split.len();
        if rows < 2 {
            return Err(OwnError::format(&self.places[0], "at least two rows to split", rows));
        }
        let count = ((rows as f64 * share).round() as usize).clamp(1, rows - 1);
        let (train, test) = set_aside(&self.split.targets, count, seed);
        Ok((self.select(&train), self.select(&test)))
    }

    fn select(&self, rows: &[usize]) -> Placed {
        let places = rows.iter().map(|&row| self.places[row].clone()).collect();
        Placed { split: self.split.select(rows), places }
    }
}

/// The error for a class of a test row that is not among `known`, the classes of the training rows.
fn unknown_class<'a>(class: &str, place: &RowPlace, known: impl Iterator<Item = &'a str> + Clone) -> OwnError {
    match LookAlikes::of(class, known.clone()) {
        Some(names) => {
            OwnError::LookAlikes { place: place.to_string(), first_place: Some("the training rows".to_owned()), names }
        }
        None => OwnError::format(place, expected_class(known), format!("'{class}', which no training row has")),
    }
}

fn expected_class<'a>(mut known: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = known.by_ref().take(SHOWN).collect();
    let more = if known.next().is_some() { ", …" } else { "" };
    format!("a class of the training rows ({}{more})", shown.join(", "))
}

/// Refuses classes that only test rows have, because no model can learn them.
fn refuse_classes_of_test_alone(train: &Placed, test: &Placed, rows: &TestRows) -> Result<(), OwnError> {
    let (Targets::Classes { labels, names }, Targets::Classes { labels: test_labels, .. }) =
        (&train.split.targets, &test.split.targets)
    else {
        return Ok(());
    };
    let mut learned = vec![false; names.len()];
    for &label in labels {
        learned[usize::from(label)] = true;
    }
    let alone = test_labels.iter().zip(&test.places).find(|(label, _)| !learned[usize::from(**label)]);
    let Some((&label, place)) = alone else { return Ok(()) };
    let class = &names[usize::from(label)];
    let known = names.iter().zip(learned).filter(|(_, learned)| *learned).map(|(name, _)| name.as_str());
    Err(match rows {
        TestRows::Parts(_) | TestRows::None => unknown_class(class, place, known),
        TestRows::Share { .. } => {
            let found = format!(
                "'{class}', all of whose rows were set aside: make test_part smaller, add rows of that class, or leave \
                 it out"
            );
            OwnError::format(place, expected_class(known), found)
        }
    })
}
