//! Advice about a file that is not of the expected format: a command that converts or unpacks it, or a sentence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::bytes;
use super::kind::{Family, FileKind};

/// The largest number of images for which an error lists one command each.
const COMMANDS: usize = 20;

impl FileKind {
    /// What to do with the file at `path`, where delimited text, an IDX file or records of images were expected.
    pub(super) fn remedy(&self, path: &Path) -> String {
        let name = bytes::name(path);
        match self.family {
            Family::ReadImage | Family::OtherImage | Family::Drawing => {
                "images are read from a folder for each class, with format = \"images\"".to_owned()
            }
            Family::Packed(program) => {
                format!(
                    "unpack it first (`{}`) and name the file inside",
                    self.unpacking(program, path, Path::new(&name))
                )
            }
            Family::Archive(command) => {
                format!("unpack it first (`{}`) and name the file inside", unpacking_archive(command, Path::new(&name)))
            }
            Family::Table(steps) => {
                let out = bytes::name(&new_name(path, "csv", "converted"));
                // Python code needs the name in quotation marks of its own.
                let steps = steps.replace("'{}'", &format!("'{name}'")).replace("'{out}'", &format!("'{out}'"));
                let (word, out) = (shell_word(Path::new(&name)), shell_word(Path::new(&out)));
                format!("convert it to CSV: {}", steps.replace("{out}", &out).replace("{}", &word))
            }
            Family::Arrays => {
                "write texts as CSV, and images as PNG files in a folder for each class or as IDX".to_owned()
            }
            Family::WebPage => "get the file itself: a download link often leads to a page first".to_owned(),
            Family::LfsPointer => "get the file itself with `git lfs pull`".to_owned(),
            Family::Film | Family::Other => "it holds no rows: name another file".to_owned(),
        }
    }

    /// The command that unpacks the file at `path`, which the command calls `name`, with `program`.
    fn unpacking(&self, program: &str, path: &Path, name: &Path) -> String {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let word = shell_word(name);
        if ending.eq_ignore_ascii_case(self.ending) {
            return format!("{program} -dk {word}");
        }
        // These programs form the new name from the old ending, and refuse other endings.
        let out = new_name(path, ending, "unpacked");
        format!("{program} -dc {word} > {}", shell_word(&name.with_file_name(bytes::name(&out))))
    }

    /// What to do with `files` of this kind in `folders`, where PNG and JPEG images are expected. The names of images
    /// to be converted either all have the ending of their kind, or none has.
    pub(super) fn remedy_in_folders(&self, folders: &[&Path], files: &[&Path]) -> String {
        let Some(&example) = files.first() else { return String::new() };
        let one = shell_word(example);
        match self.family {
            Family::ReadImage => format!("rename it to end in .{}", self.ending),
            Family::OtherImage => self.conversion(folders, files),
            Family::Drawing => {
                let out = shell_word(&new_name(example, "png", "converted"));
                format!("draw it in pixels, such as with `rsvg-convert -w 256 -o {out} {one}`, and remove the original")
            }
            Family::Packed(program) => {
                let command = self.unpacking(program, example, example);
                format!("unpack it, such as with `{command}`, and remove the original")
            }
            Family::Archive(command) => {
                let command = unpacking_archive(command, example);
                format!("unpack it, such as with `{command}`, and remove the original")
            }
            Family::WebPage => "a download that failed: get the image again or remove the file".to_owned(),
            Family::LfsPointer => "get the image itself with `git lfs pull`".to_owned(),
            Family::Film => {
                let out = shell_word(&example.with_extension(""));
                format!("extract single images, such as with `ffmpeg -i {one} {out}-%04d.png`, and remove the original")
            }
            Family::Table(_) | Family::Arrays | Family::Other => "remove it, or move it elsewhere".to_owned(),
        }
    }

    /// The commands that make PNG images of `files` without replacing an existing file.
    fn conversion(&self, folders: &[&Path], files: &[&Path]) -> String {
        let is_found = |file: &&Path| self.is_named_so(file) && !file.with_extension("png").exists();
        // Two files such as `a.tif` and `a.tiff` would become one image.
        let are_apart =
            files.iter().map(|file| file.with_extension("png")).collect::<BTreeSet<_>>().len() == files.len();
        if are_apart && files.iter().all(is_found) {
            let holding = folders.iter().filter(|folder| files.iter().any(|file| file.starts_with(folder)));
            let holding: Vec<String> = holding.map(|folder| shell_word(folder)).collect();
            let endings: BTreeSet<&str> =
                files.iter().filter_map(|file| file.extension().and_then(|ending| ending.to_str())).collect();
            let names: Vec<String> = endings.into_iter().map(|ending| format!("-name '*.{ending}'")).collect();
            let names = if names.len() == 1 { names.concat() } else { format!("\\( {} \\)", names.join(" -o ")) };
            let command = format!("find {} {names} -exec magick mogrify -format png {{}} +", holding.join(" "));
            return format!("convert it, such as with `{command}` (ImageMagick), and remove the original");
        }
        let mut written = BTreeSet::new();
        let mut command = |file: &&Path| {
            let mut out = new_name(file, "png", "converted");
            if !written.insert(out.clone()) {
                out = new_name(&file.with_file_name(format!("{}.png", bytes::name(file))), "png", "converted");
                written.insert(out.clone());
            }
            format!("magick {} {}", shell_word(file), shell_word(&out))
        };
        let commands: Vec<String> = files.iter().take(COMMANDS).map(&mut command).collect();
        let others = match files.len().saturating_sub(COMMANDS) {
            0 => String::new(),
            more => format!(", likewise the other {more}"),
        };
        format!("convert it, such as with `{}` (ImageMagick){others}, and remove the original", commands.join("; "))
    }
}

