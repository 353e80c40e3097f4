//! The networks for rows of a table, by Gorishniy et al. 2021 ("Revisiting deep learning models for tabular data"): a residual network of
//! products, and the FT-Transformer, in which each column is a token. Both read the features of a row as the classical models do: its
//! numbers in standard deviations, then one feature for each category.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::layers::{BatchNorm, LayerNorm, Linear, Pass, relu};
use super::network::Network;
use super::weights::{Init, Weight, WeightLayout};
use crate::params::Resolved;

/// The features of a batch of rows.
fn rows(batch: &Batch) -> Tensor<2> {
    let Batch::Features(rows) = batch else { unreachable!("a network gets the form of input it was designed for") };
    rows.clone()
}

/// `x + second(dropout(relu(first(norm(x)))))`.
struct ResidualBlock {
    norm: BatchNorm,
    first: Linear,
    second: Linear,
}

struct TableResnet {
    layouts: (WeightLayout, WeightLayout),
    stem: Linear,
    blocks: Vec<ResidualBlock>,
    norm: BatchNorm,
    head: Linear,
    width: usize,
    dropout: f64,
    multiply_adds: u64,
}

/// The residual network: a product, blocks of two products with a shortcut around them, and a last product. Between the two products of a
/// block are twice as many numbers.
pub(crate) fn resnet(params: &Resolved, features: usize, outputs: usize) -> Box<dyn Network> {
    let (width, blocks) = (params.int("width"), (params.int("depth") - 2) / 2);
    let inner = 2 * width;
    let (mut layout, mut buffers) = (WeightLayout::default(), WeightLayout::default());
    let stem = Linear::new(&mut layout, "stem", features, width, Init::he(features));
    let block = |index: usize| {
        let name = format!("block{index}");
        ResidualBlock {
            norm: BatchNorm::new(&mut layout, &mut buffers, &format!("{name}.norm"), width),
            first: Linear::new(&mut layout, &format!("{name}.first"), width, inner, Init::he(width)),
            second: Linear::new(&mut layout, &format!("{name}.second"), inner, width, Init::he(inner)),
        }
    };
    let made = (0..blocks).map(block).collect();
    let norm = BatchNorm::new(&mut layout, &mut buffers, "norm", width);
    let head = Linear::head(&mut layout, "head", width, outputs, Init::glorot(width, outputs));
    Box::new(TableResnet {
        layouts: (layout, buffers),
        stem,
        blocks: made,
        norm,
        head,
        width,
        dropout: params.float("dropout"),
        multiply_adds: (features * width + blocks * 2 * width * inner + width * outputs) as u64,
    })
}

impl Network for TableResnet {
    fn layout(&self) -> &WeightLayout {
        &self.layouts.0
    }

    fn buffers(&self) -> &WeightLayout {
        &self.layouts.1
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let mut x = self.stem.forward(rows(batch), pass);
        for block in &self.blocks {
            let y = block.norm.forward(x.clone(), pass);
            let hidden = relu(block.first.forward(y, pass));
            let hidden = pass.dropout(hidden, self.dropout);
            x = x + block.second.forward(hidden, pass);
        }
        relu(self.norm.forward(x, pass))
    }

    fn width(&self) -> usize {
        self.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}

/// Makes a token of each column: a number times a vector, or the vector of a category, and in both cases a bias of the column. A category
/// that no training row has adds nothing to the bias.
struct FeatureTokenizer {
    /// `numbers x width`; `None` if there are no numbers.
    numbers: Option<Weight>,
    /// For each column of categories, `categories x width`.
    categories: Vec<Weight>,
    /// `tokens x width`.
    biases: Weight,
    /// How many features belong to the numbers, and then to each column of categories.
    groups: Vec<usize>,
}

impl FeatureTokenizer {
    fn new(layout: &mut WeightLayout, groups: &[usize], width: usize) -> FeatureTokenizer {
        // As `nn.Linear` of PyTorch and the authors' code: up to one over the root of the width.
        let init = Init::Uniform(1.0 / (width as f32).sqrt());
        let (numbers, categories) = (groups[0], &groups[1..]);
        FeatureTokenizer {
            numbers: (numbers > 0).then(|| layout.free("tokens.numbers", &[numbers, width], init)),
            categories: categories
                .iter()
                .enumerate()
                .map(|(index, &count)| layout.free(format!("tokens.categories{index}"), &[count, width], init))
                .collect(),
            biases: layout.free("tokens.bias", &[numbers + categories.len(), width], init),
            groups: groups.to_vec(),
        }
    }

