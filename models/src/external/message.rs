//! The messages of the protocol (docs/protocol.md): a line of JSON, and then the bytes of the blocks that it lists.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use bakeoff_datasets::{Inputs, Split, TableColumns, Targets};
use serde::{Deserialize, Serialize};

use crate::model::{InputShape, TargetShape};
use crate::params::Resolved;

/// The version of the protocol. Every change that an older program cannot read takes the next number.
pub(super) const PROTOCOL: u32 = 1;

/// The longest line of a message, in bytes. A program that prints without an end must not fill the memory.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// What the harness sends.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Request<'a> {
    /// The first message.
    Hello { protocol: u32 },
    /// The task that the model is built for.
    Task(TaskMessage<'a>),
    /// The task, and the folder with the files of the fitted model.
    Load {
        folder: &'a Path,
        #[serde(flatten)]
        task: TaskMessage<'a>,
    },
    /// The rows to learn from.
    Fit { seconds_left: Option<f64> },
    /// The answer to an epoch.
    Score { score: Option<f64>, spent: Option<f64> },
    /// The rows to predict.
    Predict,
    /// Rows that are sent to measure what sending costs.
    Echo,
    /// How large the fitted model is.
    Footprint,
    /// The empty folder to which the fitted model is saved.
    Save { folder: &'a Path },
    /// The last message.
    Bye,
}

/// What a program must know about a task before it sees data.
#[derive(Debug, Serialize)]
pub(super) struct TaskMessage<'a> {
    pub(super) inputs: InputForm,
    pub(super) target: TargetForm,
    pub(super) train_rows: usize,
    pub(super) params: &'a Resolved,
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) device: &'a str,
}

/// The form of the inputs.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum InputForm {
    Images { channels: usize, height: usize, width: usize },
    Texts,
    Pairs,
    Table { numbers: usize, categories: usize },
}

impl From<InputShape> for InputForm {
    fn from(shape: InputShape) -> InputForm {
        match shape {
            InputShape::Images { channels, height, width } => InputForm::Images { channels, height, width },
            InputShape::Texts { pairs: false } => InputForm::Texts,
            InputShape::Texts { pairs: true } => InputForm::Pairs,
            InputShape::Table { numbers, categories } => InputForm::Table { numbers, categories },
        }
    }
}

/// The form of the targets.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum TargetForm {
    Classes { count: usize },
    Value,
}

impl From<TargetShape> for TargetForm {
    fn from(shape: TargetShape) -> TargetForm {
        match shape {
            TargetShape::Classes(count) => TargetForm::Classes { count },
            TargetShape::Value => TargetForm::Value,
        }
    }
}

/// What a program sends.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    Hello(Hello),
    Ready {},
    Unsupported {
        reason: String,
    },
    Loaded {},
    /// JSON has no NaN, so a loss that is not a number is `null`.
    Epoch {
        epoch: usize,
        epochs: usize,
        loss: Option<f64>,
    },
    Progress {
        done: usize,
        total: usize,
    },
    Fitted {},
    Predictions {},
    Echo {},
    Footprint {
        parameters: u64,
        flops_per_example: Option<u64>,
        weight_bytes: Option<u64>,
    },
    Saved {},
    Error {
        message: String,
    },
}

impl Answer {
    /// Its name in the protocol.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Answer::Hello(_) => "hello",
            Answer::Ready {} => "ready",
            Answer::Unsupported { .. } => "unsupported",
            Answer::Loaded {} => "loaded",
            Answer::Epoch { .. } => "epoch",
            Answer::Progress { .. } => "progress",
            Answer::Fitted {} => "fitted",
            Answer::Predictions {} => "predictions",
            Answer::Echo {} => "echo",
            Answer::Footprint { .. } => "footprint",
            Answer::Saved {} => "saved",
            Answer::Error { .. } => "error",
        }
    }
}

