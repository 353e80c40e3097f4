//! The tasks whose examples the program makes: one row each. docs/generated-tasks.md says what each is for.

use std::sync::Arc;

use bakeoff_datasets::generated::{GeneratedTexts, TRAIN_ROWS};
use bakeoff_datasets::{DataFile, DatasetError, Splits, Store};
use bakeoff_models::InputShape;

use super::{Family, Task};

/// A task on generated texts.
pub(super) struct Generated {
    name: &'static str,
    about: &'static str,
    texts: GeneratedTexts,
    family: Option<&'static Family>,
}

static LONG_RANGE: Family =
    Family { names: "long-range-8 to -512", about: "the order of two markers, 8 to 512 words apart" };

macro_rules! long_range {
    ($distance:literal) => {
        Generated {
            name: concat!("long-range-", $distance),
            about: concat!(
                "whether two markers ",
                $distance,
                " words apart are in the order of their cycle (generated)"
            ),
            texts: GeneratedTexts::LongRange { distance: $distance },
            family: Some(&LONG_RANGE),
        }
    };
}

pub(super) static LONG_RANGE_8: Generated = long_range!(8);
pub(super) static LONG_RANGE_16: Generated = long_range!(16);
pub(super) static LONG_RANGE_32: Generated = long_range!(32);
pub(super) static LONG_RANGE_64: Generated = long_range!(64);
pub(super) static LONG_RANGE_128: Generated = long_range!(128);
pub(super) static LONG_RANGE_256: Generated = long_range!(256);
pub(super) static LONG_RANGE_512: Generated = long_range!(512);
pub(super) static XOR: Generated = Generated {
    name: "xor",
    about: "the exclusive or of two words of a text (generated)",
    texts: GeneratedTexts::Xor,
    family: None,
};

impl Task for Generated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
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
        InputShape::Texts { pairs: false }
    }

    fn classes(&self) -> Arc<[String]> {
        self.texts.classes().map(str::to_owned).into()
    }

    fn rows(&self) -> usize {
        TRAIN_ROWS
    }

    fn family(&self) -> Option<&'static Family> {
        self.family
    }

    fn files(&self) -> &'static [DataFile] {
        &[]
    }

    fn load(&self, _store: &Store) -> Result<Splits, DatasetError> {
        Ok(self.texts.splits())
    }
}
