//! Guesses what a path means that leads to no file. bakeoff takes paths as they are: it neither expands nor fetches
//! them.

use std::path::Path;

/// What to write instead, if the path looks like one that a shell or another program would accept.
pub(super) fn hint(path: &Path) -> Option<String> {
    if let Ok(target) = path.read_link() {
        let target = target.display();
        return Some(format!(
            "it is a symbolic link to {target}, which does not exist: restore the target, or use another path"
        ));
    }
    let text = path.to_string_lossy();
    if let Some(address) = address(&text) {
        return Some(of_address(address));
    }
    let part = |is: fn(&str) -> bool| {
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).find(|part| is(part))
    };
    if let Some(home) = part(|part| part.starts_with('~')) {
        let folder = std::env::home_dir()
            .filter(|_| home == "~")
            .map_or("/home/NAME".to_owned(), |folder| folder.display().to_string());
        return Some(format!("'{home}' is not expanded: write the full path of the folder, such as {folder}"));
    }
    if let Some(variable) =
        part(|part| part.starts_with('$') || (part.len() > 2 && part.starts_with('%') && part.ends_with('%')))
    {
        return Some(format!("'{variable}' is not expanded: write the full path of the folder"));
    }
    if let Some(pattern) = part(|part| part.contains(['*', '?', '{']) || (part.contains('[') && part.contains(']'))) {
        return Some(format!(
            "'{pattern}' is not expanded: list the files, such as [\"a.csv\", \"b.csv\"]; the rows of all are joined"
        ));
    }
    if cfg!(unix) && text.contains('\\') {
        return Some("folders are separated by /, not by \\".to_owned());
    }
    None
}

/// The address in a path, from its scheme to its end.
fn address(path: &str) -> Option<&str> {
    // The suite's folder may stand before the address, and joining paths may have removed one of the two slashes.
    let colon = path.find("://").or_else(|| path.find(":/").filter(|&at| at > 1))?;
    let start = path[..colon].rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    let scheme = &path[start..colon];
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| &path[start..])
}

fn of_address(address: &str) -> String {
    let (scheme, rest) = address.split_once(':').unwrap_or((address, ""));
    let steps = match scheme.to_ascii_lowercase().as_str() {
        "file" => return format!("'{address}' is an address: write the path alone, /{}", rest.trim_start_matches('/')),
        "s3" | "s3a" | "s3n" => format!("`aws s3 cp {address} .`"),
        "gs" => format!("`gcloud storage cp {address} .`"),
        "hf" => format!("`hf download {}`", rest.trim_start_matches('/')),
        "http" | "https" | "ftp" | "sftp" => format!("`curl -LO '{address}'`"),
        _ => "that scheme's own program".to_owned(),
    };
    format!(
        "'{address}' is an address, and data of your own is read from this machine: get it with {steps} and name the file"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(path: &str, parts: &[&str]) {
        let hint = hint(Path::new(path)).unwrap_or_default();
        for part in parts {
            assert!(hint.contains(part), "{path}: '{part}' is not in: {hint}");
        }
    }

    #[test]
    fn what_a_shell_expands_is_named() {
        says("/suite/~/data/train.csv", &["'~' is not expanded", "write the full path of the folder"]);
        says("/suite/~anna/train.csv", &["'~anna' is not expanded", "/home/NAME"]);
        says("/suite/$HOME/train.csv", &["'$HOME' is not expanded"]);
        says("/suite/${DATA}/train.csv", &["'${DATA}' is not expanded"]);
        says("/suite/%USERPROFILE%/train.csv", &["'%USERPROFILE%' is not expanded"]);
        says("/suite/parts/*.csv", &["'*.csv' is not expanded", "list the files"]);
        says("/suite/part-0[1-3].csv", &["'part-0[1-3].csv' is not expanded"]);
        says("/suite/{a,b}.csv", &["'{a,b}.csv' is not expanded"]);
    }

    #[test]
    fn addresses_are_named_with_a_way_to_get_the_file() {
        says("/suite/https://host.org/a/train.csv", &["'https://host.org/a/train.csv' is an address", "`curl -LO"]);
        says("/suite/https:/host.org/a/train.csv", &["is an address", "`curl -LO"]);
        says("/suite/s3://bucket/train.csv", &["`aws s3 cp s3://bucket/train.csv .`"]);
        says("/suite/gs://bucket/train.csv", &["`gcloud storage cp gs://bucket/train.csv .`"]);
        says("/suite/hf://datasets/imdb/train.csv", &["`hf download datasets/imdb/train.csv`"]);
        says("/suite/file:///data/train.csv", &["write the path alone, /data/train.csv"]);
        says("/suite/abfs://x/train.csv", &["'abfs://x/train.csv' is an address"]);
    }

    #[test]
    fn a_plain_path_has_no_hint() {
        for path in ["/data/train.csv", "/data/a:b.csv", "C:/data/train.csv", "/data/100%.csv", "/a~b/c"] {
            assert_eq!(hint(Path::new(path)), None, "{path}");
        }
    }
}
