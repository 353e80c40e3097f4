//! Recognises what a file is if it is not of the expected format, by its first bytes or else by the ending of its name.

use std::path::Path;

/// How many bytes at the beginning of a file are looked at.
pub(super) const HEAD_BYTES: usize = 1024;

/// A kind of file that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileKind {
    /// The kind with an article: `a Parquet file`.
    pub(super) what: &'static str,
    /// The usual ending of its name.
    pub(super) ending: &'static str,
    pub(super) family: Family,
}

/// What can be done with files of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// An image that is read: PNG and JPEG.
    ReadImage,
    /// An image that ImageMagick converts.
    OtherImage,
    /// A drawing, which has no size in pixels.
    Drawing,
    /// One packed file, with the program that unpacks it.
    Packed(&'static str),
    /// Several files in one, with the command that unpacks them; `{}` stands for the archive, `{out}` for a new folder.
    Archive(&'static str),
    /// A table, with the command or the steps that make delimited text of it; `{}` stands for the table, `{out}` for the text.
    Table(&'static str),
    /// Arrays of numbers.
    Arrays,
    /// A web page in place of a file.
    WebPage,
    /// A stand-in of Git LFS for a file that was not fetched.
    LfsPointer,
    /// A film.
    Film,
    /// Something else.
    Other,
}

const fn kind(what: &'static str, ending: &'static str, family: Family) -> FileKind {
    FileKind { what, ending, family }
}

const EXCEL: &str = "save its sheet as CSV UTF-8 in a spreadsheet program, or run \
    `soffice --headless --convert-to csv --outdir converted {}`";
pub(super) const PNG: FileKind = kind("a PNG image", "png", Family::ReadImage);
pub(super) const JPEG: FileKind = kind("a JPEG image", "jpg", Family::ReadImage);
const GIF: FileKind = kind("a GIF image", "gif", Family::OtherImage);
pub(super) const TIFF: FileKind = kind("a TIFF image", "tiff", Family::OtherImage);
const WEBP: FileKind = kind("a WebP image", "webp", Family::OtherImage);
const HEIC: FileKind = kind("a HEIC image", "heic", Family::OtherImage);
const AVIF: FileKind = kind("an AVIF image", "avif", Family::OtherImage);
const BMP: FileKind = kind("a BMP image", "bmp", Family::OtherImage);
const JPEG_XL: FileKind = kind("a JPEG XL image", "jxl", Family::OtherImage);
const JPEG_2000: FileKind = kind("a JPEG 2000 image", "jp2", Family::OtherImage);
const PHOTOSHOP: FileKind = kind("a Photoshop image", "psd", Family::OtherImage);
const ICON: FileKind = kind("an icon", "ico", Family::OtherImage);
const SVG: FileKind = kind("an SVG drawing", "svg", Family::Drawing);
const FILM: FileKind = kind("a film", "mp4", Family::Film);
pub(super) const GZIP: FileKind = kind("a gzip file", "gz", Family::Packed("gzip"));
pub(super) const XZ: FileKind = kind("an xz file", "xz", Family::Packed("xz"));
const LZMA: FileKind = kind("an LZMA file", "lzma", Family::Packed("xz"));
const ZSTD: FileKind = kind("a Zstandard file", "zst", Family::Packed("zstd"));
const BZIP2: FileKind = kind("a bzip2 file", "bz2", Family::Packed("bzip2"));
const LZ4: FileKind = kind("an LZ4 file", "lz4", Family::Packed("lz4"));
const COMPRESS: FileKind = kind("a file of `compress`", "Z", Family::Packed("gzip"));
const BROTLI: FileKind = kind("a Brotli file", "br", Family::Packed("brotli"));
const SNAPPY: FileKind = kind("a Snappy file", "sz", Family::Packed("snzip"));
const ZIP: FileKind = kind("a zip archive", "zip", Family::Archive("unzip {} -d {out}"));
const SEVEN_ZIP: FileKind = kind("a 7z archive", "7z", Family::Archive("7z x {} -o{out}"));
const RAR: FileKind = kind("a RAR archive", "rar", Family::Archive("unrar x {} {out}/"));
pub(super) const TAR: FileKind = kind("a tar archive", "tar", Family::Archive("mkdir {out} && tar -xf {} -C {out}"));
const XLSX: FileKind = kind("an Excel workbook", "xlsx", Family::Table(EXCEL));
const XLS: FileKind = kind("an old Excel workbook or another old Office file", "xls", Family::Table(EXCEL));
const ODS: FileKind = kind("an OpenDocument file", "ods", Family::Table(EXCEL));
const PARQUET: FileKind = kind(
    "a Parquet file",
    "parquet",
    Family::Table("run `python3 -c \"import pandas; pandas.read_parquet('{}').to_csv('{out}', index=False)\"`"),
);
pub(super) const FEATHER: FileKind = kind(
    "an Arrow (Feather) file",
    "feather",
    Family::Table("run `python3 -c \"import pandas; pandas.read_feather('{}').to_csv('{out}', index=False)\"`"),
);
const ARROW_STREAM: FileKind = kind(
    "an Arrow stream, as a data set of Hugging Face is saved",
    "arrow",
    Family::Table("run `python3 -c \"import datasets; datasets.Dataset.from_file('{}').to_csv('{out}')\"`"),
);
const ORC: FileKind = kind(
    "an ORC file",
    "orc",
    Family::Table("run `python3 -c \"import pandas; pandas.read_orc('{}').to_csv('{out}', index=False)\"`"),
);
const AVRO: FileKind =
    kind("an Avro file", "avro", Family::Table("read it with a library of your language, such as fastavro"));
pub(super) const SQLITE: FileKind =
    kind("an SQLite database", "sqlite", Family::Table("run `sqlite3 -header -csv {} 'select * from TABLE' > {out}`"));
const R_DATA: FileKind =
    kind("an R data file", "rds", Family::Table("write it in R with write.csv(…, row.names = FALSE)"));
const STATA: FileKind = kind(
    "a Stata file",
    "dta",
    Family::Table("run `python3 -c \"import pandas; pandas.read_stata('{}').to_csv('{out}', index=False)\"`"),
);
const JSON: FileKind = kind(
    "JSON",
    "json",
    Family::Table("run `python3 -c \"import pandas; pandas.read_json('{}').to_csv('{out}', index=False)\"`"),
);
const JSON_LINES: FileKind = kind(
    "JSON Lines",
    "jsonl",
    Family::Table(
        "run `python3 -c \"import pandas; pandas.read_json('{}', lines=True).to_csv('{out}', index=False)\"`",
    ),
);
const NPY: FileKind = kind("a NumPy array", "npy", Family::Arrays);
const NPZ: FileKind = kind("an archive of NumPy arrays", "npz", Family::Arrays);
const PICKLE: FileKind = kind("a Python pickle", "pkl", Family::Arrays);
const TORCH: FileKind = kind("a PyTorch file", "pt", Family::Arrays);
const HDF5: FileKind = kind("an HDF5 file", "h5", Family::Arrays);
const MATLAB: FileKind = kind("a MATLAB file", "mat", Family::Arrays);
const TF_RECORD: FileKind = kind("a TFRecord file", "tfrecord", Family::Arrays);
const HTML: FileKind = kind("a web page", "html", Family::WebPage);
pub(super) const LFS: FileKind = kind("a pointer of Git LFS in place of the file", "", Family::LfsPointer);
const PDF: FileKind = kind("a PDF document", "pdf", Family::Other);
const XML: FileKind = kind("an XML document", "xml", Family::Other);
const NOTEBOOK: FileKind = kind("a notebook", "ipynb", Family::Other);
const TEXT: FileKind = kind("a text file", "txt", Family::Other);

/// Kinds by the bytes at the beginning. No delimited text begins with these bytes: they include a byte that text does
/// not have, or they are many.
const MAGIC: &[(&[u8], FileKind)] = &[
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"8BPS\0\x01", PHOTOSHOP),
    (b"\0\0\x01\0", ICON),
    (b"\x1a\x45\xdf\xa3", FILM),
    (b"\x1f\x8b", GZIP),
    (b"\xfd7zXZ\0", XZ),
    (b"\x5d\0\0\x80\0", LZMA),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"\x04\x22\x4d\x18", LZ4),
    (b"\x1f\x9d", COMPRESS),
    (b"\xff\x06\0\0sNaPpY", SNAPPY),
    (b"PK\x05\x06", ZIP),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\xd0\xcf\x11\xe0", XLS),
    (b"ARROW1\0\0", FEATHER),
    (b"FEA1\0", FEATHER),
    (b"\xff\xff\xff\xff", ARROW_STREAM),
    (b"Obj\x01", AVRO),
    (b"SQLite format 3\0", SQLITE),
    (b"RDX2\n", R_DATA),
    (b"RDX3\n", R_DATA),
    (b"X\n\0\0\0\x02", R_DATA),
    (b"X\n\0\0\0\x03", R_DATA),
    (b"<stata_dta>", STATA),
    (b"\x93NUMPY", NPY),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"MATLAB 5.0 MAT-file", MATLAB),
    (b"%PDF-", PDF),
    (b"version https://git-lfs.github.com/spec/", LFS),
];

