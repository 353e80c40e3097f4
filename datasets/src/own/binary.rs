//! A user's records of label bytes and planes.

use std::path::Path;
use std::sync::Arc;

use super::{BinaryLayout, OwnError, RawRows, RawTargets, RowPlace, bytes, kind, label_name};
use crate::example::{Images, Inputs};
use crate::records::{RecordError, RecordLayout};

pub(super) fn read(path: &Path, layout: &BinaryLayout) -> Result<RawRows, OwnError> {
    let (data, sum) = bytes::read(path)?;
    let file: Arc<Path> = path.into();
    let place = |number: usize| RowPlace { file: Arc::clone(&file), at: Some(("record", number)) };
    let [channels, height, width] = layout.shape;
    let &BinaryLayout { label_bytes, label_byte, .. } = layout;
    let records = RecordLayout { label_bytes, label_byte, image_bytes: channels * height * width };
    let record_bytes = records.record_bytes();
    let count = data.len() / record_bytes;
    let mut names = Vec::with_capacity(count);
    let mut pixels = Vec::with_capacity(count * records.image_bytes);
    let read = records.read(data.as_slice(), &mut pixels, |number, label| {
        names.push(label_name(label, layout.classes.as_deref(), &place(number))?);
        Ok(())
    });
    let count = read.map_err(|error| {
        // A record may begin with the same bytes as another kind of file. So these bytes explain a fault, but are not a
        // fault by themselves.
        if let Some(kind) = kind::of_bytes(&data).or_else(|| kind::of_text(&data, path)) {
            return OwnError::kind(path, format!("records of {record_bytes} bytes"), kind);
        }
        match error {
            RecordError::Read(source) => OwnError::read(path, source),
            RecordError::Label(error) => error,
            RecordError::Cut { number, bytes } => {
                let found = format!("{bytes} bytes and the end of the file");
                OwnError::format(&place(number), format!("{record_bytes} bytes"), found)
            }
        }
    })?;
    Ok(RawRows {
        inputs: Inputs::Images(Images { channels, height, width, pixels }),
        targets: RawTargets::Classes(names),
        places: (1..=count).map(place).collect(),
        sizes: None,
        checksums: vec![(bytes::name(path), sum)],
    })
}
