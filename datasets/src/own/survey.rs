//! What there is to know of examples before a model sees them: lengths, balance, duplicates.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use super::{Own, Place};
use crate::example::{Inputs, Split, Targets};

/// Duplicates whose places are shown.
const SHOWN: usize = 3;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Training rows.
    pub train_rows: usize,
    /// Test rows.
    pub test_rows: usize,
    /// Class, training rows, test rows; empty for a regression.
    pub classes: Vec<(String, usize, usize)>,
    /// Smallest, median and largest target of the training rows and of the test rows; for a regression.
    pub values: Option<[[f32; 3]; 2]>,
    /// As [`Own::rounded`].
    pub rounded: Option<(Place, usize)>,
    /// The inputs.
    pub inputs: InputSurvey,
    /// Training rows whose input an earlier training row has.
    pub within_train: Duplicates,
    /// Test rows whose input a training row has: what is learned by heart scores there.
    pub across: Duplicates,
}

/// The form of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum InputSurvey {
    /// Fewest, median and most words of the training rows and of the test rows, both texts of a pair together.
    Words([[usize; 3]; 2]),
    /// Channels, height and width in use; width and height of the smallest and the largest image before resizing.
    Images([usize; 3], Option<[[u32; 2]; 2]>),
}

/// Rows whose input is that of another row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Duplicates {
    /// How many.
    pub count: usize,
    /// How many of them have another target than the row that they repeat.
    pub contradicting: usize,
    /// The first of them, each with the row that it repeats.
    pub first: Vec<(Place, Place)>,
}

/// Looks at all examples.
pub fn survey(own: &Own) -> Survey {
    let (train, test) = (&own.splits.train, &own.splits.test);
    let mut seen: HashMap<Input<'_>, usize> = HashMap::with_capacity(train.len());
    let mut within_train = Duplicates::default();
    for row in 0..train.len() {
        match seen.entry(input(train, row)) {
            Entry::Vacant(entry) => drop(entry.insert(row)),
            Entry::Occupied(earlier) => {
                let earlier = *earlier.get();
                let places = (&own.train_places[row], &own.train_places[earlier]);
                within_train.add(same_target(train, row, train, earlier), places);
            }
        }
    }
    let mut across = Duplicates::default();
    for row in 0..test.len() {
        if let Some(&learned) = seen.get(&input(test, row)) {
            across.add(same_target(test, row, train, learned), (&own.test_places[row], &own.train_places[learned]));
        }
    }
    Survey {
        train_rows: train.len(),
        test_rows: test.len(),
        classes: classes(train, test),
        values: values(train).zip(values(test)).map(|(train, test)| [train, test]),
        rounded: own.rounded.clone(),
        inputs: inputs(own),
        within_train,
        across,
    }
}

/// An input that can be compared.
#[derive(PartialEq, Eq, Hash)]
enum Input<'a> {
    Text(&'a str, Option<&'a str>),
    Image(&'a [u8]),
}

fn input(split: &Split, row: usize) -> Input<'_> {
    match &split.inputs {
        Inputs::Texts(texts) => Input::Text(&texts[row].first, texts[row].second.as_deref()),
        Inputs::Images(images) => Input::Image(images.image(row)),
    }
}

fn same_target(a: &Split, row: usize, b: &Split, other: usize) -> bool {
    match (&a.targets, &b.targets) {
        (Targets::Classes { labels: a, .. }, Targets::Classes { labels: b, .. }) => a[row] == b[other],
        (Targets::Values(a), Targets::Values(b)) => a[row] == b[other],
        _ => unreachable!("the splits of a dataset have one kind of targets"),
    }
}

impl Duplicates {
    fn add(&mut self, same_target: bool, places: (&Place, &Place)) {
        self.count += 1;
        self.contradicting += usize::from(!same_target);
        if self.first.len() < SHOWN {
            self.first.push((places.0.clone(), places.1.clone()));
        }
    }
}

fn classes(train: &Split, test: &Split) -> Vec<(String, usize, usize)> {
    let Targets::Classes { names, .. } = &train.targets else { return Vec::new() };
    let count = |split: &Split| {
        let mut counts = vec![0; names.len()];
        if let Targets::Classes { labels, .. } = &split.targets {
            labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        }
        counts
    };
    let counts = count(train).into_iter().zip(count(test));
    names.iter().zip(counts).map(|(name, (train, test))| (name.clone(), train, test)).collect()
}

fn values(split: &Split) -> Option<[f32; 3]> {
    let Targets::Values(values) = &split.targets else { return None };
    let mut values = values.clone();
    values.sort_by(f32::total_cmp);
    Some([*values.first()?, values[values.len() / 2], *values.last()?])
}

fn inputs(own: &Own) -> InputSurvey {
    let words = |split: &Split| {
        let Inputs::Texts(texts) = &split.inputs else { return [0; 3] };
        let count = |text: &str| text.split_whitespace().count();
        let mut counts: Vec<usize> =
            texts.iter().map(|text| count(&text.first) + text.second.as_deref().map_or(0, count)).collect();
        counts.sort_unstable();
        [counts[0], counts[counts.len() / 2], counts[counts.len() - 1]]
    };
    match &own.splits.train.inputs {
        Inputs::Texts(_) => InputSurvey::Words([words(&own.splits.train), words(&own.splits.test)]),
        Inputs::Images(images) => InputSurvey::Images([images.channels, images.height, images.width], own.sizes),
    }
}

impl fmt::Display for Survey {
    /// Lines of `what: …`, without an end to the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rows: {} to learn from, {} to be scored on", self.train_rows, self.test_rows)?;
        match &self.inputs {
            InputSurvey::Words([train, test]) => {
                let range = |[least, median, most]: &[usize; 3]| format!("{least} to {most}, median {median}");
                writeln!(f, "words: {} (training), {} (test)", range(train), range(test))?;
            }
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
        }
        if let Some([train, test]) = &self.values {
            let range = |[least, median, most]: &[f32; 3]| format!("{least} to {most}, median {median}");
            writeln!(f, "values: {} (training), {} (test)", range(train), range(test))?;
        } else {
            writeln!(f, "classes: {}", self.classes.len())?;
        }
        if let Some((place, count)) = &self.rounded {
            writeln!(f, "rounded: {count} values, as about seven digits are kept; the first is in {place}")?;
        }
        for (class, train, test) in &self.classes {
            let percent = 100.0 * *train as f64 / self.train_rows as f64;
            let remark = match (train, test) {
                (0, _) => "  (in no training row)",
                (1, _) => "  (one training row: no model can learn a class from that)",
                (_, 0) => "  (in no test row)",
                _ => "",
            };
            writeln!(f, "  {class}: {train} ({percent:.1} %) and {test}{remark}")?;
        }
        self.within_train.tell(f, "duplicates within the training rows")?;
        writeln!(f)?;
        self.across.tell(f, "leakage, test rows that are training rows too")
    }
}

impl Duplicates {
    fn tell(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        if self.count == 0 {
            return write!(f, "{what}: none");
        }
        write!(f, "{what}: {} ({} with another target)", self.count, self.contradicting)?;
        for (place, repeated) in &self.first {
            write!(f, "\n  {place} is as {repeated}")?;
        }
        if self.count > self.first.len() {
            write!(f, "\n  and {} more", self.count - self.first.len())?;
        }
        Ok(())
    }
}
