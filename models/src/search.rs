//! What a search draws the values of a parameter from: declared beside the parameter's default, or written in a suite.

use std::fmt;

use crate::params::{DefaultValue, Domain, InputKind, Param, ParamValue, admit};

/// How the numbers of a range are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Every number is equally likely.
    Uniform,
    /// Every order of magnitude is equally likely.
    Log,
}

impl Scale {
    fn name(self) -> &'static str {
        match self {
            Scale::Uniform => "uniform",
            Scale::Log => "log-uniform",
        }
    }
}

/// A declared range: constants, because tables of parameters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SearchDefault {
    /// Numbers between the two, both included.
    Between(Scale, f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
}

/// What a search draws a parameter from unless the suite says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// For tasks on images; `None` if the parameter means nothing there.
    pub images: Option<SearchDefault>,
    /// For tasks on texts; `None` if the parameter means nothing there.
    pub texts: Option<SearchDefault>,
    /// For tasks on rows of a table; `None` if the parameter means nothing there.
    pub tables: Option<SearchDefault>,
    /// Where the ranges come from: a paper, a guide, or our own choice.
    pub source: &'static str,
}

impl Search {
    /// The same range for all tasks.
    pub const fn of_all(range: SearchDefault, source: &'static str) -> Search {
        Search { images: Some(range), texts: Some(range), tables: Some(range), source }
    }

    /// A range for texts only.
    pub const fn of_texts(range: SearchDefault, source: &'static str) -> Search {
        Search { images: None, texts: Some(range), tables: None, source }
    }

    /// From a tenth of each default to ten times of it. The defaults are real numbers.
    pub(crate) const fn around(
        images: DefaultValue,
        texts: DefaultValue,
        tables: DefaultValue,
        source: &'static str,
    ) -> Search {
        const fn decades(default: DefaultValue) -> Option<SearchDefault> {
            match default {
                DefaultValue::Float(x) => Some(SearchDefault::Between(Scale::Log, x / 10.0, x * 10.0)),
                _ => panic!("only a real number has a tenth"),
            }
        }
        Search { images: decades(images), texts: decades(texts), tables: decades(tables), source }
    }

    fn on(&self, kind: InputKind) -> Option<SearchDefault> {
        match kind {
            InputKind::Images => self.images,
            InputKind::Texts | InputKind::Characters => self.texts,
            InputKind::Tables => self.tables,
        }
    }
}

/// What a search draws a parameter from.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchRange {
    /// Numbers between the two, both included.
    Between {
        /// How they are spread.
        scale: Scale,
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// Whether they are whole.
        whole: bool,
    },
    /// One of these values, each equally likely.
    OneOf(Vec<ParamValue>),
}

/// A written range that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeFault {
    /// Which of the values is at fault; `None` if the list is.
    pub value: Option<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Significant digits of the real numbers that are drawn, so that people can read and write them.
const DIGITS: i32 = 4;

impl SearchRange {
    /// The value at `share` of the range, in 0..1: the quantile function of the draw.
    pub fn at(&self, share: f64) -> ParamValue {
        match self {
            SearchRange::OneOf(values) => {
                let index = (share * values.len() as f64) as usize;
                values[index.min(values.len() - 1)].clone()
            }
            // The share of each whole number ends where that of the next begins. A logarithm may round to just below the lowest.
            SearchRange::Between { scale, low, high, whole: true } => {
                ParamValue::Int(between(*scale, *low, *high + 1.0, share).floor().clamp(*low, *high) as i64)
            }
            SearchRange::Between { scale, low, high, whole: false } => {
                ParamValue::Float(rounded(between(*scale, *low, *high, share)).clamp(*low, *high))
            }
        }
    }

