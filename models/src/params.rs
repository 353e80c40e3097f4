//! Declared parameters. One table per model serves the plan's check, `bakeoff list` and the defaults.

mod model_value;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{InputShape, TaskShape};
use crate::names::unknown_name;
use crate::search::Search;

pub use self::model_value::ModelValue;

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A switch.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// One of a few words.
    Text(String),
    /// Another model.
    Model(ModelValue),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Bool(v) => v.fmt(f),
            ParamValue::Int(v) => v.fmt(f),
            ParamValue::Float(v) => v.fmt(f),
            ParamValue::Text(v) => v.fmt(f),
            ParamValue::Model(v) => v.fmt(f),
        }
    }
}

/// The values a parameter may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// `true` or `false`.
    Switch,
    /// Whole numbers from the first to the second, both included.
    Int(i64, i64),
    /// One of these whole numbers.
    IntOf(&'static [i64]),
    /// Real numbers from the first to the second, both included.
    Float(f64, f64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or the path of a folder.
    WordOrFolder(&'static [&'static str]),
    /// One of the first words, or one of the networks that follow, by its name or as a table with its parameters. Unless the table says
    /// otherwise, a pretrained network stays as it is.
    WordOrNetwork(&'static [&'static str], &'static [&'static str]),
    /// One of these models, by its name or as a table with its parameters.
    Model(&'static [&'static str]),
}

impl Domain {
    /// Whether a parameter may take this value.
    pub(crate) fn admits(&self, value: &ParamValue) -> bool {
        match (self, value) {
            (Domain::Switch, ParamValue::Bool(_)) => true,
            (Domain::Int(low, high), ParamValue::Int(v)) => (low..=high).contains(&v),
            (Domain::IntOf(values), ParamValue::Int(v)) => values.contains(v),
            (Domain::Float(low, high), ParamValue::Float(v)) => (low..=high).contains(&v),
            (Domain::Word(words) | Domain::WordOrNetwork(words, _), ParamValue::Text(v)) => words.contains(&v.as_str()),
            (Domain::WordOrNetwork(_, models) | Domain::Model(models), ParamValue::Model(v)) => v.is_one_of(models),
            // Records write parameters with blanks between them.
            (Domain::WordOrFolder(_), ParamValue::Text(v)) => !v.is_empty() && !v.contains(char::is_whitespace),
            _ => false,
        }
    }

    /// The models that a parameter may name.
    fn models(&self) -> &'static [&'static str] {
        match self {
            Domain::WordOrNetwork(_, models) | Domain::Model(models) => models,
            _ => &[],
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Switch => write!(f, "true or false"),
            Domain::Int(low, high) => write!(f, "a whole number in {low}..={high}"),
            Domain::Float(low, high) => write!(f, "a number in {low}..={high}"),
            Domain::IntOf(values) => {
                let words: Vec<_> = values.iter().map(i64::to_string).collect();
                write!(f, "one of {}", words.join(", "))
            }
            Domain::Word(words) => write!(f, "one of {}", words.join(", ")),
            Domain::WordOrFolder(words) => {
                write!(f, "one of {}, or the path of a folder, without blanks", words.join(", "))
            }
            Domain::WordOrNetwork(words, models) => {
                let (words, models) = (words.join(", "), models.join(", "));
                write!(f, "one of {words}, or one of the networks {models}; {TABLE}")
            }
            Domain::Model(models) => write!(f, "one of the models {}; {TABLE}", models.join(", ")),
        }
    }
}

/// How a model is written with parameters.
const TABLE: &str = "with parameters as { model = \"NAME\", PARAMETER = VALUE }";

/// A default value. It is a constant, because the tables of parameters are constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DefaultValue {
    /// A switch.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A word.
    Word(&'static str),
}

