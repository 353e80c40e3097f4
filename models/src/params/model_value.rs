//! A model as the value of another model's parameter.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Domain, InputKind, Param, ParamError, ParamValue, Resolved};
use crate::model::ModelEntry;
use crate::names::unknown_name;

/// A model of the registry with its parameters, as the value of another model's parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelValue {
    model: String,
    pub(super) params: Resolved,
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
        kind: InputKind,
    ) -> Result<ModelValue, String> {
        let entry = registered(name).ok_or_else(|| format!("there is no model '{name}'"))?;
        let mut overrides = overrides.clone();
        if let Domain::WordOrNetwork(..) = domain
            && name == PRETRAINED
        {
            overrides.entry("mode").or_insert_with(|| "frozen".into());
        }
        Resolved::of_kind(entry.params(), kind, &overrides)
            .and_then(|params| entry.check(&params).and_then(|()| entry.check_files(&params)).map(|()| params))
            .map(|params| ModelValue { model: name.to_owned(), params })
            .map_err(|error| format!("model '{name}': {error}"))
    }

    /// Whether the value is one of these models, with all of its parameters and no others.
    pub(super) fn is_one_of(&self, models: &[&str]) -> bool {
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

/// Converts a model's name and what was written of its parameters to a value of the parameter's domain.
pub(super) fn admit(
    param: &Param,
    name: &str,
    written: (&toml::Table, Domain),
    kind: InputKind,
) -> Result<ParamValue, ParamError> {
    let models = param.domain.models();
    let completed = match models.contains(&name) {
        true => ModelValue::complete(name, written, kind),
        false => Err(unknown_name("model", name, models)),
    };
    completed.map(ParamValue::Model).map_err(|what| ParamError::Model { name: param.name.to_owned(), what })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{InputShape, TargetShape, TaskShape};

    const IMAGES: InputShape = InputShape::Images { channels: 3, height: 32, width: 32 };
    const TEXTS: InputShape = InputShape::Texts { pairs: false };

    fn resolved(model: &str, input: InputShape, written: &str) -> Result<Resolved, ParamError> {
        let shape = TaskShape {
            input,
            target: TargetShape::Classes(2),
            train_rows: 100,
            mirror_negates: false,
            characters: None,
        };
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