/// What a program says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// What it is.
    pub name: String,
    /// The version of the method, if the suite does not give it.
    pub version: String,
    /// The kinds of inputs that it reads: `images`, `texts`, `pairs`, `table`.
    pub inputs: Vec<String>,
    /// The kinds of targets that it predicts: `classes`, `value`.
    pub targets: Vec<String>,
    /// The kinds of devices that it computes on.
    #[serde(default = "processor")]
    pub devices: Vec<String>,
    /// Whether its fit learns from the validation rows as it learns from the training rows.
    #[serde(default)]
    pub learns_from_validation: bool,
}

fn processor() -> Vec<String> {
    vec!["cpu".to_owned()]
}

/// A block of numbers that a message lists.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    /// The names of the columns of a table. No answer has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
}

impl Block {
    /// How many bytes follow; `None` if they are too many for a number.
    pub(super) fn bytes(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.kind.bytes(), |bytes, side| bytes.checked_mul(*side))
    }
}

/// The type of a block's numbers, which are little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    U8,
    U16,
    U64,
    F32,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::U8 => "u8",
            Kind::U16 => "u16",
            Kind::U64 => "u64",
            Kind::F32 => "f32",
        })
    }
}

impl Kind {
    pub(super) fn bytes(self) -> usize {
        match self {
            Kind::U8 => 1,
            Kind::U16 => 2,
            Kind::U64 => 8,
            Kind::F32 => 4,
        }
    }
}

/// The bytes of a message that is being made.
pub(super) struct Message {
    blocks: Vec<Block>,
    body: Vec<u8>,
}

impl Message {
    /// A message without blocks.
    pub(super) fn new() -> Message {
        Message { blocks: Vec::new(), body: Vec::new() }
    }

    /// The rows of a split under names that begin with `prefix`.
    pub(super) fn split(self, prefix: &str, split: &Split) -> Message {
        let message = self.inputs(prefix, &split.inputs);
        match &split.targets {
            Targets::Classes { labels, .. } => {
                let bytes = labels.iter().flat_map(|label| label.to_le_bytes());
                message.block(prefix, "labels", Kind::U16, vec![labels.len()], bytes)
            }
            Targets::Values(values) => {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes());
                message.block(prefix, "values", Kind::F32, vec![values.len()], bytes)
            }
        }
    }

    /// Inputs under names that begin with `prefix`.
    pub(super) fn inputs(self, prefix: &str, inputs: &Inputs) -> Message {
        match inputs {
            Inputs::Images(images) => {
                let shape = vec![images.len(), images.channels, images.height, images.width];
                self.block(prefix, "pixels", Kind::U8, shape, images.pixels.iter().copied())
            }
            Inputs::Table(table) => {
                let TableColumns { numbers, categories } = table.columns.as_ref();
                let mut message = self;
                if !numbers.is_empty() {
                    let bytes = table.numbers.iter().flat_map(|number| number.to_le_bytes());
                    message = message
                        .block(prefix, "numbers", Kind::F32, vec![table.len(), numbers.len()], bytes)
                        .with_columns(numbers);
                }
                if !categories.is_empty() {
                    let words: Vec<&str> = table.categories.iter().map(AsRef::as_ref).collect();
                    message =
                        message.texts(prefix, ["categories", "category_offsets"], &words).with_columns(categories);
                }
                message
            }
            Inputs::Texts(texts) => {
                let first: Vec<&str> = texts.iter().map(|text| text.first.as_str()).collect();
                let message = self.texts(prefix, ["text", "text_offsets"], &first);
                if texts.iter().all(|text| text.second.is_none()) {
                    return message;
                }
                let second: Vec<&str> = texts.iter().map(|text| text.second.as_deref().unwrap_or_default()).collect();
                message.texts(prefix, ["second", "second_offsets"], &second)
            }
        }
    }

    /// Names the columns of the last block.
    fn with_columns(mut self, columns: &[String]) -> Message {
        if let Some(block) = self.blocks.last_mut() {
            block.columns = columns.to_vec();
        }
        self
    }

    /// Texts one after another, and where each begins; the last offset is the end.
    fn texts(self, prefix: &str, [name, offsets]: [&str; 2], texts: &[&str]) -> Message {
        let mut ends = vec![0_u64];
        ends.extend(texts.iter().scan(0, |end, text| {
            *end += text.len() as u64;
            Some(*end)
        }));
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        self.block(prefix, name, Kind::U8, vec![bytes], texts.iter().flat_map(|text| text.bytes())).block(
            prefix,
            offsets,
            Kind::U64,
            vec![ends.len()],
            ends.into_iter().flat_map(u64::to_le_bytes),
        )
    }

    fn block(
        mut self,
        prefix: &str,
        name: &str,
        kind: Kind,
        shape: Vec<usize>,
        bytes: impl Iterator<Item = u8>,
    ) -> Message {
        self.blocks.push(Block { name: format!("{prefix}{name}"), kind, shape, columns: Vec::new() });
        self.body.extend(bytes);
        self
    }

    /// The bytes of `request` with these blocks.
    pub(super) fn bytes(self, request: &Request<'_>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            #[serde(flatten)]
            request: &'a Request<'a>,
            #[serde(skip_serializing_if = "<[Block]>::is_empty")]
            blocks: &'a [Block],
        }
        let line = Line { request, blocks: &self.blocks };
        let mut bytes = serde_json::to_vec(&line).expect("a request has strings as keys");
        bytes.reserve(1 + self.body.len());
        bytes.push(b'\n');
        bytes.extend(self.body);
        bytes
    }
}

