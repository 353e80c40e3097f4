//! Tiny tasks on pairs of texts and on tables, made up by rule: what the samples in the repository have no example of.

use std::sync::Arc;

use bakeoff::tasks::Task;
use bakeoff_datasets::{DataFile, DatasetError, Inputs, Split, Splits, Store, Table, TableColumns, Targets, Text};
use bakeoff_models::InputShape;

/// Training and test rows of each.
pub(crate) const ROWS: usize = 1200;
const TEST_ROWS: usize = 200;
/// Words of a text.
const LENGTH: usize = 4;
const WORDS: [&str; 12] =
    ["red", "blue", "green", "white", "cat", "dog", "horse", "fish", "runs", "sleeps", "sings", "waits"];

pub(crate) static SYNTHETIC: &[&dyn Task] = &[
    &Pairs { name: "same-words", primary: "f1_positive", classes: &["other", "same"] },
    &Pairs { name: "how-many-words", primary: "matthews", classes: &["none", "half", "all"] },
    &Pairs { name: "share-of-words", primary: "pearson", classes: &[] },
];

/// How many of the words of the first text are in the second one: a class, or a share if there are no classes.
struct Pairs {
    name: &'static str,
    primary: &'static str,
    classes: &'static [&'static str],
}

impl Pairs {
    /// Rows made by a seed: all, half or none of the first text's words come again, in another order.
    fn split(&self, rows: usize, seed: u64) -> Split {
        let mut noise = Noise(seed);
        let levels = if self.classes.is_empty() { LENGTH + 1 } else { self.classes.len() };
        let (mut texts, mut chosen) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let level = noise.below(levels);
            let words = noise.shuffled(&WORDS);
            let again = level * LENGTH / (levels - 1);
            let second = noise.shuffled(&words[LENGTH - again..][..LENGTH]);
            texts.push(Text { first: words[..LENGTH].join(" "), second: Some(second.join(" ")) });
            chosen.push(level);
        }
        let targets = if self.classes.is_empty() {
            Targets::Values(chosen.into_iter().map(|level| level as f32 / LENGTH as f32).collect())
        } else {
            Targets::Classes { labels: chosen.into_iter().map(|level| level as u16).collect(), names: self.classes() }
        };
        Split { inputs: Inputs::Texts(texts), targets }
    }
}

impl Task for Pairs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        "how many words two texts share"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        self.primary
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Texts { pairs: true }
    }

    fn classes(&self) -> Arc<[String]> {
        self.classes.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(&self) -> usize {
        ROWS
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(Splits::new(self.split(ROWS, 1), self.split(TEST_ROWS, 2)))
    }
}

pub(crate) static TABLES: &[&dyn Task] = &[
    &Rows { name: "which-animal", primary: "accuracy", classes: &["cat", "dog"] },
    &Rows { name: "how-heavy", primary: "mse", classes: &[] },
];

/// Rows of two numbers and a category, of which some are missing. Which class they are of, or which number, depends on all three.
struct Rows {
    name: &'static str,
    primary: &'static str,
    classes: &'static [&'static str],
}

impl Rows {
    fn split(&self, rows: usize, seed: u64) -> Split {
        let mut noise = Noise(seed);
        let columns = TableColumns {
            numbers: ["length", "age"].map(str::to_owned).to_vec(),
            categories: vec!["colour".to_owned()],
        };
        let mut table = Table { columns: Arc::new(columns), numbers: Vec::new(), categories: Vec::new() };
        let mut values = Vec::new();
        for row in 0..rows {
            let (length, age, colour) = (noise.below(100) as f32, noise.below(20) as f32, noise.below(4));
            values.push(length + 3.0 * age + if colour == 2 { 60.0 } else { 0.0 });
            table.numbers.extend([length, if row % 17 == 3 { Table::MISSING } else { age }]);
            table.categories.push(Arc::from(if row % 19 == 5 { "" } else { WORDS[colour] }));
        }
        let targets = if self.classes.is_empty() {
            Targets::Values(values)
        } else {
            let labels = values.into_iter().map(|value| u16::from(value > 90.0)).collect();
            Targets::Classes { labels, names: self.classes() }
        };
        Split { inputs: Inputs::Table(table), targets }
    }
}

impl Task for Rows {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        "what is known of an animal"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        self.primary
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Table { numbers: 2, categories: 1 }
    }

    fn classes(&self) -> Arc<[String]> {
        self.classes.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rows(&self) -> usize {
        ROWS
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(Splits::new(self.split(ROWS, 3), self.split(TEST_ROWS, 4)))
    }
}

/// SplitMix64 (Steele et al. 2014).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn shuffled(&mut self, words: &[&'static str]) -> Vec<&'static str> {
        let mut words = words.to_vec();
        for place in (1..words.len()).rev() {
            words.swap(place, self.below(place + 1));
        }
        words
    }
}