/// A name beside `path` with another `ending`. If a file has that name, `mark` is added, so that nothing is
/// overwritten.
fn new_name(path: &Path, ending: &str, mark: &str) -> PathBuf {
    let out = path.with_extension(ending);
    // Some file systems do not distinguish capital letters from small ones.
    if !out.as_os_str().eq_ignore_ascii_case(path.as_os_str()) && !out.exists() {
        return out;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let dot = if ending.is_empty() { "" } else { "." };
    path.with_file_name(format!("{stem}-{mark}{dot}{ending}"))
}

/// The command that unpacks the archive `name` into a new folder.
fn unpacking_archive(command: &str, name: &Path) -> String {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let out = shell_word(Path::new(&format!("{stem}-unpacked")));
    command.replace("{out}", &out).replace("{}", &shell_word(name))
}

/// A path, quoted for a shell.
fn shell_word(path: &Path) -> String {
    let word = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::super::kind::{BY_ENDING, FEATHER, GZIP, JPEG, LFS, PNG, SQLITE, TAR, TIFF, XZ};
    use super::*;

    /// Whether a command names `file` as a word of its own at most once, as the file that it reads.
    fn is_named_at_most_once(remedy: &str, file: &str) -> bool {
        let is_edge = |c: char| c.is_whitespace() || "`'\"();".contains(c);
        remedy.split(is_edge).filter(|word| word.eq_ignore_ascii_case(file)).count() <= 1
    }

    #[test]
    fn images_of_one_name_are_not_converted_into_one_image() {
        let files = [Path::new("a.tif"), Path::new("a.tiff"), Path::new("b.tif")];
        let remedy = TIFF.remedy_in_folders(&[Path::new(".")], &files);
        assert_eq!(
            remedy,
            "convert it, such as with `magick a.tif a.png; magick a.tiff a.tiff-converted.png; magick b.tif b.png` \
             (ImageMagick), and remove the original"
        );
    }

    #[test]
    fn no_command_writes_to_the_file_that_it_reads() {
        for kind in BY_ENDING.iter().chain(&[PNG, JPEG, GZIP, LFS]) {
            for name in
                ["rows.csv", "rows.CSV", "rows.tsv", "rows.png", "rows.PNG", "rows0", &format!("rows.{}", kind.ending)]
            {
                let path = Path::new(name);
                let remedy = kind.remedy(path);
                assert!(is_named_at_most_once(&remedy, name), "{}: {remedy}", kind.what);
                // These write a name of their own choice: beside the file, or in place of it.
                assert!(!remedy.contains("--convert-to") || remedy.contains("--outdir converted"), "{remedy}");
                let misnamed = !name.eq_ignore_ascii_case(&format!("rows.{}", kind.ending));
                assert!(!remedy.contains("-dk") || !misnamed, "{remedy}");
                let remedy = kind.remedy_in_folders(&[Path::new("")], &[path]);
                assert!(is_named_at_most_once(&remedy, name), "{}: {remedy}", kind.what);
                assert!(!remedy.contains("-dk") && !remedy.contains("mogrify") || !misnamed, "{remedy}");
            }
        }
        assert!(
            SQLITE
                .remedy(Path::new("sq.csv"))
                .contains("sqlite3 -header -csv sq.csv 'select * from TABLE' > sq-converted.csv")
        );
        assert!(FEATHER.remedy(Path::new("ar.csv")).contains("read_feather('ar.csv').to_csv('ar-converted.csv'"));
        assert!(XZ.remedy(Path::new("a.csv")).contains("`xz -dc a.csv > a-unpacked.csv`"));
        assert!(XZ.remedy(Path::new("a.csv.xz")).contains("`xz -dk a.csv.xz`"));
        assert!(TAR.remedy(Path::new("a.csv")).contains("`mkdir a-unpacked && tar -xf a.csv -C a-unpacked`"));
    }
}