    /// The share at which the range has `value`: the middle of the shares of a whole number or a word. `None` if it lies
    /// outside the range.
    pub fn share_of(&self, value: &ParamValue) -> Option<f64> {
        match self {
            SearchRange::OneOf(values) => {
                let index = values.iter().position(|other| other == value)?;
                Some((index as f64 + 0.5) / values.len() as f64)
            }
            SearchRange::Between { scale, low, high, whole } => {
                let number = number(value);
                if !(*low..=*high).contains(&number) {
                    return None;
                }
                let share = if *whole {
                    let edges = [number, number + 1.0].map(|edge| place(*scale, *low, *high + 1.0, edge));
                    (edges[0] + edges[1]) / 2.0
                } else {
                    place(*scale, *low, *high, number)
                };
                Some(share.clamp(0.0, 1.0 - f64::EPSILON))
            }
        }
    }

    fn declared(default: SearchDefault, param: &Param) -> SearchRange {
        match default {
            SearchDefault::Between(scale, low, high) => {
                SearchRange::Between { scale, low, high, whole: matches!(param.domain, Domain::Int(..)) }
            }
            SearchDefault::Words(words) => {
                SearchRange::OneOf(words.iter().map(|word| ParamValue::Text((*word).to_owned())).collect())
            }
        }
    }
}

fn between(scale: Scale, low: f64, high: f64, share: f64) -> f64 {
    match scale {
        Scale::Uniform => low + share * (high - low),
        Scale::Log => (low.ln() + share * (high.ln() - low.ln())).exp(),
    }
}

/// Where in 0..1 `number` is between `low` and `high`: the inverse of [`between`].
fn place(scale: Scale, low: f64, high: f64, number: f64) -> f64 {
    match scale {
        Scale::Uniform => (number - low) / (high - low),
        Scale::Log => (number.ln() - low.ln()) / (high.ln() - low.ln()),
    }
}

fn rounded(number: f64) -> f64 {
    // The decimal text rounds as people do, and a product with a power of ten does not.
    let digits = (DIGITS - 1) as usize;
    format!("{number:.digits$e}").parse().unwrap_or(number)
}

impl Param {
    /// What a search draws the parameter from for such inputs; `None` if it stays as it is.
    /// A parameter with a default of its own on characters stays at it, because its range is for words.
    pub fn declared_range(&self, kind: InputKind) -> Option<SearchRange> {
        if kind == InputKind::Characters && self.default_on_characters().is_some() {
            return None;
        }
        let default = self.search.and_then(|search| search.on(kind))?;
        Some(SearchRange::declared(default, self))
    }

    /// What a search draws the parameter from for such inputs if a user has written these values: the lowest and the
    /// highest of numbers, on the declared scale, or a list to choose from. `None` if the parameter means nothing there.
    ///
    /// # Errors
    /// On values outside the parameter's domain, and on a range that holds fewer than two values.
    pub fn written_range(&self, kind: InputKind, values: &[toml::Value]) -> Result<Option<SearchRange>, RangeFault> {
        let fault = |value, message: String| RangeFault { value, message };
        let mut admitted: Vec<ParamValue> = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let value = admit(self, value, kind).map_err(|error| fault(Some(index), error.to_string()))?;
            admitted.push(value);
        }
        let declared = self.search.map(|search| search.on(kind));
        let range = match (self.domain, admitted.as_slice()) {
            (Domain::Int(..) | Domain::Float(..), [low, high]) => {
                let scale = match declared {
                    Some(Some(SearchDefault::Between(scale, ..))) => scale,
                    _ => Scale::Uniform,
                };
                let whole = matches!(self.domain, Domain::Int(..));
                let [low, high] = [number(low), number(high)];
                if low >= high {
                    let message =
                        format!("the range of '{}' is from {low} to {high}: the second is to be larger", self.name);
                    return Err(fault(None, message));
                }
                if scale == Scale::Log && low <= 0.0 {
                    let message = format!("the range of '{}' is log-uniform: it begins above 0", self.name);
                    return Err(fault(Some(0), message));
                }
                SearchRange::Between { scale, low, high, whole }
            }
            (Domain::Int(..) | Domain::Float(..), found) => {
                let message = format!(
                    "the range of '{}' has {} values, expected two: the lowest and the highest number",
                    self.name,
                    found.len()
                );
                return Err(fault(None, message));
            }
            (_, [] | [_]) => {
                let message = format!("give at least two values of '{}'; one value belongs in params", self.name);
                return Err(fault(None, message));
            }
            (_, choice) => {
                if let Some(index) = (1..choice.len()).find(|&index| choice[..index].contains(&choice[index])) {
                    return Err(fault(Some(index), format!("{} is given twice", choice[index])));
                }
                SearchRange::OneOf(admitted)
            }
        };
        // A network that gives features reads inputs of every form.
        let names_a_model =
            matches!(&range, SearchRange::OneOf(values) if values.iter().any(|v| matches!(v, ParamValue::Model(_))));
        Ok(if declared == Some(None) && !names_a_model { None } else { Some(range) })
    }
}