/// Why no message was read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The program has closed its output, or it cannot be read.
    Closed,
    /// What it sent is no message, in words.
    Wrong(String),
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Unread {
        Unread::Closed
    }
}

/// Reads the line of a message: the answer, and the blocks that follow.
pub(super) fn read_line(from: &mut impl BufRead) -> Result<(Answer, Vec<Block>), Unread> {
    let mut line = Vec::new();
    from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(Unread::Closed);
    }
    let is_whole = line.ends_with(b"\n");
    let shown = || shown(&line);
    if !is_whole {
        return Err(match line.len() as u64 {
            MAX_LINE_BYTES => Unread::Wrong(format!(
                "it printed a line of more than {MAX_LINE_BYTES} bytes that begins with {}: {HINT}",
                shown()
            )),
            _ => Unread::Closed,
        });
    }
    if line.first() != Some(&b'{') {
        return Err(Unread::Wrong(format!("it printed {}: {HINT}", shown())));
    }
    let fields = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&line);
    let mut fields = fields.map_err(|error| {
        Unread::Wrong(format!("{} is not JSON, which has neither NaN nor Infinity: {error}", shown()))
    })?;
    let blocks = fields.remove("blocks").map_or(Ok(Vec::new()), serde_json::from_value);
    let blocks = blocks.map_err(|error| Unread::Wrong(format!("the blocks of {} cannot be read: {error}", shown())))?;
    let answer = serde_json::from_value(fields.into());
    let answer = answer.map_err(|error| Unread::Wrong(format!("{} is no answer of the protocol: {error}", shown())))?;
    Ok((answer, blocks))
}

/// What a program does that prints to the wrong place.
const HINT: &str = "standard output is for messages of the protocol, so print everything else to standard error";

/// The beginning of a line, in quotes.
fn shown(line: &[u8]) -> String {
    const MAX_SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX_SHOWN)]);
    let text: String = text.trim_end().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if line.len() > MAX_SHOWN { format!("'{text}…'") } else { format!("'{text}'") }
}

