//! What a case keeps of the images that its model makes, and how it says that a generator has collapsed.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use bakeoff::case::Case;
use bakeoff::load::LatencyConfig;
use bakeoff::machine::ThisMachine;
use bakeoff::measure::measure;
use bakeoff::meters::EnergyConfig;
use bakeoff::noise::NoiseLimits;
use bakeoff::outcome::Outcome;
use bakeoff::phase::Phase;
use bakeoff::program::Program;
use bakeoff::protocol::Request;
use bakeoff::tasks::{self, Task};
use bakeoff_datasets::{DataFile, DatasetError, Images, Inputs, Split, Splits, Store, Targets};
use bakeoff_models::{
    Device, Footprint, InputShape, Model, ModelEntry, ModelError, Param, Predictions, Resolved, Spec, Support,
    TaskShape, Threads, Watch,
};
use bakeoff_reports::Status;

const TRAIN: usize = 40;
const TEST: usize = 20;

/// Images of four pixels that are dark or bright.
struct Shades;

fn shades(rows: std::ops::Range<usize>) -> Split {
    let pixels =
        rows.clone().flat_map(|row| (0..4).map(move |place| (row % 2 * 200 + row % 7 + place) as u8)).collect();
    let names = ["dark", "bright"].map(str::to_owned).to_vec().into();
    Split {
        inputs: Inputs::Images(Images { channels: 1, height: 2, width: 2, pixels }),
        targets: Targets::Classes { labels: rows.map(|row| (row % 2) as u16).collect(), names },
    }
}

impl Task for Shades {
    fn name(&self) -> &'static str {
        "shades"
    }

    fn about(&self) -> &'static str {
        "whether an image is bright"
    }

    fn version(&self) -> u32 {
        1
    }

    fn primary(&self) -> &'static str {
        "accuracy"
    }

    fn unit(&self) -> &'static str {
        ""
    }

    fn input(&self) -> InputShape {
        InputShape::Images { channels: 1, height: 2, width: 2 }
    }

    fn classes(&self) -> Arc<[String]> {
        ["dark", "bright"].map(str::to_owned).into()
    }

    fn rows(&self) -> usize {
        TRAIN
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(Splits::new(shades(0..TRAIN), shades(TRAIN..TRAIN + TEST)))
    }
}

/// How a model makes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Makes {
    /// None.
    Nothing,
    /// The same one each time.
    OneImage,
    /// As different ones as the training rows.
    ManyImages,
    /// An error.
    AnError,
}

/// A model that is always right, and makes images.
struct Maker(Makes);

impl ModelEntry for Maker {
    fn name(&self) -> &'static str {
        "maker"
    }

    fn about(&self) -> &'static str {
        "makes images"
    }

    fn version(&self, _device: Device) -> String {
        "1".to_owned()
    }

    fn params(&self) -> &'static [Param] {
        &[]
    }

    fn learns_from_validation(&self) -> bool {
        true
    }

    fn supports(&self, _shape: &TaskShape, _params: &Resolved, _device: Device) -> Support {
        Support::Yes
    }

    fn build(&self, _spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        Ok(Box::new(MakerModel(self.0)))
    }

    fn load(&self, _folder: &Path, _threads: Threads, _device: Device) -> Result<Box<dyn Model>, ModelError> {
        Err(ModelError::Unsupported("a maker is not saved".to_owned()))
    }
}

struct MakerModel(Makes);

impl Model for MakerModel {
    fn fit(&mut self, _train: &Split, _validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        watch.progress(1, 1);
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let Inputs::Images(images) = inputs else { panic!("not images") };
        let labels = (0..images.len()).map(|index| u16::from(images.image(index)[0] > 100)).collect();
        Ok(Predictions::Classes { labels, probabilities: None })
    }

    fn save(&self, _folder: &Path) -> Result<(), ModelError> {
        Err(ModelError::Unsupported("a maker is not saved".to_owned()))
    }