impl From<DefaultValue> for ParamValue {
    fn from(default: DefaultValue) -> ParamValue {
        match default {
            DefaultValue::Bool(v) => ParamValue::Bool(v),
            DefaultValue::Int(v) => ParamValue::Int(v),
            DefaultValue::Float(v) => ParamValue::Float(v),
            DefaultValue::Word(v) => ParamValue::Text(v.to_owned()),
        }
    }
}

/// One declared parameter of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// The name in suites and records.
    pub name: &'static str,
    /// The default for tasks on images.
    pub images: DefaultValue,
    /// The default for tasks on texts.
    pub texts: DefaultValue,
    /// The default for tasks on rows of a table.
    pub tables: DefaultValue,
    /// The values that the parameter may take.
    pub domain: Domain,
    /// What the parameter does, in a line.
    pub about: &'static str,
    /// Where the default comes from: a paper, a library's default, or our own measurement.
    pub source: &'static str,
    /// What a search draws it from; `None` if a search leaves it as it is.
    pub search: Option<Search>,
}

/// What a model reads on a task, which decides the defaults and the ranges of its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Images.
    Images,
    /// Texts of words.
    Texts,
    /// Texts as sequences of characters.
    Characters,
    /// Rows of a table.
    Tables,
}

impl InputKind {
    /// What a model reads on such a task.
    pub fn of(shape: &TaskShape) -> InputKind {
        match (shape.input, shape.characters) {
            (InputShape::Images { .. }, _) => InputKind::Images,
            (InputShape::Table { .. }, _) => InputKind::Tables,
            (InputShape::Texts { .. }, None) => InputKind::Texts,
            (InputShape::Texts { .. }, Some(_)) => InputKind::Characters,
        }
    }
}

impl Param {
    fn default_on(&self, kind: InputKind) -> DefaultValue {
        match kind {
            InputKind::Images => self.images,
            InputKind::Texts => self.texts,
            InputKind::Characters => self.default_on_characters().unwrap_or(self.texts),
            InputKind::Tables => self.tables,
        }
    }

    /// The default on tasks of characters, if it differs from that on other texts.
    pub(crate) fn default_on_characters(&self) -> Option<DefaultValue> {
        ON_CHARACTERS.iter().find(|(name, _)| *name == self.name).map(|(_, default)| *default)
    }
}

/// A parameter that cannot be used, with what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// No such parameter.
    #[error("{}", unknown_name("parameter", name, known))]
    Unknown {
        /// What was written.
        name: String,
        /// All known names.
        known: Vec<&'static str>,
    },
    /// A value outside the domain.
    #[error("parameter '{name}' is {found}, expected {expected}")]
    Domain {
        /// The parameter.
        name: String,
        /// What was written.
        found: String,
        /// The values that it may take.
        expected: String,
    },
    /// A fault in a file of the folder that is the value of a parameter.
    #[error("parameter '{name}': {what}")]
    File {
        /// The parameter.
        name: String,
        /// The file and what is wrong with it.
        what: String,
    },
    /// A fault in the model that is the value of a parameter.
    #[error("parameter '{name}': {what}")]
    Model {
        /// The parameter.
        name: String,
        /// What is wrong, and what to write instead.
        what: String,
    },
}

/// The defaults on tasks of characters that differ from those on other texts, for every model that has the parameter: each
/// character is read, and none is replaced, because the next character depends on each of the last few.
/// What a network answers comes from its last step or token, which has read the character before the next one last.
const ON_CHARACTERS: &[(&str, DefaultValue)] = &[
    ("tokens", DefaultValue::Word("characters")),
    ("word_dropout", DefaultValue::Float(0.0)),
    ("pooling", DefaultValue::Word("last")),
];

/// A complete, checked set of parameters: the defaults, replaced by the suite's values where it has some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resolved(BTreeMap<String, ParamValue>);

impl Resolved {
    /// Takes the defaults that `params` declare for this kind of task, and replaces those that `overrides` names.
    ///
    /// # Errors
    /// On an unknown name or a value outside its domain.
    pub fn new(params: &[Param], shape: &TaskShape, overrides: &toml::Table) -> Result<Resolved, ParamError> {
        Resolved::of_kind(params, InputKind::of(shape), overrides)
    }

