//! A fitted model in a folder, with everything that a prediction needs.
//!
//! The folder has three files. `artefact.json` says what the folder holds, with the size and the sha256 of the other
//! two. `model.json` holds the form of the task, the parameters, and what else the model keeps. `arrays.safetensors`
//! holds its numbers. The checksums find an accident, but an attacker can make checksums too. So nothing that is read
//! is trusted: whoever reads arrays checks that they fit together. See docs/artefacts.md.

pub(crate) mod ensemble;
pub(crate) mod external;
pub(crate) mod parts;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Device, InputShape, ModelEntry, ModelError, Spec, Support, TargetShape, TaskShape};
use crate::parallel::Threads;
use crate::params::{ParamValue, Resolved};

/// The version of the layout of a model's folder. Every change that an older program cannot read takes the next free number.
const FORMAT: u32 = 1;
/// The layout of the folder of an ensemble; see [`ensemble`].
const ENSEMBLE_FORMAT: u32 = 2;
/// The layout of the folder of a model that is made of other models; see [`parts`].
const PARTS_FORMAT: u32 = 3;
/// The layout of the folder of a model that is a program of the user's; see [`external`].
const EXTERNAL_FORMAT: u32 = 4;
/// What they are, for messages.
const FORMATS: &str =
    "a model is of format 1, an ensemble of format 2, one with parts of format 3, an external model of format 4";
const MANIFEST: &str = "artefact.json";
const MODEL: &str = "model.json";
const ARRAYS: &str = "arrays.safetensors";
/// The largest size of `artefact.json`, in bytes. One with a part for each of [`MOST_CLASSES`] is shorter.
const MOST_MANIFEST_BYTES: u64 = 1 << 24;
/// The largest size of any other file, in bytes. Each file is read whole.
const MOST_FILE_BYTES: u64 = 16 << 30;
/// The largest number of values of an image, because networks count their operations in 64 bits.
const MOST_PIXELS: u128 = 1 << 22;
/// The most columns of a table.
const MOST_COLUMNS: usize = 1 << 20;
/// The largest number of classes, because labels have 16 bits.
const MOST_CLASSES: usize = 1 << 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    model: String,
    version: String,
    files: BTreeMap<String, Content>,
}

impl Manifest {
    /// The version is that of the processor, wherever the model was fitted: the numbers are the same, and any device may load them.
    fn new(format: u32, entry: &dyn ModelEntry, files: BTreeMap<String, Content>) -> Manifest {
        Manifest { format, model: entry.name().to_owned(), version: entry.version(Device::Cpu), files }
    }

    /// The bytes that are written.
    fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| format!("failed to write {MANIFEST}: {error}"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Checks that the artefact is of this model and version.
    fn check_model(&self, path: &Path, entry: &dyn ModelEntry) -> Result<(), ModelError> {
        let (expected, version) = (entry.name(), entry.version(Device::Cpu));
        if self.model == expected && self.version == version {
            return Ok(());
        }
        let found = format!("holds {} {}, expected {expected} {version}", self.model, self.version);
        Err(refused(path, format!("{found}: fit the model again with this program")))
    }

    /// Reads one of the listed files in `folder`, and checks its size and checksum.
    fn read(&self, folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), ModelError> {
        let listed = self.files.get(name);
        let expected = listed.ok_or_else(|| refused(&folder.join(MANIFEST), format!("lists no {name}")))?;
        let path = folder.join(name);
        let bytes = read(&path, MOST_FILE_BYTES.min(expected.bytes))?;
        let found = Content::of(&bytes);
        if found != *expected {
            let Content { bytes, sha256 } = found;
            let (most, sum) = (expected.bytes, &expected.sha256);
            return Err(refused(
                &path,
                format!(
                    "is {bytes} bytes with sha256 {sha256}, but {MANIFEST} says {most} bytes with sha256 {sum}: it was \
                     cut off or changed; save the model again"
                ),
            ));
        }
        Ok((path, bytes))
    }
}

/// What `artefact.json` says about another file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    bytes: u64,
    sha256: String,
}

impl Content {
    fn of(bytes: &[u8]) -> Content {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Content { bytes: bytes.len() as u64, sha256 }
    }
}

/// The content of `model.json`. `S` is what the model keeps beside its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<S> {
    shape: TaskShape,
    params: BTreeMap<String, ParamValue>,
    seed: u64,
    state: S,
}