    fn footprint(&self) -> Footprint {
        Footprint::default()
    }

    fn images(&self, count: usize) -> Result<Option<Images>, ModelError> {
        let images = |pixels| Ok(Some(Images { channels: 1, height: 2, width: 2, pixels }));
        match self.0 {
            Makes::Nothing => Ok(None),
            Makes::OneImage => images(vec![77; 4 * count]),
            Makes::ManyImages => {
                let Inputs::Images(all) = shades(0..count).inputs else { panic!("not images") };
                images(all.pixels)
            }
            Makes::AnError => Err(ModelError::Failed("there is no noise".to_owned())),
        }
    }
}

fn run(makes: Makes) -> Outcome {
    let entry: &'static Maker = Box::leak(Box::new(Maker(makes)));
    let models: &'static [&'static dyn ModelEntry] = Box::leak(Box::new([entry as &dyn ModelEntry]));
    let program = Program { tasks: &[&Shades], models, machine: &ThisMachine };
    let case = Case {
        id: "shades.maker".to_owned(),
        task: "shades".to_owned(),
        own: None,
        external: None,
        model: "maker".to_owned(),
        label: "maker".to_owned(),
        params: Resolved::new(&[], &tasks::shape(&Shades, TRAIN), &toml::Table::new()).unwrap(),
        train_size: TRAIN,
        label_noise: 0.0,
        seed: 1,
        fold: None,
        trial: None,
        waits_for: 0,
        row_divisor: 1,
        device: "cpu".to_owned(),
        card: None,
        threads: 1,
        timeout_s: 60.0,
        budget: None,
        checkpoint_s: 60.0,
        memory_limit_bytes: 1 << 30,
        latency_examples: 1,
        latency: LatencyConfig::default(),
        predict_hidden: false,
        keep_model: false,
        target: None,
        train_score: false,
        test_rows: None,
        energy: EnergyConfig { estimate: false, ..EnergyConfig::default() },
        noise: NoiseLimits::default(),
        peak: None,
        unsupported: None,
    };
    measure(&program, &Request::new(&case, None, None), &Store::embedded(), &mut |_| {})
}

/// The bytes with which a PNG file begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[test]
fn a_generator_that_has_collapsed_is_recorded_with_a_remark_and_its_scores_stand() {
    let outcome = run(Makes::OneImage);
    assert_eq!(outcome.status, Status::Ok);
    assert_eq!(outcome.value(Phase::Case, "generated_diversity"), Some(0.0));
    assert!(outcome.note.contains("the generator has collapsed"), "{}", outcome.note);
    assert_eq!(outcome.value(Phase::Score, "accuracy"), Some(1.0));
    assert!(outcome.sheet.starts_with(PNG), "what it makes is not hidden");
    // It travels from the child to its parent as JSON.
    let text = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
}

#[test]
fn diverse_images_have_a_sheet_and_no_remark() {
    let outcome = run(Makes::ManyImages);
    // The training rows are among 64 of the same kind, so the distances are nearly the same.
    let diversity = outcome.value(Phase::Case, "generated_diversity").unwrap();
    assert!((0.9..1.1).contains(&diversity), "{diversity}");
    assert_eq!(outcome.note, "");
    assert!(outcome.sheet.starts_with(PNG));
}

#[test]
fn a_model_that_makes_no_images_has_no_row_of_them_and_one_that_fails_to_has_the_reason() {
    let outcome = run(Makes::Nothing);
    assert!(outcome.sheet.is_empty() && outcome.values.iter().all(|value| value.metric != "generated_diversity"));
    let outcome = run(Makes::AnError);
    let row = outcome.values.iter().find(|value| value.metric == "generated_diversity").unwrap();
    assert_eq!(row.value, None);
    assert!(row.note.contains("there is no noise"), "{}", row.note);
    assert_eq!((outcome.status, outcome.sheet.len()), (Status::Ok, 0));
}
