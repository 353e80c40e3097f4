//! `gan`: a classifier of images that learns against a generator of images (generative adversarial networks: Goodfellow et al.
//! 2014; K + 1 classes and feature matching: Salimans et al. 2016).
//!
//! The discriminator has a class more than the task: images that the generator made. Its predictions are over the classes of the
//! task alone. The generator is kept with the model, and makes the images of [`Model::images`].

use std::path::Path;
use std::sync::Arc;

use bakeoff_datasets::{Images, Inputs, Split};

use crate::artefact::{self, ArraysOut, Loaded};
use crate::model::{
    Device, Footprint, InputShape, Model, ModelEntry, ModelError, Predictions, Spec, Support, TargetShape, TaskShape,
    Watch,
};
use crate::neural::Pools;
use crate::neural::adversarial::{self, FittedRivals};
use crate::neural::encoder::NetworkEncoderState;
use crate::neural::recipe::{self, Choice, Choices, DROPOUT, Precision};
use crate::neural::{seconds, version};
use crate::parallel::Threads;
use crate::params::{DefaultValue, Domain, Param, Resolved};

/// The entry in the registry.
pub(crate) struct Gan;

const OWN: &[Param] = &[
    Param {
        name: "width",
        images: DefaultValue::Int(32),
        texts: DefaultValue::Int(32),
        tables: DefaultValue::Int(32),
        domain: Domain::Int(1, 512),
        about: "channels of the discriminator's first layers and of the generator's last; each halving of an image doubles them",
        source: "our own choice: what two cores train in minutes (Salimans et al. 2016 have 96)",
        search: None,
    },
    Param {
        name: "noise",
        images: DefaultValue::Int(100),
        texts: DefaultValue::Int(100),
        tables: DefaultValue::Int(100),
        domain: Domain::Int(1, 4096),
        about: "numbers from which the generator makes an image, uniform from -1 to 1",
        source: "Radford et al. 2015; Salimans et al. 2016",
        search: None,
    },
    Param {
        name: "dropout",
        images: DefaultValue::Float(0.3),
        texts: DefaultValue::Float(0.3),
        tables: DefaultValue::Float(0.3),
        domain: Domain::Float(0.0, 0.9),
        about: "dropout of the discriminator, before each halving of the image and before the last layer",
        source: "the places: Salimans et al. 2016, whose rate is 0.5; the rate is our own choice for few rows",
        search: Some(DROPOUT),
    },
];

static PARAMS: [Param; OWN.len() + recipe::SHARED] = recipe::table(
    OWN,
    Choices {
        epochs: Choice(DefaultValue::Int(60), DefaultValue::Int(60), DefaultValue::Int(60), "our own choice"),
        optimizer: Choice(
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            DefaultValue::Word("adamw"),
            "Adam: Salimans et al. 2016",
        ),
        learning_rate: Choice(
            DefaultValue::Float(1e-3),
            DefaultValue::Float(1e-3),
            DefaultValue::Float(1e-3),
            "our own choice, for few epochs (Salimans et al. 2016 have 3e-4); both networks have it",
        ),
        weight_decay: Choice(
            DefaultValue::Float(1e-4),
            DefaultValue::Float(1e-4),
            DefaultValue::Float(1e-4),
            "our own choice",
        ),
    },
);

impl ModelEntry for Gan {
    fn name(&self) -> &'static str {
        "gan"
    }

    fn about(&self) -> &'static str {
        "classifier that learns against a generator of images (Salimans et al. 2016)"
    }

    fn version(&self, device: Device) -> String {
        version(1, device)
    }

    fn params(&self) -> &'static [Param] {
        &PARAMS
    }

    fn learns_from_validation(&self) -> bool {
        false
    }

    fn supports(&self, shape: &TaskShape, params: &Resolved, device: Device) -> Support {
        if let no @ Support::No { .. } = device.processor_alone() {
            return no;
        }
        let reason = match (shape.input, shape.target) {
            (InputShape::Texts { .. }, _) => {
                "its generator makes images, and words cannot be moved by a gradient as pixels can; the inputs are texts"
            }
            (InputShape::Table { .. }, _) => "its generator makes images, and the inputs are rows of a table",
            (_, TargetShape::Value) => {
                "its discriminator has a class more than the task, and the target is a number, which has no classes"
            }
            (InputShape::Images { .. }, TargetShape::Classes(_)) => return Precision::supports(params, device),
        };
        Support::No { reason: reason.to_owned() }
    }

    fn fit_s(&self, shape: &TaskShape, params: &Resolved, threads: usize, device: Device) -> Option<f64> {
        let TargetShape::Classes(classes) = shape.target else { return None };
        let operations = adversarial::multiply_adds(params, &shape.input, classes);
        Some(seconds(operations, params.int("epochs") * shape.train_rows, params, threads, device))
    }

    fn build(&self, spec: &Spec) -> Result<Box<dyn Model>, ModelError> {
        if let Support::No { reason } = self.supports(&spec.shape, &spec.params, spec.device) {
            return Err(ModelError::Unsupported(reason));
        }
        Ok(Box::new(GanModel::new(spec)?))
    }

    fn load(&self, folder: &Path, threads: Threads, device: Device) -> Result<Box<dyn Model>, ModelError> {
        let Loaded { spec, state, mut arrays } = artefact::load::<NetworkEncoderState>(folder, &Gan, threads, device)?;
        let mut model = GanModel::new(&spec)?;
        model.fitted = Some(FittedRivals::load(&spec, state, &mut arrays)?);
        arrays.finish()?;
        Ok(Box::new(model))
    }
}

