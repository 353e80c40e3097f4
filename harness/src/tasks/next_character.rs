//! The task of next characters: what a language model of characters learns, as a task of classes.

use std::sync::Arc;

use bakeoff_datasets::{
    Alphabet, DataFile, Dataset, DatasetError, Fetchable, NEXT_CHARACTER_TRAIN_ROWS, Splits, Sst2Sample, Store,
    next_character,
};
use bakeoff_models::InputShape;

use super::Task;

/// The character that comes next in a sentence of SST-2.
pub(super) struct NextCharacter;

pub(super) static SST2_NEXT_CHARACTER: NextCharacter = NextCharacter;

impl Task for NextCharacter {
    fn name(&self) -> &'static str {
        "sst2-next-character"
    }

    fn about(&self) -> &'static str {
        "which character comes next in a film review (the sentences of GLUE SST-2, from up to 64 characters before it)"
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
        Alphabet::Sst2.class_names()
    }

    fn characters(&self) -> Option<Alphabet> {
        Some(Alphabet::Sst2)
    }

    fn rows(&self) -> usize {
        NEXT_CHARACTER_TRAIN_ROWS
    }

    fn files(&self) -> &'static [DataFile] {
        Sst2Sample.files()
    }

    fn load(&self, store: &Store) -> Result<Splits, DatasetError> {
        Ok(next_character(&Sst2Sample.load(store)?))
    }
}
