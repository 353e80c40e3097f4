#![no_main]
use bakeoff_datasets::own::DataFormat;
use bakeoff_fuzz::{load, written};

// The first byte says where the file of images ends and that of labels begins.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&at, bytes)) = data.split_first() else { return };
    let (images, labels) = bytes.split_at(usize::from(at).min(bytes.len()));
    load(DataFormat::Idx { classes: None }, written("images", images), Some(written("labels", labels)));
});
