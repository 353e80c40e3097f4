//! Records of one size: label bytes, then the planes of an image, as in CIFAR-10's and CIFAR-100's binary versions.

use std::io::{self, Read};

/// How many records are read at a time. With few of them, the images are in memory only once.
const RECORDS_AT_A_TIME: usize = 64;

/// How a record is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordLayout {
    /// Bytes before the image, at least 1.
    pub(crate) label_bytes: usize,
    /// Which of them is the label, from 0.
    pub(crate) label_byte: usize,
    /// Bytes of the image.
    pub(crate) image_bytes: usize,
}

/// Why records could not be read.
#[derive(Debug)]
pub(crate) enum RecordError<E> {
    /// The reader failed.
    Read(io::Error),
    /// The file ends inside record `number`, counted from 1, after `bytes` of its bytes.
    Cut { number: usize, bytes: usize },
    /// A label was refused.
    Label(E),
}

impl RecordLayout {
    pub(crate) fn record_bytes(&self) -> usize {
        self.label_bytes + self.image_bytes
    }

    /// Reads all records. The images are appended to `pixels`. `label` is called with the number of each record,
    /// counted from 1, and its label. Returns the number of records.
    pub(crate) fn read<E>(
        &self,
        mut reader: impl Read,
        pixels: &mut Vec<u8>,
        mut label: impl FnMut(usize, u8) -> Result<(), E>,
    ) -> Result<usize, RecordError<E>> {
        let mut chunk = vec![0; RECORDS_AT_A_TIME * self.record_bytes()];
        let mut number = 0;
        loop {
            let filled = fill(&mut reader, &mut chunk).map_err(RecordError::Read)?;
            for record in chunk[..filled].chunks(self.record_bytes()) {
                number += 1;
                if record.len() < self.record_bytes() {
                    return Err(RecordError::Cut { number, bytes: record.len() });
                }
                label(number, record[self.label_byte]).map_err(RecordError::Label)?;
                pixels.extend_from_slice(&record[self.label_bytes..]);
            }
            if filled < chunk.len() {
                return Ok(number);
            }
        }
    }
}

/// Reads until `buffer` is full or the reader ends. Returns the number of bytes.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const LAYOUT: RecordLayout = RecordLayout { label_bytes: 2, label_byte: 1, image_bytes: 3 };

    /// A reader that gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn records_are_read_across_the_borders_of_chunks_however_the_bytes_come() {
        let rows = 2 * RECORDS_AT_A_TIME + 1;
        let data: Vec<u8> = (0..rows).flat_map(|row| [9, row as u8, 1, 2, row as u8]).collect();
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        let mut label = |_, label| -> Result<(), ()> {
            labels.push(label);
            Ok(())
        };
        assert_eq!(LAYOUT.read(Slow(&data), &mut pixels, &mut label).unwrap(), rows);
        assert_eq!(labels, (0..rows).map(|row| row as u8).collect::<Vec<_>>());
        assert!(pixels.chunks(3).enumerate().all(|(row, image)| image == [1, 2, row as u8]));
    }

    #[test]
    fn a_record_that_is_cut_short_and_a_label_that_is_none_end_the_reading() {
        let read = |data: &[u8]| {
            LAYOUT.read(data, &mut Vec::new(), |number, label| if label > 1 { Err(number) } else { Ok(()) })
        };
        assert!(matches!(read(&[0; 7]), Err(RecordError::Cut { number: 2, bytes: 2 })));
        assert!(matches!(read(&[0, 0, 0, 0, 0, 0, 2, 0, 0, 0]), Err(RecordError::Label(2))));
        assert_eq!(read(&[]).unwrap(), 0);
    }
}