/// The kind of a binary file or of a Git LFS pointer. No delimited text, no IDX file and no image of a class folder is
/// of these kinds. `data` is the file or its beginning. The beginning must have [`HEAD_BYTES`] or more, if the file has
/// so many.
pub(super) fn of_bytes(data: &[u8]) -> Option<FileKind> {
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| data.starts_with(magic)) {
        return Some(*kind);
    }
    let word = |at: usize| data.get(at..).and_then(<[u8]>::first_chunk::<4>);
    let has_nul = || data.iter().take(HEAD_BYTES).any(|&byte| byte == 0);
    match (word(0)?, word(8)) {
        (b"RIFF", Some(b"WEBP")) => Some(WEBP),
        (b"RIFF", Some(b"AVI ")) => Some(FILM),
        (b"PK\x03\x04", _) => Some(of_zip(data)),
        (b"GIF8", _) if has_nul() => Some(GIF),
        (b"PAR1", _) if has_nul() || (data.len() > 8 && data.ends_with(b"PAR1")) => Some(PARQUET),
        (b"PARE", _) if has_nul() => Some(PARQUET),
        (_, Some(brand)) if word(4) == Some(b"ftyp") => Some(of_brand(brand, data)),
        ([b'O', b'R', b'C', _], _) if has_nul() => Some(ORC),
        ([b'B', b'Z', b'h', b'1'..=b'9'], _) if data.get(4..10) == Some(b"1AY&SY") => Some(BZIP2),
        // A BMP has reserved zero bytes after the file's size, and the size of its header is below 256.
        ([b'B', b'M', ..], _) if data.get(6..10) == Some(&[0; 4]) && data.get(15..18) == Some(&[0; 3]) => Some(BMP),
        // A pickle has a protocol number, and then the operation that begins every pickle of protocol 4, or a frequent
        // one of protocols 2 and 3.
        ([0x80, 2..=5, 0x95 | b'}' | b']' | b'c' | b'(' | b'X' | b'K' | b'N' | 0x8a, _], _) => Some(PICKLE),
        _ if data.get(257..262) == Some(b"ustar") => Some(TAR),
        _ => None,
    }
}

