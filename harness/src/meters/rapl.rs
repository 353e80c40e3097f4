//! The running average power limit registers of Intel and AMD processors, as Linux shows them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Counter;

/// The sum of all processor packages and their memory, in joules.
#[derive(Debug)]
pub struct Rapl {
    domains: Vec<DomainCounter>,
}

/// One register, in microjoules, that wraps at `range_uj`.
#[derive(Debug)]
struct DomainCounter {
    path: PathBuf,
    range_uj: u64,
    last_uj: u64,
    total_uj: u64,
}

impl Rapl {
    /// Opens every package and its memory below `powercap`. The domains of cores and graphics are parts of a package
    /// and would be counted twice. `psys` overlaps with packages too.
    ///
    /// # Errors
    /// Why there is nothing to read, and how to change that.
    pub fn open(powercap: &Path) -> Result<Rapl, String> {
        let mut folders: Vec<PathBuf> = fs::read_dir(powercap)
            .map_err(|_| format!("no RAPL: {} does not exist (a virtual machine, or not Linux)", powercap.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        folders.sort();
        let mut domains = Vec::new();
        for folder in folders {
            let name = fs::read_to_string(folder.join("name")).unwrap_or_default();
            // Some machines show a package a second time through memory-mapped registers.
            let again = folder.file_name().is_some_and(|name| name.to_string_lossy().contains("mmio"));
            if !again && (name.starts_with("package-") || name.trim() == "dram") {
                domains.push(DomainCounter::open(&folder)?);
            }
        }
        if domains.is_empty() {
            return Err(format!("no RAPL: {} lists no processor package", powercap.display()));
        }
        Ok(Rapl { domains })
    }
}

impl DomainCounter {
    fn open(folder: &Path) -> Result<DomainCounter, String> {
        let path = folder.join("energy_uj");
        let last_uj = read_u64(&path).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!("RAPL is not readable: only the administrator can read {}; to allow it until the next boot: sudo sh -c 'chmod a+r {}/*/energy_uj'", path.display(), path.ancestors().nth(2).unwrap_or(&path).display())
            }
            _ => format!("RAPL is not readable: {}: {error}", path.display()),
        })?;
        let range = folder.join("max_energy_range_uj");
        let range_uj =
            read_u64(&range).map_err(|error| format!("RAPL is not readable: {}: {error}", range.display()))?;
        Ok(DomainCounter { path, range_uj, last_uj, total_uj: 0 })
    }

    fn advance(&mut self) -> io::Result<u64> {
        let now_uj = read_u64(&self.path)?;
        self.total_uj += if now_uj >= self.last_uj {
            now_uj - self.last_uj
        } else {
            self.range_uj.saturating_sub(self.last_uj) + now_uj
        };
        self.last_uj = now_uj;
        Ok(self.total_uj)
    }
}

impl Counter for Rapl {
    fn source(&self) -> &'static str {
        "rapl"
    }

    fn read_j(&mut self) -> io::Result<f64> {
        let mut total_uj = 0;
        for domain in &mut self.domains {
            total_uj += domain.advance()?;
        }
        Ok(total_uj as f64 / 1e6)
    }
}

fn read_u64(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("'{}'", text.trim())))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn domain(root: &Path, folder: &str, name: &str, energy: &str) {
        let path = root.join(folder);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("name"), format!("{name}\n")).unwrap();
        fs::write(path.join("energy_uj"), format!("{energy}\n")).unwrap();
        fs::write(path.join("max_energy_range_uj"), "1000000\n").unwrap();
    }

    #[test]
    fn packages_and_memory_are_summed_and_nothing_is_counted_twice() {
        let root = tempfile::tempdir().unwrap();
        domain(root.path(), "intel-rapl:0", "package-0", "100");
        domain(root.path(), "intel-rapl:0:0", "core", "5");
        domain(root.path(), "intel-rapl:0:1", "dram", "10");
        domain(root.path(), "intel-rapl-mmio:0", "package-0", "100");
        let mut rapl = Rapl::open(root.path()).unwrap();
        domain(root.path(), "intel-rapl:0", "package-0", "400100");
        domain(root.path(), "intel-rapl:0:0", "core", "900000");
        domain(root.path(), "intel-rapl:0:1", "dram", "100010");
        domain(root.path(), "intel-rapl-mmio:0", "package-0", "400100");
        assert_eq!(rapl.read_j().unwrap(), 0.5);
    }

    #[test]
    fn a_register_that_wraps_goes_on_growing() {
        let root = tempfile::tempdir().unwrap();
        domain(root.path(), "intel-rapl:0", "package-0", "900000");
        let mut rapl = Rapl::open(root.path()).unwrap();
        domain(root.path(), "intel-rapl:0", "package-0", "100000");
        assert_eq!(rapl.read_j().unwrap(), 0.2);
        domain(root.path(), "intel-rapl:0", "package-0", "50000");
        assert_eq!(rapl.read_j().unwrap(), 1.15);
    }

    #[test]
    fn absent_hardware_is_a_reason_and_never_a_zero() {
        let root = tempfile::tempdir().unwrap();
        assert!(Rapl::open(&root.path().join("none")).unwrap_err().contains("does not exist"));
        assert!(Rapl::open(root.path()).unwrap_err().contains("no processor package"));
        domain(root.path(), "intel-rapl:0", "package-0", "not a number");
        assert!(Rapl::open(root.path()).unwrap_err().contains("energy_uj"));
    }
}