struct GanModel {
    spec: Spec,
    pools: Arc<Pools>,
    fitted: Option<FittedRivals>,
}

impl GanModel {
    fn new(spec: &Spec) -> Result<GanModel, ModelError> {
        Ok(GanModel { spec: spec.clone(), pools: spec.threads.shared(Pools::new)?, fitted: None })
    }
}

impl Model for GanModel {
    fn fit(&mut self, train: &Split, validation: &Split, watch: &mut dyn Watch) -> Result<(), ModelError> {
        self.fitted = None;
        self.fitted = Some(FittedRivals::fit(&self.spec, (train, validation), &self.pools, watch)?);
        Ok(())
    }

    fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("predict was called before fit".into()))?;
        fitted.predict(inputs, &self.pools)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let fitted = self.fitted.as_ref().ok_or_else(|| ModelError::Failed("asked to save before a fit".into()))?;
        let mut arrays = ArraysOut::default();
        let state = fitted.save(&mut arrays)?;
        artefact::save(folder, &Gan, &self.spec, state, &arrays)
    }

    fn footprint(&self) -> Footprint {
        self.fitted.as_ref().map(FittedRivals::footprint).unwrap_or_default()
    }

    fn threads(&self) -> Option<usize> {
        Some(self.pools.threads())
    }

    fn images(&self, count: usize) -> Result<Option<Images>, ModelError> {
        self.fitted.as_ref().map(|fitted| fitted.images(count, &self.pools)).transpose()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bakeoff_datasets::Targets;

    use super::*;
    use crate::model::EpochReport;

    const CHANNELS: usize = 1;
    const SIDE: usize = 8;

    fn shape() -> TaskShape {
        TaskShape {
            input: InputShape::Images { channels: CHANNELS, height: SIDE, width: SIDE },
            target: TargetShape::Classes(2),
            train_rows: 40,
            mirror_negates: false,
            characters: None,
        }
    }

    /// The parameters of the model, with these in place of the defaults.
    pub(crate) fn params(written: &str) -> Resolved {
        Resolved::new(&PARAMS, &shape(), &written.parse().expect("TOML")).expect("parameters of the model")
    }

    /// Images with a bright upper or lower half, and a little noise.
    fn rows(count: usize) -> Split {
        let pixel = |row: usize, place: usize| {
            let is_bright = (place < SIDE * SIDE / 2) == row.is_multiple_of(2);
            (if is_bright { 200 } else { 20 }) + (row * 31 + place * 17) % 40
        };
        let pixels = (0..count).flat_map(|row| (0..SIDE * SIDE).map(move |place| pixel(row, place) as u8)).collect();
        let names = ["upper", "lower"].map(str::to_owned).to_vec().into();
        Split {
            inputs: Inputs::Images(Images { channels: CHANNELS, height: SIDE, width: SIDE, pixels }),
            targets: Targets::Classes { labels: (0..count).map(|row| (row % 2) as u16).collect(), names },
        }
    }

    /// Scores epochs by their number, keeps what a fit offers, and ends the fit after some epochs.
    #[derive(Default)]
    struct KeepingWatch {
        states: Vec<Vec<u8>>,
        losses: Vec<f64>,
        from: Option<Vec<u8>>,
    }

    impl Watch for KeepingWatch {
        fn epoch(&mut self, report: &EpochReport<'_>) -> Result<f64, ModelError> {
            self.losses.push(report.train_loss);
            Ok(report.epoch as f64)
        }

        fn progress(&mut self, _done: usize, _total: usize) {}

        fn interrupted(&mut self) -> Option<Vec<u8>> {
            self.from.take()
        }

        fn checkpoint(&mut self, state: &dyn Fn() -> Result<Vec<u8>, ModelError>) -> Result<(), ModelError> {
            self.states.push(state()?);
            Ok(())
        }
    }

    fn spec(written: &str, threads: usize, seed: u64) -> Spec {
        let small = format!("width = 4\nnoise = 5\nbatch = 8\nshard = 4\ncrop = 0\nflip = false\n{written}");
        Spec { shape: shape(), params: params(&small), device: Device::Cpu, threads: Threads::new(threads), seed }
    }

    fn fitted(spec: &Spec, watch: &mut KeepingWatch) -> GanModel {
        let mut model = GanModel::new(spec).expect("threads");
        model.fit(&rows(40), &rows(6), watch).expect("a fit");
        model
    }

    fn made(model: &GanModel) -> Images {
        model.images(20).expect("numbers").expect("a fitted generator")
    }

    #[test]
    fn it_learns_the_classes_and_its_generator_makes_images_of_the_size_of_the_rows() {
        let mut watch = KeepingWatch::default();
        let mut model = fitted(&spec("epochs = 12\ndropout = 0.0\nlearning_rate = 0.005", 2, 1), &mut watch);
        let Predictions::Classes { labels, probabilities: Some(matrix) } =
            model.predict(&rows(20).inputs).expect("a fit")
        else {
            panic!("classes with probabilities")
        };
        assert_eq!(labels, (0..20).map(|row| row % 2).collect::<Vec<u16>>());
        assert_eq!((matrix.rows, matrix.cols), (20, 2), "the class of made-up images is none of the task");
        assert!(watch.losses.last() < watch.losses.first(), "{:?}", watch.losses);
        let images = made(&model);
        assert_eq!((images.channels, images.height, images.width, images.len()), (CHANNELS, SIDE, SIDE, 20));
        assert_ne!(images.image(0), images.image(1));
    }

    #[test]
    fn the_same_seed_gives_the_same_predictions_and_images_on_any_number_of_threads() {
        let fit = |threads, seed| {
            let mut model = fitted(&spec("epochs = 2", threads, seed), &mut KeepingWatch::default());
            (model.predict(&rows(10).inputs).expect("a fit"), made(&model))
        };
        assert_eq!(fit(1, 1), fit(2, 1));
        assert_ne!(fit(1, 1), fit(1, 2));
    }

    #[test]
    fn a_fit_that_goes_on_ends_as_one_that_was_never_interrupted() {
        let spec = spec("epochs = 3", 2, 1);
        let mut whole = KeepingWatch::default();
        let mut expected = fitted(&spec, &mut whole);
        let mut rest = KeepingWatch { from: Some(whole.states[0].clone()), ..Default::default() };
        let mut found = fitted(&spec, &mut rest);
        assert_eq!(rest.losses, whole.losses[1..]);
        assert_eq!(found.predict(&rows(10).inputs), expected.predict(&rows(10).inputs));
        assert_eq!(made(&found), made(&expected));
    }

    #[test]
    fn a_state_that_is_cut_off_is_refused() {
        let spec = spec("epochs = 1", 1, 1);
        let mut whole = KeepingWatch::default();
        fitted(&spec, &mut whole);
        for length in [0, 7, 8, 100, whole.states[0].len() - 1] {
            let from = Some(whole.states[0][..length].to_vec());
            let mut model = GanModel::new(&spec).expect("threads");
            let error = model.fit(&rows(40), &rows(6), &mut KeepingWatch { from, ..Default::default() });
            assert!(matches!(error, Err(ModelError::State(_))), "{length} bytes: {error:?}");
        }
    }

    #[test]
    fn a_loaded_model_predicts_and_makes_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gan");
        let mut model = fitted(&spec("epochs = 1", 1, 1), &mut KeepingWatch::default());
        model.save(&path).expect("saved");
        let mut loaded = Gan.load(&path, Threads::new(2), Device::Cpu).expect("loaded");
        assert_eq!(loaded.predict(&rows(10).inputs), model.predict(&rows(10).inputs));
        assert_eq!(loaded.images(20), model.images(20));
    }

    #[test]
    fn texts_and_numbers_are_refused_with_the_reason_and_an_unfitted_model_makes_nothing() {
        let refusal = |shape: TaskShape| match Gan.supports(&shape, &params(""), Device::Cpu) {
            Support::No { reason } => reason,
            Support::Yes => String::new(),
        };
        assert!(refusal(TaskShape { input: InputShape::Texts { pairs: false }, ..shape() }).contains("texts"));
        assert!(refusal(TaskShape { target: TargetShape::Value, ..shape() }).contains("number"));
        assert_eq!(refusal(shape()), "");
        let mut model = GanModel::new(&spec("", 1, 1)).expect("threads");
        assert!(model.predict(&rows(2).inputs).is_err());
        assert_eq!(model.images(3), Ok(None));
    }
}