/// The kind of a file in the ISO base media format, by its brand and its compatible brands.
fn of_brand(brand: &[u8; 4], data: &[u8]) -> FileKind {
    let heic: [&[u8; 4]; 8] = [b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"mif1"];
    let brands = data.get(16..data.len().min(64)).unwrap_or_default().chunks_exact(4);
    if [b"avif", b"avis"].contains(&brand) || (brand == b"mif1" && brands.clone().any(|other| other == b"avif")) {
        AVIF
    } else if heic.contains(&brand) || brand == b"msf1" {
        HEIC
    } else if brand == b"jxl " {
        JPEG_XL
    } else {
        FILM
    }
}

/// The kind of a zip archive, by the names of its members.
fn of_zip(data: &[u8]) -> FileKind {
    let name_bytes =
        data.get(26..28).and_then(<[u8]>::first_chunk).map_or(0, |&bytes| usize::from(u16::from_le_bytes(bytes)));
    let first = data.get(30..30 + name_bytes).unwrap_or_default();
    let holds = |word: &[u8]| data.windows(word.len()).take(1 << 16).any(|window| window == word);
    if first.ends_with(b".npy") {
        NPZ
    } else if first == b"mimetype" && holds(b"opendocument") {
        ODS
    } else if holds(b"xl/work") || holds(b"xl/_rels") {
        XLSX
    } else if first == b"[Content_Types].xml" || first == b"_rels/.rels" {
        // The sheets of a workbook may come late in the archive. A text document counts as a workbook too; neither is
        // delimited text.
        XLSX
    } else if first.ends_with(b"/data.pkl") {
        TORCH
    } else {
        ZIP
    }
}