/// Sends the bytes of a message.
pub(super) fn send(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.flush()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use bakeoff_datasets::{Images, Table, Text};

    use super::*;

    fn wrong(line: &str) -> String {
        match read_line(&mut line.as_bytes()).unwrap_err() {
            Unread::Wrong(what) => what,
            Unread::Closed => "closed".to_owned(),
        }
    }

    #[test]
    fn a_message_is_a_line_of_json_and_the_bytes_of_its_blocks() {
        let images = Images { channels: 1, height: 1, width: 3, pixels: vec![1, 2, 3, 4, 5, 6] };
        let bytes = Message::new().inputs("", &Inputs::Images(images)).bytes(&Request::Predict);
        let expected = br#"{"type":"predict","blocks":[{"name":"pixels","type":"u8","shape":[2,1,1,3]}]}"#;
        assert_eq!(bytes, [expected.as_slice(), b"\n", &[1, 2, 3, 4, 5, 6]].concat());
        assert_eq!(Message::new().bytes(&Request::Bye), b"{\"type\":\"bye\"}\n");
    }

    #[test]
    fn texts_are_one_after_another_with_the_place_where_each_begins() {
        let pair = |first: &str, second: &str| Text { first: first.to_owned(), second: Some(second.to_owned()) };
        let inputs = Inputs::Texts(vec![pair("ab", ""), pair("\u{e9}", "c")]);
        let bytes = Message::new().inputs("", &inputs).bytes(&Request::Predict);
        let offsets = |ends: &[u64]| ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<u8>>();
        let body = [b"ab\xc3\xa9".as_slice(), &offsets(&[0, 2, 4]), b"c", &offsets(&[0, 0, 1])].concat();
        assert!(bytes.ends_with(&body), "{bytes:?}");
    }

    #[test]
    fn a_table_is_its_numbers_and_its_categories_with_the_names_of_the_columns() {
        let columns = TableColumns { numbers: vec!["age".to_owned()], categories: vec!["city".to_owned()] };
        let categories = ["Rome", ""].map(Arc::from).to_vec();
        let table = Table { columns: Arc::new(columns), numbers: vec![1.5, 2.0], categories };
        let bytes = Message::new().inputs("", &Inputs::Table(table)).bytes(&Request::Predict);
        let line = br#"{"type":"predict","blocks":[{"name":"numbers","type":"f32","shape":[2,1],"columns":["age"]},"#;
        let more = br#"{"name":"categories","type":"u8","shape":[4]},"#;
        let last = br#"{"name":"category_offsets","type":"u64","shape":[3],"columns":["city"]}]}"#;
        let numbers: Vec<u8> = [1.5_f32, 2.0].iter().flat_map(|number| number.to_le_bytes()).collect();
        let offsets: Vec<u8> = [0_u64, 4, 4].iter().flat_map(|end| end.to_le_bytes()).collect();
        assert_eq!(bytes, [line.as_slice(), more, last, b"\n", &numbers, b"Rome", &offsets].concat());
    }

    #[test]
    fn an_answer_is_read_with_its_blocks() {
        let line = "{\"type\":\"predictions\",\"blocks\":[{\"name\":\"labels\",\"type\":\"u16\",\"shape\":[2]}]}\n";
        let (answer, blocks) = read_line(&mut line.as_bytes()).unwrap();
        assert_eq!(answer, Answer::Predictions {});
        assert_eq!(blocks, [Block { name: "labels".to_owned(), kind: Kind::U16, shape: vec![2], columns: Vec::new() }]);
        assert_eq!(blocks[0].bytes(), Some(4));
        assert_eq!(
            Block { name: String::new(), kind: Kind::U64, shape: vec![usize::MAX], columns: Vec::new() }.bytes(),
            None
        );
    }

    #[test]
    fn what_is_no_message_is_shown_with_what_to_do() {
        let printed = wrong("Epoch 1/3 \u{1b}[32mdone\n");
        assert_eq!(
            printed,
            "it printed 'Epoch 1/3 \u{fffd}[32mdone': standard output is for messages of the protocol, so print everything else to \
             standard error"
        );
        assert!(wrong("[1]\n").starts_with("it printed '[1]'"));
        assert!(wrong("{\"type\":\"fited\"}\n").contains("unknown variant `fited`"));
        assert!(wrong("{\"type\":\"fitted\",\"loss\":1}\n").contains("unknown field `loss`"));
        assert!(
            wrong(&"x".repeat(2 << 20))
                .starts_with("it printed a line of more than 1048576 bytes that begins with 'xxx")
        );
        assert_eq!(wrong(""), "closed");
        assert_eq!(wrong("{\"type\":"), "closed");
    }
}
