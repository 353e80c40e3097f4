#![no_main]
use bakeoff_datasets::own::{BinaryLayout, DataFormat};
use bakeoff_fuzz::{load, written};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let layout = BinaryLayout { shape: [1, 2, 2], label_bytes: 2, label_byte: 1, classes: None };
    load(DataFormat::Binary(layout), written("records", data), None);
});