/// A number as a real one.
fn number(value: &ParamValue) -> f64 {
    match value {
        ParamValue::Int(v) => *v as f64,
        ParamValue::Float(v) => *v,
        ParamValue::Bool(_) | ParamValue::Text(_) | ParamValue::Model(_) => f64::NAN,
    }
}

impl fmt::Display for SearchDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SearchDefault::Between(scale, low, high) => write!(f, "{} in {low}..={high}", scale.name()),
            SearchDefault::Words(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::ENTRIES;

    const KINDS: [InputKind; 4] = [InputKind::Images, InputKind::Texts, InputKind::Characters, InputKind::Tables];

    fn param(model: &str, name: &str) -> Param {
        let entry = ENTRIES.iter().find(|entry| entry.name() == model).unwrap();
        *entry.params().iter().find(|param| param.name == name).unwrap()
    }

    fn written(param: &Param, values: &str) -> Result<Option<SearchRange>, RangeFault> {
        let table: toml::Table = format!("v = {values}").parse().unwrap();
        param.written_range(InputKind::Texts, table["v"].as_array().unwrap())
    }

    #[test]
    fn every_declared_range_draws_values_that_the_parameter_takes() {
        for param in ENTRIES.iter().flat_map(|entry| entry.params()) {
            assert!(param.search.is_none_or(|search| !search.source.is_empty()), "{}", param.name);
            for range in KINDS.into_iter().filter_map(|kind| param.declared_range(kind)) {
                for share in [0.0, 0.3, 0.5, 0.999_999_999, 1.0 - f64::EPSILON] {
                    let value = range.at(share);
                    assert!(param.domain.admits(&value), "{} = {value}", param.name);
                }
            }
        }
    }

    #[test]
    fn a_draw_is_the_quantile_of_its_range() {
        let reals = |scale, low, high| SearchRange::Between { scale, low, high, whole: false };
        assert_eq!(reals(Scale::Uniform, 2.0, 4.0).at(0.25), ParamValue::Float(2.5));
        assert_eq!(reals(Scale::Log, 0.01, 100.0).at(0.75), ParamValue::Float(10.0));
        assert_eq!(reals(Scale::Log, 1.0, 3.0).at(0.5), ParamValue::Float(1.732), "four digits of the root of 3");
        let whole = |scale, share| SearchRange::Between { scale, low: 1.0, high: 7.0, whole: true }.at(share);
        let at = |scale| [0.0, 0.34, 0.5, 0.99].map(|share| whole(scale, share));
        assert_eq!(at(Scale::Uniform), [1, 3, 4, 7].map(ParamValue::Int));
        // 8^0.34 = 2.03, 8^0.5 = 2.83 and 8^0.99 = 7.84.
        assert_eq!(at(Scale::Log), [1, 2, 2, 7].map(ParamValue::Int));
        let words = SearchRange::OneOf(["a", "b"].map(|word| ParamValue::Text(word.to_owned())).to_vec());
        assert_eq!([0.49, 0.5].map(|share| words.at(share).to_string()), ["a", "b"]);
    }

    #[test]
    fn the_share_of_a_value_is_where_the_range_has_it() {
        for param in ENTRIES.iter().flat_map(|entry| entry.params()) {
            for range in KINDS.into_iter().filter_map(|kind| param.declared_range(kind)) {
                for share in [0.0, 0.3, 0.5, 1.0 - f64::EPSILON] {
                    let value = range.at(share);
                    let found = range.share_of(&value).unwrap();
                    assert!((0.0..1.0).contains(&found), "{} = {value}: {found}", param.name);
                    assert_eq!(range.at(found), value, "{}", param.name);
                }
            }
        }
        let range = SearchRange::Between { scale: Scale::Log, low: 0.01, high: 100.0, whole: false };
        assert!((range.share_of(&ParamValue::Float(10.0)).unwrap() - 0.75).abs() < 1e-12);
        assert_eq!(range.share_of(&ParamValue::Float(0.001)), None);
        assert_eq!(SearchRange::OneOf(vec![ParamValue::Bool(true)]).share_of(&ParamValue::Bool(false)), None);
    }

    #[test]
    fn a_written_range_has_the_declared_scale_and_replaces_the_declared_one() {
        let range = written(&param("svm", "c"), "[1, 100.0]").unwrap();
        let expected = SearchRange::Between { scale: Scale::Log, low: 1.0, high: 100.0, whole: false };
        assert_eq!(range, Some(expected));
        let range = written(&param("svm", "epsilon"), "[0.0, 1.0]").unwrap();
        let expected = SearchRange::Between { scale: Scale::Uniform, low: 0.0, high: 1.0, whole: false };
        assert_eq!(range, Some(expected), "a parameter that declares no range is drawn uniformly");
        let choice = written(&param("lstm", "bidirectional"), "[true, false]").unwrap();
        assert_eq!(choice, Some(SearchRange::OneOf([true, false].map(ParamValue::Bool).to_vec())));
        let depths = written(&param("resnet", "depth"), "[8, 20, 32]").unwrap();
        assert_eq!(depths, Some(SearchRange::OneOf([8, 20, 32].map(ParamValue::Int).to_vec())));
        let crop = param("svm", "features");
        let images_only = written(&crop, "[\"hog\", \"pixels\"]").unwrap();
        assert_eq!(images_only, None, "no text has such features");
        let networks = written(&crop, "[\"encoder\", { model = \"lstm\", hidden = 8 }]").unwrap();
        let Some(SearchRange::OneOf(networks)) = networks else { panic!("{networks:?}") };
        let names = networks.iter().map(|value| match value {
            ParamValue::Model(model) => model.name(),
            other => panic!("{other}"),
        });
        assert_eq!(names.collect::<Vec<_>>(), ["encoder", "lstm"], "a network reads texts too");
    }

    #[test]
    fn a_range_that_cannot_be_used_says_what_to_write() {
        for (name, values, at, says) in [
            ("c", "[10.0, 0.1]", None, "the range of 'c' is from 10 to 0.1: the second is to be larger"),
            ("c", "[1.0, 1.0]", None, "from 1 to 1"),
            ("c", "[]", None, "has 0 values, expected two"),
            ("c", "[1.0, 2.0, 3.0]", None, "has 3 values, expected two"),
            ("c", "[0.0, 1.0]", Some(0), "parameter 'c' is 0.0, expected a number in 0.000001..=1000000"),
            ("gamma", "[0.0, 1.0]", Some(0), "log-uniform: it begins above 0"),
            ("kernel", "[\"linear\"]", None, "at least two values of 'kernel'"),
            ("kernel", "[\"linear\", \"poly\"]", Some(1), "is \"poly\", expected one of linear, rbf"),
            ("kernel", "[\"linear\", \"linear\"]", Some(1), "linear is given twice"),
        ] {
            let fault = written(&param("svm", name), values).unwrap_err();
            assert!(fault.value == at && fault.message.contains(says), "{name} = {values}: {fault:?}");
        }
    }
}
