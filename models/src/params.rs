//! Declared parameters. One table per model serves the plan's check, `bakeoff list` and the defaults.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{InputShape, ModelEntry, TaskShape};
use crate::names::unknown_name;
use crate::search::Search;

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

/// A model of the registry with its parameters, as the value of another model's parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelValue {
    model: String,
    params: Resolved,
}

impl ModelValue {
    /// The model's name.
    pub fn name(&self) -> &str {
        &self.model
    }

    /// All of its parameters.
    pub fn params(&self) -> &Resolved {
        &self.params
    }

    /// The model. Panics if there is none of this name, which no checked value has.
    pub fn entry(&self) -> &'static dyn ModelEntry {
        registered(&self.model).expect("a checked value names a model")
    }

    /// The model with these parameters, and its defaults for all others.
    fn complete(
        name: &str,
        (overrides, domain): (&toml::Table, Domain),
        input: &InputShape,
    ) -> Result<ModelValue, String> {
        let entry = registered(name).ok_or_else(|| format!("there is no model '{name}'"))?;
        let mut overrides = overrides.clone();
        if let Domain::WordOrNetwork(..) = domain
            && name == PRETRAINED
        {
            overrides.entry("mode").or_insert_with(|| "frozen".into());
        }
        Resolved::for_inputs(entry.params(), input, &overrides)
            .and_then(|params| entry.check(&params).map(|()| params))
            .map(|params| ModelValue { model: name.to_owned(), params })
            .map_err(|error| format!("model '{name}': {error}"))
    }

    /// Whether the value is one of these models, with all of its parameters and no others.
    fn is_one_of(&self, models: &[&str]) -> bool {
        let stored = |entry: &dyn ModelEntry| {
            let params = Resolved::stored(entry.params(), self.params.0.clone());
            params.and_then(|params| entry.check(&params)).is_ok()
        };
        models.contains(&self.model.as_str()) && registered(&self.model).is_some_and(stored)
    }
}

/// `resnet(batch=128,clip=1,…)`, without blanks, because records have blanks between parameters.
impl fmt::Display for ModelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.model)?;
        for (index, (name, value)) in self.params.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{name}={value}")?;
        }
        write!(f, ")")
    }
}

/// The model of the registry that starts from published weights.
const PRETRAINED: &str = "encoder";