    /// `rows x features` to `rows x tokens x width`.
    fn forward(&self, x: &Tensor<2>, pass: &Pass<'_>) -> Tensor<3> {
        let mut tokens: Vec<Tensor<3>> = Vec::new();
        let mut from = self.groups[0];
        if let Some(weight) = self.numbers {
            let weight: Tensor<2> = pass.weight(weight);
            tokens.push(x.clone().narrow(1, 0, from).unsqueeze_dim::<3>(2) * weight.unsqueeze_dim::<3>(0));
        }
        for (&weight, &count) in self.categories.iter().zip(&self.groups[1..]) {
            let weight: Tensor<2> = pass.weight(weight);
            tokens.push(x.clone().narrow(1, from, count).matmul(weight).unsqueeze_dim::<3>(1));
            from += count;
        }
        let biases: Tensor<2> = pass.weight(self.biases);
        Tensor::cat(tokens, 1) + biases.unsqueeze_dim::<3>(0)
    }
}

/// `x + attention(norm(x))`, then `x + contract(dropout(a * relu(b)))`, where `a` and `b` are the halves of `expand(norm(x))` ("ReGLU":
/// Shazeer 2020).
struct TokenBlock {
    /// The first block has none, which the authors found necessary.
    attention_norm: Option<LayerNorm>,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    mlp_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
}

impl TokenBlock {
    fn new(layout: &mut WeightLayout, index: usize, [width, hidden]: [usize; 2]) -> TokenBlock {
        let name = format!("block{index}");
        let norm =
            |layout: &mut WeightLayout, part: &str| LayerNorm::new(layout, &format!("{name}.{part}_norm"), width);
        let attention_norm = (index > 0).then(|| norm(layout, "attention"));
        let mlp_norm = norm(layout, "mlp");
        let mut linear = |part: &str, inputs: usize, outputs: usize| {
            Linear::new(layout, &format!("{name}.{part}"), inputs, outputs, Init::glorot(inputs, outputs))
        };
        TokenBlock {
            attention_norm,
            query: linear("query", width, width),
            key: linear("key", width, width),
            value: linear("value", width, width),
            output: linear("output", width, width),
            mlp_norm,
            expand: linear("expand", width, 2 * hidden),
            contract: linear("contract", hidden, width),
        }
    }

    fn forward(&self, x: Tensor<3>, net: &FtTransformer, pass: &mut Pass<'_>) -> Tensor<3> {
        let [rows, tokens, _] = x.dims();
        let y = match &self.attention_norm {
            Some(norm) => norm.forward(x.clone(), pass),
            None => x.clone(),
        };
        let inputs = [&self.query, &self.key, &self.value].map(|linear| linear.forward(y.clone(), pass));
        let attended = pass.attend(inputs, net.heads, &vec![tokens; rows]);
        let x = x + self.output.forward(attended, pass);
        let expanded = self.expand.forward(self.mlp_norm.forward(x.clone(), pass), pass);
        let half = |from: usize| expanded.clone().narrow(2, from, net.hidden);
        let hidden = half(0) * relu(half(net.hidden));
        let hidden = pass.dropout(hidden, net.dropout);
        x + self.contract.forward(hidden, pass)
    }
}

struct FtTransformer {
    layout: WeightLayout,
    buffers: WeightLayout,
    tokenizer: FeatureTokenizer,
    class: Option<Weight>,
    /// Whether the last token is classified.
    last: bool,
    blocks: Vec<TokenBlock>,
    norm: LayerNorm,
    head: Linear,
    width: usize,
    heads: usize,
    /// Units of the hidden layer of a block.
    hidden: usize,
    dropout: f64,
    multiply_adds: u64,
}

/// The FT-Transformer. `groups` says how many features belong to the numbers, and then to each column of categories.
pub(crate) fn ft_transformer(params: &Resolved, groups: &[usize], outputs: usize) -> Box<dyn Network> {
    let (width, layers, hidden) = (params.int("width"), params.int("layers"), params.int("feed_forward"));
    let mut layout = WeightLayout::default();
    let tokenizer = FeatureTokenizer::new(&mut layout, groups, width);
    let is_class = params.word("pooling") == "class";
    let class = is_class.then(|| layout.free("class", &[1, 1, width], Init::Uniform(1.0 / (width as f32).sqrt())));
    let blocks = (0..layers).map(|index| TokenBlock::new(&mut layout, index, [width, hidden])).collect();
    let norm = LayerNorm::new(&mut layout, "norm", width);
    let head = Linear::head(&mut layout, "head", width, outputs, Init::glorot(width, outputs));
    let tokens = groups[0] + groups.len() - 1 + usize::from(is_class);
    let features: usize = groups.iter().sum();
    let block = tokens * (4 * width * width + 3 * width * hidden + 2 * tokens * width);
    Box::new(FtTransformer {
        layout,
        buffers: WeightLayout::default(),
        tokenizer,
        class,
        last: params.word("pooling") == "last",
        blocks,
        norm,
        head,
        width,
        heads: params.int("heads"),
        hidden,
        dropout: params.float("dropout"),
        multiply_adds: (features * width + layers * block + width * outputs) as u64,
    })
}

impl Network for FtTransformer {
    fn layout(&self) -> &WeightLayout {
        &self.layout
    }

    fn buffers(&self) -> &WeightLayout {
        &self.buffers
    }