    /// The same for inputs of this kind.
    fn of_kind(params: &[Param], kind: InputKind, overrides: &toml::Table) -> Result<Resolved, ParamError> {
        let mut values = BTreeMap::new();
        for param in params {
            if overrides.contains_key(param.name) {
                continue;
            }
            let value = match param.default_on(kind) {
                DefaultValue::Word(word) if !param.domain.models().is_empty() => admit(param, &word.into(), kind)?,
                default => ParamValue::from(default),
            };
            values.insert(param.name.to_owned(), value);
        }
        for (name, value) in overrides {
            let Some(param) = params.iter().find(|p| p.name == name) else {
                return Err(ParamError::Unknown { name: name.clone(), known: params.iter().map(|p| p.name).collect() });
            };
            values.insert(name.clone(), admit(param, value, kind)?);
        }
        Ok(Resolved(values))
    }

    /// Takes values as [`Resolved::values`] returned them. They must be those of all parameters and no others.
    ///
    /// # Errors
    /// On an unknown name, a missing one, or a value outside its domain.
    pub(crate) fn stored(params: &[Param], values: BTreeMap<String, ParamValue>) -> Result<Resolved, ParamError> {
        if let Some(name) = values.keys().find(|name| params.iter().all(|param| param.name != *name)) {
            return Err(ParamError::Unknown { name: name.clone(), known: params.iter().map(|p| p.name).collect() });
        }
        for param in params {
            match values.get(param.name) {
                Some(value) if param.domain.admits(value) => {}
                Some(value) => return Err(outside(param, value)),
                None => return Err(outside(param, &"missing")),
            }
        }
        Ok(Resolved(values))
    }

