//! Files that are made of a history.

/// A file that is made of a history, such as an export or a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A name of a user as a part of a file name that every system takes. Two names may give the same.
pub(super) fn plain_name(name: &str) -> String {
    const LONGEST: usize = 60;
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let plain: String = name.chars().map(plain).take(LONGEST).collect();
    if plain.is_empty() { "-".to_owned() } else { plain }
}