/// A saved model after it was read.
pub(crate) struct Loaded<S> {
    /// What the model was built from. The device and the threads are those of this process.
    pub(crate) spec: Spec,
    /// What the model kept beside its arrays. Only its form has been checked.
    pub(crate) state: S,
    /// The model's numbers.
    pub(crate) arrays: ArraysIn,
}

/// A type of number that an array can hold.
pub(crate) trait Number: Copy {
    const DTYPE: Dtype;
    const BYTES: usize;
    fn write(self, out: &mut Vec<u8>);
    /// Reads a number from exactly [`Number::BYTES`] bytes. `None` for a float that is not finite.
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! number {
    ($type:ty, $dtype:expr, $admitted:expr) => {
        impl Number for $type {
            const DTYPE: Dtype = $dtype;
            const BYTES: usize = size_of::<$type>();

            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<$type> {
                let admitted: fn(&$type) -> bool = $admitted;
                Some(<$type>::from_le_bytes(bytes.try_into().ok()?)).filter(admitted)
            }
        }
    };
}

number!(f32, Dtype::F32, |value| value.is_finite());
number!(f64, Dtype::F64, |value| value.is_finite());
number!(i8, Dtype::I8, |_| true);
number!(u16, Dtype::U16, |_| true);
number!(u32, Dtype::U32, |_| true);
number!(u64, Dtype::U64, |_| true);

/// Arrays to be written to a file.
#[derive(Debug, Default)]
pub(crate) struct ArraysOut(Vec<(String, Dtype, Vec<usize>, Vec<u8>)>);

impl ArraysOut {
    /// Adds an array under a name of its own. `shape` has as many places as there are values, in row-major order.
    pub(crate) fn add<T: Number>(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        values: impl IntoIterator<Item = T>,
    ) {
        let mut bytes = Vec::with_capacity(shape.iter().product::<usize>() * T::BYTES);
        values.into_iter().for_each(|value| value.write(&mut bytes));
        self.0.push((name.into(), T::DTYPE, shape.to_vec(), bytes));
    }

    /// The bytes of a safetensors file with these arrays.
    pub(crate) fn file(&self) -> Result<Vec<u8>, String> {
        let views = self
            .0
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.clone(), TensorView::new(*dtype, shape.clone(), bytes)?)));
        let views: Result<Vec<_>, safetensors::SafeTensorError> = views.collect();
        views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| error.to_string())
    }
}

/// Arrays that were read from a file. Each can be taken once, so that an array which nobody takes is noticed.
#[derive(Debug)]
pub(crate) struct ArraysIn {
    path: PathBuf,
    arrays: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl ArraysIn {
    /// Reads the bytes that [`ArraysOut::file`] gave. `path` is where they are from, for messages.
    pub(crate) fn new(path: PathBuf, bytes: &[u8]) -> Result<ArraysIn, ModelError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| refused(&path, format!("is not a safetensors file: {error}; save the model again")))?;
        let array = |(name, view): (&str, TensorView<'_>)| {
            (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
        };
        let arrays = file.iter().map(array).collect();
        Ok(ArraysIn { path, arrays })
    }

    /// Takes an array, which must have exactly this shape, in row-major order.
    pub(crate) fn take<T: Number>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>, ModelError> {
        let (found, values) = self.take_any(name)?;
        if found != shape {
            return Err(self.refused(format!("array '{name}' is {found:?}, expected {shape:?}")));
        }
        Ok(values)
    }

    /// Takes a list of any length.
    pub(crate) fn take_list<T: Number>(&mut self, name: &str) -> Result<Vec<T>, ModelError> {
        match self.take_any(name)? {
            (shape, values) if shape.len() == 1 => Ok(values),
            (shape, _) => Err(self.refused(format!("array '{name}' is {shape:?}, expected one dimension"))),
        }
    }

    fn take_any<T: Number>(&mut self, name: &str) -> Result<(Vec<usize>, Vec<T>), ModelError> {
        let (dtype, shape, bytes) =
            self.arrays.remove(name).ok_or_else(|| self.refused(format!("array '{name}' is missing")))?;
        if dtype != T::DTYPE {
            return Err(self.refused(format!("array '{name}' is of {dtype:?}, expected {:?}", T::DTYPE)));
        }
        let values: Option<Vec<T>> = bytes.chunks_exact(T::BYTES).map(T::read).collect();
        let values = values.ok_or_else(|| self.refused(format!("array '{name}' holds a number that is not finite")))?;
        Ok((shape, values))
    }

