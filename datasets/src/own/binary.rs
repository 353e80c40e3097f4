//! Records of label bytes and planes, as in CIFAR-10's and CIFAR-100's binary versions.

use std::path::Path;
use std::sync::Arc;

use super::{BinaryLayout, OwnError, Place, RawTargets, Rows, bytes, label_name};
use crate::example::{Images, Inputs};

pub(super) fn read(path: &Path, layout: &BinaryLayout) -> Result<Rows, OwnError> {
    let (data, sum) = bytes::read(path)?;
    let file: Arc<Path> = path.into();
    let [channels, height, width] = layout.shape;
    let record_bytes = layout.label_bytes + channels * height * width;
    let count = data.len() / record_bytes;
    let (mut names, mut places) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut pixels = Vec::with_capacity(data.len());
    for (index, record) in data.chunks(record_bytes).enumerate() {
        let place = Place { file: Arc::clone(&file), at: Some(("record", index + 1)) };
        if record.len() < record_bytes {
            let found = format!("{} bytes and the end of the file", record.len());
            return Err(OwnError::format(&place, format!("{record_bytes} bytes"), found));
        }
        names.push(label_name(record[layout.label_byte], layout.classes.as_deref(), &place)?);
        pixels.extend_from_slice(&record[layout.label_bytes..]);
        places.push(place);
    }
    Ok(Rows {
        inputs: Inputs::Images(Images { channels, height, width, pixels }),
        targets: RawTargets::Classes(names),
        places,
        sizes: None,
        checksums: vec![(bytes::name(path), sum)],
    })
}