/// The kind of a text file that is not delimited text. A delimited file can begin in the same way, so this explains why
/// a file could not be read and is never the reason to refuse one. Where the content can be of two kinds, the name of
/// `path` decides.
pub(super) fn of_text(data: &[u8], path: &Path) -> Option<FileKind> {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii();
    let begins = |word: &str| data.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
    let line = data.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
    let head = &data[..data.len().min(HEAD_BYTES)];
    let mentions = |word: &[u8]| head.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    let is_object = |text: &[u8]| text.starts_with(b"{") && text.ends_with(b"}");
    if begins("<!doctype html") || begins("<html") || begins("<head") {
        Some(HTML)
    } else if begins("<svg") || (begins("<?xml") || begins("<!--") || begins("<!doctype svg")) && mentions(b"<svg") {
        Some(SVG)
    } else if begins("<?xml") && mentions(b"<html") {
        Some(HTML)
    } else if begins("<?xml") {
        Some(XML)
    } else if is_object(data) && mentions(b"\"nbformat\"") {
        Some(NOTEBOOK)
    } else if is_object(line) && (line.len() < data.len() || is_named_json_lines(path)) {
        Some(JSON_LINES)
    } else if is_object(data) || (data.starts_with(b"[") && data.ends_with(b"]")) {
        Some(JSON)
    } else {
        None
    }
}

/// Whether a file's name says JSON Lines, compressed or not.
fn is_named_json_lines(path: &Path) -> bool {
    let is_packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let path = if is_packed { path.with_extension("") } else { path.to_owned() };
    of_name(&path) == Some(JSON_LINES)
}

/// The kinds that are recognised by the usual ending of their names.
pub(super) const BY_ENDING: &[FileKind] = &[
    GIF, TIFF, WEBP, HEIC, AVIF, BMP, JPEG_XL, JPEG_2000, PHOTOSHOP, ICON, SVG, FILM, XZ, LZMA, ZSTD, BZIP2, LZ4,
    COMPRESS, BROTLI, SNAPPY, ZIP, SEVEN_ZIP, RAR, TAR, XLSX, XLS, ODS, PARQUET, FEATHER, ORC, AVRO, SQLITE, R_DATA,
    STATA, JSON, JSON_LINES, NPY, NPZ, PICKLE, TORCH, HDF5, MATLAB, TF_RECORD, HTML, PDF, XML, NOTEBOOK, TEXT,
];

/// The kind that the ending of a file's name stands for.
pub(super) fn of_name(path: &Path) -> Option<FileKind> {
    const OTHER_ENDINGS: &[(&str, FileKind)] = &[
        ("tif", TIFF),
        ("heif", HEIC),
        ("dib", BMP),
        ("mkv", FILM),
        ("mov", FILM),
        ("avi", FILM),
        ("webm", FILM),
        ("zstd", ZSTD),
        ("tgz", TAR),
        ("tbz2", TAR),
        ("txz", TAR),
        ("xlsm", XLSX),
        ("xlsb", XLSX),
        ("pq", PARQUET),
        ("arrow", ARROW_STREAM),
        ("ipc", FEATHER),
        ("sqlite3", SQLITE),
        ("rdata", R_DATA),
        ("rda", R_DATA),
        ("ndjson", JSON_LINES),
        ("pickle", PICKLE),
        ("pth", TORCH),
        ("hdf5", HDF5),
        ("htm", HTML),
    ];
    let ending = path.extension()?.to_str()?;
    let is = |other: &str| other.eq_ignore_ascii_case(ending);
    let usual = BY_ENDING.iter().find(|kind| is(kind.ending)).copied();
    usual.or_else(|| OTHER_ENDINGS.iter().find(|(other, _)| is(other)).map(|(_, kind)| *kind))
}

impl FileKind {
    /// Whether a file's name says that it is of this kind.
    pub(super) fn is_named_so(&self, path: &Path) -> bool {
        of_name(path) == Some(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_json_is_json_lines_if_its_name_says_so() {
        let kind = |text: &str, name: &str| of_text(text.as_bytes(), Path::new(name));
        let line = "{\"text\": \"a\", \"label\": \"x\"}\n";
        for name in ["a.jsonl", "a.NDJSON", "a.jsonl.gz"] {
            assert_eq!(kind(line, name), Some(JSON_LINES), "{name}");
        }
        assert_eq!(kind(line, "a.json"), Some(JSON));
        assert_eq!(kind("[\n{\"text\": \"a\"}\n]\n", "a.jsonl"), Some(JSON));
        assert_eq!(kind(&line.repeat(2), "a.json"), Some(JSON_LINES));
    }
}
