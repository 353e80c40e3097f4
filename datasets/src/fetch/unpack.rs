//! Extracts files from archives that are not trusted.
//!
//! Only the expected names are taken, each up to its stated size, into new files. Links, `..`, absolute paths and
//! expected names that occur twice are refused wherever they are in the archive; other members are skipped.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::Fault;

/// The largest number of unpacked bytes in members that are skipped. A member of a tar archive must be unpacked even to
/// be skipped.
const MAX_SKIPPED_BYTES: u64 = 64 << 20;

/// A member to take.
pub(crate) struct Wanted {
    /// Its path in the archive.
    pub(crate) member: String,
    /// The largest number of bytes it may have.
    pub(crate) max_bytes: u64,
}

/// Opens the file into which the wanted member of this index goes.
pub(crate) type Open<'a, W> = &'a mut dyn FnMut(usize) -> Result<W, Fault>;

/// Takes the wanted members out of a zip archive.
pub(crate) fn zip<W: Write>(reader: impl Read + Seek, wanted: &[Wanted], open: Open<'_, W>) -> Result<(), Fault> {
    let bad = |error: zip::result::ZipError| Fault::Bad(format!("not a whole zip archive ({error})"));
    let mut archive = zip::ZipArchive::new(reader).map_err(bad)?;
    if archive.has_duplicate_names() {
        return Err(Fault::Bad("it has two members of one name".to_owned()));
    }
    let mut taken = vec![false; wanted.len()];
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(bad)?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        check(&name, member.is_symlink())?;
        if let Some(which) = which(&name, wanted, &mut taken)? {
            take(member, &wanted[which], open(which)?)?;
        }
    }
    all(&taken, wanted)
}

/// Takes the wanted members out of a gzipped tar archive.
pub(crate) fn tar_gz<W: Write>(reader: impl Read, wanted: &[Wanted], open: Open<'_, W>) -> Result<(), Fault> {
    tar(MultiGzDecoder::new(reader), wanted, open)
}

/// Takes the wanted members out of a tar archive that is already decompressed.
pub(crate) fn tar<W: Write>(reader: impl Read, wanted: &[Wanted], open: Open<'_, W>) -> Result<(), Fault> {
    let bad = |error: io::Error| Fault::Bad(format!("not a whole gzipped tar archive ({error})"));
    let most = MAX_SKIPPED_BYTES + wanted.iter().map(|wanted| wanted.max_bytes).sum::<u64>();
    let mut archive = tar::Archive::new(reader.take(most));
    let mut taken = vec![false; wanted.len()];
    // Raw, because the long names and attributes before a member can have any size and would be read into memory. They
    // are skipped. A member then has the name that its own header holds, which is enough because the wanted names are
    // short.
    for member in archive.entries().map_err(bad)?.raw(true) {
        let member = member.map_err(bad)?;
        let name = String::from_utf8_lossy(&member.header().path_bytes()).into_owned();
        let kind = member.header().entry_type();
        check(&name, kind.is_symlink() || kind.is_hard_link())?;
        if let Some(which) = which(&name, wanted, &mut taken)? {
            take(member, &wanted[which], open(which)?)?;
        }
    }
    all(&taken, wanted)
}

/// Copies a plain file.
pub(crate) fn plain<W: Write>(reader: impl Read, wanted: &Wanted, open: Open<'_, W>) -> Result<(), Fault> {
    take(reader, wanted, open(0)?)
}

/// Refuses names that lead out of the archive on any system, and links.
fn check(name: &str, link: bool) -> Result<(), Fault> {
    let has_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    let leads_out = has_drive || name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..");
    if leads_out {
        return Err(Fault::Bad(format!("its member {name:?} leads out of the archive, so it is not to be trusted")));
    }
    if link {
        return Err(Fault::Bad(format!("its member {name:?} is a link, so it is not to be trusted")));
    }
    Ok(())
}

/// Which of the wanted members this name is.
fn which(name: &str, wanted: &[Wanted], taken: &mut [bool]) -> Result<Option<usize>, Fault> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let Some(which) = wanted.iter().position(|wanted| wanted.member == name) else { return Ok(None) };
    if std::mem::replace(&mut taken[which], true) {
        return Err(Fault::Bad(format!("it has two members {name:?}")));
    }
    Ok(Some(which))
}

fn all(taken: &[bool], wanted: &[Wanted]) -> Result<(), Fault> {
    let missing: Vec<&str> =
        taken.iter().zip(wanted).filter(|(taken, _)| !**taken).map(|(_, wanted)| wanted.member.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Fault::Bad(format!("it has no member {}", missing.join(", ")))) }
}

fn take(mut reader: impl Read, wanted: &Wanted, mut file: impl Write) -> Result<(), Fault> {
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::Bad(format!("{} is broken in it ({error})", wanted.member))),
        };
        bytes += count as u64;
        if bytes > wanted.max_bytes {
            return Err(Fault::Bad(format!(
                "{} has more than the {} bytes that it should have",
                wanted.member, wanted.max_bytes
            )));
        }
        file.write_all(&buffer[..count]).map_err(Fault::write(Path::new(&wanted.member)))?;
    }
}
