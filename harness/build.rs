//! Records the commit and the compiler that the program is built from.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../.git/HEAD");
    println!("cargo:rerun-if-changed=../.git/index");
    // The tree may have changes that the commit has not.
    for path in ["src", "../datasets/src", "../models/src", "../reports/src", "../Cargo.lock", "../Cargo.toml"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = first_line("git", &["rev-parse", "--short=12", "HEAD"]).map_or_else(
        || "unknown".to_owned(),
        |hash| match first_line("git", &["status", "--porcelain", "--untracked-files=no"]) {
            None => hash,
            Some(_) => format!("{hash}-dirty"),
        },
    );
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let toolchain = first_line(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=BAKEOFF_COMMIT={commit}");
    println!("cargo:rustc-env=BAKEOFF_TOOLCHAIN={toolchain}");
}

/// The first line a command prints; `None` if it fails or prints nothing.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}