    /// Takes the parameters of a model that declares none, such as a program of the user's: switches, numbers and words.
    ///
    /// # Errors
    /// On a value of another kind, and on one with blanks, because records write parameters with blanks between them.
    pub(crate) fn undeclared(written: &toml::Table) -> Result<Resolved, ParamError> {
        let admit = |(name, value): (&String, &toml::Value)| {
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '=') {
                let expected = "a name without either".to_owned();
                return Err(ParamError::Domain {
                    name: name.clone(),
                    found: "named with a blank or '='".to_owned(),
                    expected,
                });
            }
            let value = match value {
                toml::Value::Boolean(v) => ParamValue::Bool(*v),
                toml::Value::Integer(v) => ParamValue::Int(*v),
                toml::Value::Float(v) if v.is_finite() => ParamValue::Float(*v),
                toml::Value::String(v) if !v.is_empty() && !v.contains(char::is_whitespace) => {
                    ParamValue::Text(v.clone())
                }
                other => {
                    let expected = "true or false, a finite number, or a word without blanks".to_owned();
                    return Err(ParamError::Domain { name: name.clone(), found: other.to_string(), expected });
                }
            };
            Ok((name.clone(), value))
        };
        written.iter().map(admit).collect::<Result<_, _>>().map(Resolved)
    }

    /// Takes values as [`Resolved::values`] returned them, of a model that declares none.
    pub(crate) fn of_values(values: BTreeMap<String, ParamValue>) -> Resolved {
        Resolved(values)
    }

    /// The value of each parameter by its name.
    pub(crate) fn values(&self) -> &BTreeMap<String, ParamValue> {
        &self.0
    }

    /// All values but that of this parameter.
    pub(crate) fn without(&self, name: &str) -> Resolved {
        let others = self.0.iter().filter(|(other, _)| *other != name);
        Resolved(others.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Whether the model has this parameter.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a parameter, if the model has it.
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        self.0.get(name)
    }

    /// The model that is the value of a parameter, if the parameter is there and its value is one.
    pub fn model(&self, name: &str) -> Option<&ModelValue> {
        match self.0.get(name) {
            Some(ParamValue::Model(model)) => Some(model),
            _ => None,
        }
    }

    /// Every model that is the value of a parameter.
    pub fn models(&self) -> impl Iterator<Item = &ModelValue> {
        self.models_by_parameter().map(|(_, model)| model)
    }

    /// Every parameter whose value is a model, with that model.
    pub fn models_by_parameter(&self) -> impl Iterator<Item = (&str, &ModelValue)> {
        self.0.iter().filter_map(|(name, value)| match value {
            ParamValue::Model(model) => Some((name.as_str(), model)),
            _ => None,
        })
    }

    /// Makes a whole number that is larger than `most` that number, here and in every model that is a value.
    pub fn limit(&mut self, name: &str, most: usize) {
        for (other, value) in &mut self.0 {
            match value {
                ParamValue::Int(v) if other == name => *v = (*v).min(most as i64),
                ParamValue::Model(model) => model.params.limit(name, most),
                _ => {}
            }
        }
    }

    /// Replaces the value of a parameter that the model has by another value of its domain.
    pub fn set(&mut self, name: &str, value: ParamValue) {
        self.0.insert(name.to_owned(), value);
    }

    /// The value of a parameter that is a whole number. Panics if the model declared no such parameter, which is a
    /// fault of the program and not of the user.
    pub fn int(&self, name: &str) -> usize {
        match self.0.get(name) {
            Some(ParamValue::Int(v)) => usize::try_from(*v).expect("the domain of a whole number starts at zero"),
            other => panic!("parameter '{name}' is not declared as a whole number but as {other:?}"),
        }
    }

    /// The value of a parameter that is a real number. Panics if the model declared no such parameter.
    pub fn float(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(ParamValue::Float(v)) => *v,
            other => panic!("parameter '{name}' is not declared as a real number but as {other:?}"),
        }
    }

    /// The value of a parameter that is a switch. Panics if the model declared no such parameter.
    pub fn switch(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(ParamValue::Bool(v)) => *v,
            other => panic!("parameter '{name}' is not declared as a switch but as {other:?}"),
        }
    }

    /// The value of a parameter that is a word. Panics if the model declared no such parameter.
    pub fn word(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(ParamValue::Text(v)) => v,
            other => panic!("parameter '{name}' is not declared as a word but as {other:?}"),
        }
    }
}

/// `name=value` pairs in the order of their names, separated by spaces: the `params` column of a record.
impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, " ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

/// Converts what was written to a value of the parameter's domain, for inputs of this kind.
pub(crate) fn admit(param: &Param, written: &toml::Value, kind: InputKind) -> Result<ParamValue, ParamError> {
    let models = param.domain.models();
    let value = match (written, param.domain) {
        (toml::Value::String(name), domain) if models.contains(&name.as_str()) => {
            Some(model_value::admit(param, name, (&toml::Table::new(), domain), kind)?)
        }
        (toml::Value::Table(table), domain) if !models.is_empty() => {
            let mut overrides = table.clone();
            let Some(toml::Value::String(name)) = overrides.remove("model") else {
                return Err(outside(param, written));
            };
            Some(model_value::admit(param, &name, (&overrides, domain), kind)?)
        }
        (toml::Value::Boolean(v), _) => Some(ParamValue::Bool(*v)),
        (toml::Value::Integer(v), Domain::Float(..)) => Some(ParamValue::Float(*v as f64)),
        (toml::Value::Integer(v), _) => Some(ParamValue::Int(*v)),
        (toml::Value::Float(v), _) => Some(ParamValue::Float(*v)),
        (toml::Value::String(v), _) => Some(ParamValue::Text(v.clone())),
        _ => None,
    };
    let admitted = value.filter(|value| param.domain.admits(value));
    admitted.ok_or_else(|| outside(param, written))
}

fn outside(param: &Param, found: &impl fmt::Display) -> ParamError {
    ParamError::Domain { name: param.name.to_owned(), found: found.to_string(), expected: param.domain.to_string() }
}