    fn pooled(&self, batch: &Batch, pass: &mut Pass<'_>) -> Tensor<2> {
        let mut x = self.tokenizer.forward(&rows(batch), pass);
        let rows = x.dims()[0];
        if let Some(class) = self.class {
            let class: Tensor<3> = pass.weight(class);
            x = Tensor::cat(vec![class.expand([rows, 1, self.width]), x], 1);
        }
        for block in &self.blocks {
            x = block.forward(x, self, pass);
        }
        let tokens = x.dims()[1];
        let token = |x: Tensor<3>, at: usize| x.narrow(1, at, 1).reshape([rows, self.width]);
        let chosen = match (self.class, self.last) {
            (Some(_), _) => token(x, 0),
            (None, true) => token(x, tokens - 1),
            (None, false) => x.mean_dim(1).reshape([rows, self.width]),
        };
        relu(self.norm.forward(chosen, pass))
    }

    fn width(&self) -> usize {
        self.width
    }

    fn head(&self, pooled: Tensor<2>, pass: &mut Pass<'_>) -> Tensor<2> {
        self.head.forward(pooled, pass)
    }

    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use bakeoff_datasets::{Inputs, Split, Table, TableColumns, Targets};
    use serde::Deserialize;

    use crate::encode::columns::ColumnEncoder;
    use crate::model::{InputShape, Spec, TargetShape, TaskShape};
    use crate::neural::Neural;
    use crate::neural::encoder::Reading;
    use crate::neural::functions::testing::as_on_any_device;
    use crate::neural::network::Design;
    use crate::neural::tests::{Losses, assert_alike, sines};
    use crate::parallel::Threads;
    use crate::params::Resolved;
    use crate::{Device, ENTRIES, mlp, resnet, transformer};

    /// What scikit-learn and PyTorch make of a table (`scripts/peers/tables.py`).
    #[derive(Deserialize)]
    struct Fixture {
        numbers: Vec<[Option<f32>; 2]>,
        categories: Vec<[String; 2]>,
        labels: Vec<u16>,
        features: Vec<Vec<f32>>,
        groups: Vec<usize>,
        cases: Vec<FixtureCase>,
    }

    #[derive(Deserialize)]
    struct FixtureCase {
        model: String,
        params: toml::Table,
        losses: Vec<f64>,
    }

    fn fixture() -> (Fixture, Split) {
        let fixture: Fixture = serde_json::from_str(include_str!("../../tests/fixtures/tables.json")).unwrap();
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let columns = TableColumns { numbers: names(["age", "income"]), categories: names(["city", "colour"]) };
        let table = Table {
            columns: Arc::new(columns),
            numbers: fixture.numbers.iter().flatten().map(|x| x.unwrap_or(Table::MISSING)).collect(),
            categories: fixture.categories.iter().flatten().map(|word| Arc::from(word.as_str())).collect(),
        };
        let names = Arc::from(["0", "1", "2"].map(str::to_owned));
        let targets = Targets::Classes { labels: fixture.labels.clone(), names };
        (fixture, Split { inputs: Inputs::Table(table), targets })
    }

    #[test]
    fn the_features_of_a_table_are_those_of_scikit_learn() {
        let (fixture, split) = fixture();
        let Inputs::Table(table) = &split.inputs else { panic!("a table") };
        let (encoder, rows) = ColumnEncoder::fit(table, true).unwrap();
        assert_eq!(encoder.groups(), fixture.groups);
        for (ours, theirs) in rows.outer_iter().zip(&fixture.features) {
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-5, "{ours} is not {theirs}");
            }
        }
    }

    #[test]
    fn networks_of_tables_have_the_losses_of_pytorch_step_for_step() {
        let (fixture, split) = fixture();
        for case in &fixture.cases {
            let entry = *ENTRIES.iter().find(|entry| entry.name() == case.model).unwrap();
            let (input, target) = (InputShape::Table { numbers: 2, categories: 2 }, TargetShape::Classes(3));
            let shape = TaskShape { input, target, train_rows: 24, mirror_negates: false, characters: None };
            let params = Resolved::new(entry.params(), &shape, &case.params).unwrap();
            let spec = Spec { shape, params, device: Device::Cpu, threads: Threads::new(2), seed: 1 };
            let design: Design = match case.model.as_str() {
                "mlp" => mlp::design,
                "resnet" => resnet::design,
                _ => transformer::design,
            };
            let losses = || {
                let (mut model, mut told) =
                    (Neural::new(entry, &spec, design, Reading::Features).unwrap(), Losses(Vec::new()));
                model.fit_from(|layout| sines(layout, 0.3, 1), (&split, &split), &mut told).unwrap();
                told.0
            };
            for losses in [losses(), as_on_any_device(losses)] {
                assert_eq!(losses.len(), case.losses.len());
                for (step, (ours, theirs)) in losses.into_iter().zip(&case.losses).enumerate() {
                    assert_alike(&format!("{} in step {step}", case.model), ours, *theirs);
                }
            }
        }
    }
}