fn registered(name: &str) -> Option<&'static dyn ModelEntry> {
    crate::ENTRIES.iter().find(|entry| entry.name() == name).copied()
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
    /// The values that the parameter may take.
    pub domain: Domain,
    /// What the parameter does, in a line.
    pub about: &'static str,
    /// Where the default comes from: a paper, a library's default, or our own measurement.
    pub source: &'static str,
    /// What a search draws it from; `None` if a search leaves it as it is.
    pub search: Option<Search>,
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
    /// A fault in the model that is the value of a parameter.
    #[error("parameter '{name}': {what}")]
    Model {
        /// The parameter.
        name: String,
        /// What is wrong, and what to write instead.
        what: String,
    },
}

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
        Resolved::for_inputs(params, &shape.input, overrides)
    }

    /// The same for inputs of this form.
    fn for_inputs(params: &[Param], input: &InputShape, overrides: &toml::Table) -> Result<Resolved, ParamError> {
        let mut values = BTreeMap::new();
        for param in params {
            if overrides.contains_key(param.name) {
                continue;
            }
            let default = match input {
                InputShape::Images { .. } => param.images,
                InputShape::Texts { .. } => param.texts,
            };
            let value = match default {
                DefaultValue::Word(word) if !param.domain.models().is_empty() => admit(param, &word.into(), input)?,
                default => ParamValue::from(default),
            };
            values.insert(param.name.to_owned(), value);
        }
        for (name, value) in overrides {
            let Some(param) = params.iter().find(|p| p.name == name) else {
                return Err(ParamError::Unknown { name: name.clone(), known: params.iter().map(|p| p.name).collect() });
            };
            values.insert(name.clone(), admit(param, value, input)?);
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
        self.0.values().filter_map(|value| match value {
            ParamValue::Model(model) => Some(model),
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

/// Converts what was written to a value of the parameter's domain, for inputs of this form.
pub(crate) fn admit(param: &Param, written: &toml::Value, input: &InputShape) -> Result<ParamValue, ParamError> {
    let models = param.domain.models();
    let value = match (written, param.domain) {
        (toml::Value::String(name), domain) if models.contains(&name.as_str()) => {
            Some(model(param, name, (&toml::Table::new(), domain), input)?)
        }
        (toml::Value::Table(table), domain) if !models.is_empty() => {
            let mut overrides = table.clone();
            let Some(toml::Value::String(name)) = overrides.remove("model") else {
                return Err(outside(param, written));
            };
            Some(model(param, &name, (&overrides, domain), input)?)
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

fn model(
    param: &Param,
    name: &str,
    written: (&toml::Table, Domain),
    input: &InputShape,
) -> Result<ParamValue, ParamError> {
    let models = param.domain.models();
    let completed = match models.contains(&name) {
        true => ModelValue::complete(name, written, input),
        false => Err(unknown_name("model", name, models)),
    };
    completed.map(ParamValue::Model).map_err(|what| ParamError::Model { name: param.name.to_owned(), what })
}

fn outside(param: &Param, found: &impl fmt::Display) -> ParamError {
    ParamError::Domain { name: param.name.to_owned(), found: found.to_string(), expected: param.domain.to_string() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::TargetShape;

    const IMAGES: InputShape = InputShape::Images { channels: 3, height: 32, width: 32 };
    const TEXTS: InputShape = InputShape::Texts { pairs: false };

    fn resolved(model: &str, input: InputShape, written: &str) -> Result<Resolved, ParamError> {
        let shape = TaskShape { input, target: TargetShape::Classes(2), train_rows: 100, mirror_negates: false };
        Resolved::new(registered(model).unwrap().params(), &shape, &written.parse().unwrap())
    }

    #[test]
    fn a_model_as_a_value_has_its_own_defaults_for_the_inputs_and_a_pretrained_one_stays_as_it_is() {
        let params = resolved("svm", IMAGES, "features = { model = \"resnet\", epochs = 3 }").unwrap();
        let network = params.model("features").unwrap();
        assert_eq!((network.name(), network.params().int("epochs")), ("resnet", 3));
        let alone = resolved("resnet", IMAGES, "epochs = 3").unwrap();
        assert_eq!(network.params(), &alone);
        assert_eq!(params.models().count(), 1);

        for (written, mode) in
            [("\"encoder\"", "frozen"), ("{ model = \"encoder\", mode = \"fine-tune\" }", "fine-tune")]
        {
            let params = resolved("random-forest", TEXTS, &format!("features = {written}")).unwrap();
            assert_eq!(params.model("features").unwrap().params().word("mode"), mode);
        }
    }

    #[test]
    fn a_model_as_a_value_is_one_word_of_a_record_and_is_read_back_from_a_file() {
        let params = resolved("svm", TEXTS, "features = { model = \"lstm\", hidden = 8 }").unwrap();
        let text = params.to_string();
        let words: Vec<&str> = text.split(' ').filter(|word| word.starts_with("features=")).collect();
        assert!(words[0].starts_with("features=lstm(batch=32,") && words[0].contains(",hidden=8,"), "{text}");
        assert_eq!(text.split(' ').count(), params.values().len(), "{text}");
        let stored: BTreeMap<String, ParamValue> =
            serde_json::from_str(&serde_json::to_string(&params).unwrap()).unwrap();
        assert_eq!(Resolved::stored(registered("svm").unwrap().params(), stored).unwrap(), params);
    }

    #[test]
    fn a_stored_model_with_a_parameter_too_few_or_of_another_domain_is_refused() {
        let params = resolved("svm", TEXTS, "features = { model = \"lstm\", hidden = 8 }").unwrap();
        let written = serde_json::to_string(&params).unwrap();
        for (from, to) in [
            ("\"hidden\":8,", ""),
            ("\"hidden\":8,", "\"hidden\":0,"),
            ("\"model\":\"lstm\"", "\"model\":\"svm\""),
            ("\"model\":\"lstm\"", "\"model\":\"none\""),
        ] {
            assert!(written.contains(from), "{written}");
            let values = serde_json::from_str(&written.replace(from, to)).unwrap();
            assert!(Resolved::stored(registered("svm").unwrap().params(), values).is_err(), "{from} as {to}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_model_as_a_value_is_said_with_what_to_write() {
        for (written, says) in [
            (
                "\"resnett\"",
                "parameter 'features' is \"resnett\", expected one of hog, pixels, hog+pixels, auto, or one of",
            ),
            ("{ epochs = 3 }", "expected one of hog"),
            ("{ model = 3 }", "expected one of hog"),
            ("{ model = \"resnett\" }", "parameter 'features': unknown model 'resnett', did you mean 'resnet'?"),
            ("{ model = \"svm\" }", "unknown model 'svm'"),
            (
                "{ model = \"resnet\", epoch = 3 }",
                "parameter 'features': model 'resnet': unknown parameter 'epoch', did you mean 'epochs'?",
            ),
            (
                "{ model = \"resnet\", epochs = 0 }",
                "model 'resnet': parameter 'epochs' is 0, expected a whole number in 1..=",
            ),
            (
                "{ model = \"transformer\", heads = 3 }",
                "model 'transformer': parameter 'heads' is 3, expected a divisor",
            ),
        ] {
            let error = resolved("svm", IMAGES, &format!("features = {written}")).unwrap_err().to_string();
            assert!(error.contains(says), "{written}: {error}");
        }
    }

    #[test]
    fn a_limit_reaches_the_models_that_are_values() {
        let mut params = resolved("random-forest", IMAGES, "features = { model = \"resnet\", epochs = 7 }").unwrap();
        params.limit("epochs", 1);
        params.limit("trees", 300);
        assert_eq!(params.model("features").unwrap().params().int("epochs"), 1);
        assert_eq!(params.int("trees"), 200, "a smaller number stays");
    }
}