    /// The length of an array's first dimension.
    pub(crate) fn rows(&self, name: &str) -> Result<usize, ModelError> {
        let shape = self.arrays.get(name).and_then(|(_, shape, _)| shape.first().copied());
        shape.ok_or_else(|| self.refused(format!("array '{name}' is missing, or has no dimension")))
    }

    /// An error that names the file and says what is wrong with its arrays.
    pub(crate) fn refused(&self, what: impl Into<String>) -> ModelError {
        refused(&self.path, what)
    }

    /// Checks that every array was taken.
    pub(crate) fn finish(self) -> Result<(), ModelError> {
        match self.arrays.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.refused(format!("array '{name}' belongs to no such model"))),
        }
    }
}

/// Saves a model. The folder is written under another name beside its place and then renamed. So it appears complete or
/// not at all.
///
/// # Errors
/// If the folder exists already, or cannot be written.
pub(crate) fn save<S: Serialize>(
    folder: &Path,
    entry: &dyn ModelEntry,
    spec: &Spec,
    state: S,
    arrays: &ArraysOut,
) -> Result<(), ModelError> {
    parts::save(folder, entry, spec, (state, arrays), &[])
}

/// The files of a model: `model.json` and the arrays.
fn files_of<S: Serialize>(
    folder: &Path,
    spec: &Spec,
    state: S,
    arrays: &ArraysOut,
) -> Result<[Vec<u8>; 2], ModelError> {
    check_shape(&spec.shape).map_err(|what| refused(folder, what))?;
    let body = Body { shape: spec.shape, params: spec.params.values().clone(), seed: spec.seed, state };
    let body =
        serde_json::to_vec(&body).map_err(|error| refused(folder, format!("failed to write {MODEL}: {error}")))?;
    let arrays = arrays.file().map_err(|error| refused(folder, format!("failed to write {ARRAYS}: {error}")))?;
    Ok([body, arrays])
}

/// Makes `folder` with what `fill` writes to the folder that it is given. The folder appears whole or not at all: it is
/// filled beside its place and then renamed.
fn whole(folder: &Path, fill: impl FnOnce(&Path) -> Result<(), ModelError>) -> Result<(), ModelError> {
    if folder.exists() {
        return Err(refused(folder, "is there already; give a folder that is not, or remove it"));
    }
    let beside = beside(folder)?;
    let filled = fs::create_dir_all(&beside)
        .map_err(|error| unsaved(folder, &error))
        .and_then(|()| fill(&beside))
        .and_then(|()| fs::rename(&beside, folder).map_err(|error| unsaved(folder, &error)));
    if filled.is_err() {
        // An incomplete folder is useless. If it cannot be removed either, the error is the same.
        let _ = fs::remove_dir_all(&beside);
    }
    filled
}

fn unsaved(folder: &Path, error: &std::io::Error) -> ModelError {
    refused(folder, format!("failed to save the model: {error}"))
}

/// A new folder beside `folder` that no other process writes to.
fn beside(folder: &Path) -> Result<PathBuf, ModelError> {
    let name = folder.file_name().ok_or_else(|| refused(folder, "is no name for a folder"))?.to_string_lossy();
    Ok(folder.with_file_name(format!(".{name}.{}.partial", std::process::id())))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a model of `entry` that [`save`] wrote.
///
/// # Errors
/// Names the file that is missing, cut off, changed or of another model, version or format.
pub(crate) fn load<S: DeserializeOwned>(
    folder: &Path,
    entry: &dyn ModelEntry,
    threads: Threads,
    device: Device,
) -> Result<Loaded<S>, ModelError> {
    let (loaded, parts) = parts::load(folder, entry, threads, device)?;
    match parts.len() {
        0 => Ok(loaded),
        count => Err(refused(&folder.join(MANIFEST), format!("lists {count} parts, but such a model has none"))),
    }
}

/// Reads the files of a model that this manifest lists.
fn read_files<S: DeserializeOwned>(
    folder: &Path,
    manifest: &Manifest,
    entry: &dyn ModelEntry,
    threads: Threads,
    device: Device,
) -> Result<Loaded<S>, ModelError> {
    let (path, bytes) = manifest.read(folder, MODEL)?;
    let Body { shape, params, seed, state } = json(&path, &bytes)?;
    check_shape(&shape).map_err(|what| refused(&path, what))?;
    let params = Resolved::stored(entry.params(), params)
        .and_then(|params| entry.check(&params).map(|()| params))
        .map_err(|error| refused(&path, error.to_string()))?;
    if let Support::No { reason } = entry.supports(&shape, &params, device) {
        return Err(refused(&path, reason));
    }
    let (path, bytes) = manifest.read(folder, ARRAYS)?;
    let arrays = ArraysIn::new(path, &bytes)?;
    Ok(Loaded { spec: Spec { shape, params, device, threads, seed }, state, arrays })
}

/// What a folder holds, without the model itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtefactInfo {
    /// The name of the model.
    pub model: String,
    /// The form of the task that it was fitted on.
    pub shape: TaskShape,
}

