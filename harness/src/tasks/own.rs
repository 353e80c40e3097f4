//! A task on a user's own data.

use std::collections::BTreeMap;
use std::sync::Arc;

use bakeoff_datasets::own::{DataFormat, Own, OwnData, OwnError, Survey, TestRows, survey};
use bakeoff_datasets::{DataFile, DatasetError, Inputs, Splits, Store, Targets};
use bakeoff_models::{InputShape, did_you_mean};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Task;
use super::decoded::DecodedImages;
use crate::scoring;

/// A task on a user's own data. It has everything that a process needs to read the data again and to check that it is
/// the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnTask {
    name: String,
    about: String,
    primary: String,
    unit: String,
    version: u32,
    input: InputShape,
    classes: Vec<String>,
    rows: usize,
    data: OwnData,
    /// The checksums as in [`Own::checksums`].
    checksums: BTreeMap<String, String>,
    /// The decoded images, if the data is a folder of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decoded: Option<DecodedImages>,
    /// What the data holds. Only the process that opened the task has this.
    #[serde(skip)]
    survey: Option<Arc<Survey>>,
}

/// The settings of a task beside its data. Those that the user does not give follow from the data.
#[derive(Debug, Clone, Default)]
pub struct TaskSettings {
    /// One line about the task.
    pub about: Option<String>,
    /// The primary metric.
    pub metric: Option<String>,
    /// The unit of the numbers to be predicted.
    pub unit: Option<String>,
}

/// Why a task cannot be made of a user's data.
#[derive(Debug, thiserror::Error)]
pub enum OwnTaskError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] OwnError),
    /// The metric cannot rank models on this data.
    #[error("{0}")]
    Metric(String),
    /// A unit was given for classes, which have none.
    #[error("unit is only used with numbers to be predicted, and these are classes")]
    Unit,
}

impl OwnTask {
    /// Reads the data and makes a task of it.
    ///
    /// # Errors
    /// If the data cannot be read, or if a setting in `settings` does not fit it.
    pub fn open(name: &str, data: OwnData, settings: TaskSettings) -> Result<OwnTask, OwnTaskError> {
        let own = data.load()?;
        let Splits { train, test, .. } = &own.splits;
        // Without test rows, parts of the training rows are scored.
        let scored = if test.is_empty() { train } else { test };
        let primary = primary(&train.targets, &scored.targets, settings.metric)?;
        let classes = match &train.targets {
            Targets::Classes { names, .. } => names.to_vec(),
            Targets::Values(_) => Vec::new(),
        };
        if settings.unit.is_some() && !classes.is_empty() {
            return Err(OwnTaskError::Unit);
        }
        let input = match &train.inputs {
            Inputs::Images(images) => {
                InputShape::Images { channels: images.channels, height: images.height, width: images.width }
            }
            Inputs::Texts(texts) => InputShape::Texts { pairs: texts.iter().any(|text| text.second.is_some()) },
            Inputs::Table(table) => {
                InputShape::Table { numbers: table.columns.numbers.len(), categories: table.columns.categories.len() }
            }
        };
        // If there is no room for them, each case decodes the images again.
        let decoded = match data.layout {
            DataFormat::Images { .. } => DecodedImages::write(&own.splits).ok().flatten(),
            DataFormat::Table(_) | DataFormat::Tabular(_) | DataFormat::Idx { .. } | DataFormat::Binary(_) => None,
        };
        let survey = Some(Arc::new(survey(&own)));
        Ok(OwnTask {
            name: name.to_owned(),
            about: settings.about.unwrap_or_else(|| describe(input, &classes)),
            version: version(&data, &primary, &own.checksums),
            primary,
            unit: settings.unit.unwrap_or_default(),
            input,
            rows: train.len(),
            classes,
            data,
            checksums: own.checksums,
            decoded,
            survey,
        })
    }

    /// What the data holds.
    ///
    /// # Errors
    /// If the data must be read again, and cannot be read or has changed.
    pub fn survey(&self) -> Result<Arc<Survey>, OwnError> {
        match &self.survey {
            Some(survey) => Ok(Arc::clone(survey)),
            None => self.read().map(|own| Arc::new(survey(&own))),
        }
    }

    /// Reads the data, which must not have changed.
    fn read(&self) -> Result<Own, OwnError> {
        let own = self.data.load()?;
        for (name, expected) in &self.checksums {
            let found = own.checksums.get(name).map_or("none", String::as_str);
            if found != expected {
                let name = format!("the data of task '{}', {name},", self.name);
                return Err(OwnError::Changed { name, expected: expected.clone(), found: found.to_owned() });
            }
        }
        Ok(own)
    }
}

/// A line about the task, if the user gives none.
fn describe(input: InputShape, classes: &[String]) -> String {
    let input = match input {
        InputShape::Images { height, width, .. } => format!("an image of {height} x {width} pixels"),
        InputShape::Texts { pairs: true } => "two texts".to_owned(),
        InputShape::Texts { pairs: false } => "a text".to_owned(),
        InputShape::Table { numbers, categories } => {
            format!("a row of {}", bakeoff_models::columns(numbers, categories))
        }
    };
    let target =
        if classes.is_empty() { "which number".to_owned() } else { format!("which of {} classes", classes.len()) };
    format!("{target} belongs to {input} (own data)")
}

/// The primary metric. It is the user's, if that has a floor on these targets, or else accuracy or the mean squared
/// error.
fn primary(train: &Targets, test: &Targets, wish: Option<String>) -> Result<String, OwnTaskError> {
    let Some(metric) = wish else {
        let usual = if matches!(train, Targets::Classes { .. }) { "accuracy" } else { "mse" };
        return Ok(usual.to_owned());
    };
    let known = scoring::metrics_that_rank(train, test);
    if known.contains(&metric.as_str()) {
        return Ok(metric);
    }
    let near = did_you_mean(&metric, known.iter().copied());
    Err(OwnTaskError::Metric(format!("metric '{metric}' cannot rank here{near} (these can: {})", known.join(", "))))
}

/// Four bytes of the sha256 of everything that decides the rows, the targets and how they are scored. The place of the
/// files is left out. So the same data elsewhere is the same task, and other data under the same name is another task.
fn version(data: &OwnData, primary: &str, checksums: &BTreeMap<String, String>) -> u32 {
    let share = match &data.test {
        TestRows::Parts(_) | TestRows::None => None,
        TestRows::Share { share, seed } => Some((share, seed)),
    };
    let sums: Vec<(&str, &str)> =
        checksums.iter().map(|(name, sum)| (name.split(':').next().unwrap_or_default(), sum.as_str())).collect();
    let text = serde_json::to_string(&(&data.layout, share, primary, sums)).expect("plain data is JSON");
    Sha256::digest(text.as_bytes()).iter().take(4).fold(0, |version, byte| version << 8 | u32::from(*byte))
}

impl Task for OwnTask {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn primary(&self) -> &str {
        &self.primary
    }

    fn unit(&self) -> &str {
        &self.unit
    }

    fn input(&self) -> InputShape {
        self.input
    }

    fn classes(&self) -> Arc<[String]> {
        self.classes.clone().into()
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn has_test_rows(&self) -> bool {
        self.data.test != TestRows::None
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn checksums(&self) -> Vec<(String, String)> {
        self.checksums.iter().map(|(name, sum)| (format!("{}, {name}", self.name), sum.clone())).collect()
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        match &self.decoded {
            Some(decoded) => {
                decoded.read().map_err(|source| OwnError::Decoded { path: decoded.path().to_owned(), source }.into())
            }
            None => Ok(self.read()?.splits),
        }
    }
}
