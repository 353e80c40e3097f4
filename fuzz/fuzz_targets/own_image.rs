#![no_main]
use bakeoff_datasets::own::DataFormat;
use bakeoff_fuzz::{load, written};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let image = written("images/a/1.png", data);
    written("images/b/1.png", include_bytes!("../grey.png"));
    let folder = image.ancestors().nth(2).expect("it lies two folders deep").to_owned();
    load(DataFormat::Images { side: 8 }, folder, None);
});