/// Says what a folder holds that a fitted model or an ensemble was saved to. [`ModelEntry::load`] of the model that it names then
/// checks everything else.
///
/// # Errors
/// Names the file that is missing, cut off, changed, or of another format.
pub fn inspect(folder: &Path) -> Result<ArtefactInfo, ModelError> {
    let manifest = |folder: &Path| -> Result<(PathBuf, Manifest), ModelError> {
        let path = folder.join(MANIFEST);
        let manifest = json(&path, &read(&path, MOST_MANIFEST_BYTES)?)?;
        Ok((path, manifest))
    };
    let (mut folder, (mut path, mut found)) = (folder.to_owned(), manifest(folder)?);
    if found.format == ENSEMBLE_FORMAT {
        // All members are of one model and one task.
        folder = ensemble::folder_of(&folder, 1);
        (path, found) = manifest(&folder)?;
    }
    if ![FORMAT, PARTS_FORMAT, EXTERNAL_FORMAT].contains(&found.format) {
        return Err(refused(&path, format!("is of format {}, but {FORMATS}", found.format)));
    }
    let (path, bytes) = found.read(&folder, MODEL)?;
    let Body { shape, .. } = json::<Body<IgnoredAny>>(&path, &bytes)?;
    Ok(ArtefactInfo { model: found.model, shape })
}

fn refused(path: &Path, what: impl Into<String>) -> ModelError {
    ModelError::Artefact { path: path.to_owned(), what: what.into() }
}

/// Reads a file of at most `most` bytes.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, ModelError> {
    let failed = |error: std::io::Error| refused(path, format!("failed to read the saved model: {error}"));
    let metadata = match fs::metadata(path) {
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            let what = "failed to read the saved model: it is not there; give the folder of a fitted model, such as \
                        models/<case>/ of a run with --keep-models";
            return Err(refused(path, what));
        }
        metadata => metadata.map_err(failed)?,
    };
    if !metadata.is_file() {
        return Err(refused(path, "is not a file; give the folder that a model was saved to"));
    }
    let mut bytes = Vec::new();
    // One byte more, to notice a file that is too long.
    File::open(path).map_err(failed)?.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(refused(path, format!("is longer than {most} bytes: it was changed; save the model again")));
    }
    Ok(bytes)
}

fn json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, ModelError> {
    serde_json::from_slice(bytes)
        .map_err(|error| refused(path, format!("is not what a saved model has there: {error}; save the model again")))
}

/// Whether a model of a task of this form can be saved.
fn check_shape(shape: &TaskShape) -> Result<(), String> {
    if let InputShape::Images { channels, height, width } = shape.input {
        let pixels = [channels, height, width]
            .map(|side| side as u128)
            .iter()
            .try_fold(1, |all: u128, &side| all.checked_mul(side));
        if !pixels.is_some_and(|pixels| (1..=MOST_PIXELS).contains(&pixels)) {
            return Err(format!(
                "images of {channels} x {height} x {width}, expected 1 to {MOST_PIXELS} values in all"
            ));
        }
    }
    if let InputShape::Table { numbers, categories } = shape.input
        && !numbers.checked_add(categories).is_some_and(|columns| (1..=MOST_COLUMNS).contains(&columns))
    {
        return Err(format!(
            "{numbers} columns of numbers and {categories} of categories, expected 1 to {MOST_COLUMNS} in all"
        ));
    }
    match shape.target {
        TargetShape::Classes(classes) if !(1..=MOST_CLASSES).contains(&classes) => {
            Err(format!("{classes} classes, expected 1 to {MOST_CLASSES}"))
        }
        _ => Ok(()),
    }
}
