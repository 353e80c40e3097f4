//! The memory limit of the control group in which a process runs: how much of its host's memory a container may use.

use std::fs;
use std::path::{Path, PathBuf};

/// A limit of at least this much means that there is none. Version 1 writes the largest multiple of a page that 63 bits
/// hold.
const NO_LIMIT: u64 = 1 << 62;

/// The smallest limit, in bytes, among the control groups of this process and those above them. `None` if no limit is
/// set or if the system has no control groups. `root` is `/`, or a copy of the relevant files for a test.
pub(super) fn memory_limit(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let hierarchies = mounts.lines().filter_map(Hierarchy::parse);
    hierarchies.filter_map(|hierarchy| hierarchy.limit(root, &groups)).min()
}

/// The version of a hierarchy of control groups. The two versions name their files differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// A mounted hierarchy of control groups that governs memory.
#[derive(Debug)]
struct Hierarchy {
    version: Version,
    /// The control group whose files the mount point shows.
    top: PathBuf,
    /// The path at which it is mounted.
    mount_point: PathBuf,
}

impl Hierarchy {
    /// Parses a line of `mountinfo`: `31 23 0:28 <top> <mount point> rw shared:1 - <file system> <source> <options>`.
    fn parse(line: &str) -> Option<Hierarchy> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (top, mount_point) = (unescape(mount.next()?), unescape(mount.next()?));
        let mut file_system = file_system.split(' ');
        let version = match file_system.next()? {
            "cgroup2" => Version::V2,
            "cgroup" if file_system.nth(1)?.split(',').any(|option| option == "memory") => Version::V1,
            _ => return None,
        };
        Some(Hierarchy { version, top, mount_point })
    }

    /// The smallest limit from this process's group up to the mount point.
    fn limit(&self, root: &Path, groups: &str) -> Option<u64> {
        let group = self.group(groups)?;
        let mount_point = root.join(self.mount_point.strip_prefix("/").ok()?);
        // In a container, the group's path can be one that only the host sees. The mount point then shows the
        // container's group.
        let below = group.strip_prefix(&self.top).unwrap_or(Path::new(""));
        let folders = below.ancestors().map(|folder| mount_point.join(folder));
        folders.filter_map(|folder| self.limit_of(&folder)).min()
    }

    /// This process's group, from a line of `/proc/self/cgroup`: `4:cpu,memory:/some/group`, or `0::/some/group` for
    /// version 2.
    fn group(&self, groups: &str) -> Option<PathBuf> {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let is_here = match self.version {
                Version::V1 => controllers.split(',').any(|controller| controller == "memory"),
                Version::V2 => controllers.is_empty(),
            };
            is_here.then(|| PathBuf::from(path))
        })
    }

    /// The limit of one group, if it has one.
    fn limit_of(&self, folder: &Path) -> Option<u64> {
        let file = match self.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        // Version 2 writes `max` for no limit, which is not parsed as a number either.
        let limit = fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()?;
        (limit < NO_LIMIT).then_some(limit)
    }
}

/// Decodes a path of `mountinfo`, in which blanks and backslashes are written as octal numbers.
fn unescape(path: &str) -> PathBuf {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(path.to_owned(), |path, (written, meant)| path.replace(written, meant)).into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const V1: &str = "\
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
    const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    /// What version 1 shows if no limit is set.
    const V1_NO_LIMIT: &str = "9223372036854771712";

    /// Makes a folder with these control groups, mounts and files, like that of a system.
    fn system(groups: &str, mounts: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [("proc/self/cgroup", groups), ("proc/self/mountinfo", mounts)].iter().chain(files) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        root
    }

    fn limit(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<u64> {
        memory_limit(system(groups, mounts, files).path())
    }

    #[test]
    fn version_1_gives_the_limit_of_the_processs_own_group() {
        let files = [
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NO_LIMIT),
            ("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", V1_NO_LIMIT),
            ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "536870912"),
            ("sys/fs/cgroup/memory/docker/other/memory.limit_in_bytes", "1"),
        ];
        assert_eq!(limit("5:cpu,cpuacct:/docker\n4:memory:/docker/abc\n0::/docker", V1, &files), Some(512 << 20));
    }

    #[test]
    fn version_2_gives_the_limit_of_the_processs_own_group() {
        let files = [
            ("sys/fs/cgroup/system.slice/memory.max", "max"),
            ("sys/fs/cgroup/system.slice/job.scope/memory.max", "3221225472"),
            ("sys/fs/cgroup/user.slice/memory.max", "1"),
        ];
        assert_eq!(limit("0::/system.slice/job.scope", V2, &files), Some(3 << 30));
    }

    #[test]
    fn a_smaller_limit_further_up_counts_in_both_versions() {
        let v1 = [
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NO_LIMIT),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000"),
            ("sys/fs/cgroup/memory/a/b/c/memory.limit_in_bytes", "2000"),
        ];
        assert_eq!(limit("4:memory:/a/b/c", V1, &v1), Some(1000));
        let v2 = [
            ("sys/fs/cgroup/a/memory.max", "1000"),
            ("sys/fs/cgroup/a/b/memory.max", "max"),
            ("sys/fs/cgroup/a/b/c/memory.max", "2000"),
        ];
        assert_eq!(limit("0::/a/b/c", V2, &v2), Some(1000));
    }

    #[test]
    fn a_container_that_sees_the_hosts_path_has_the_limit_at_its_mount_point() {
        let mounts = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let files = [("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824")];
        assert_eq!(limit("4:memory:/docker/abc", mounts, &files), Some(1 << 30));
        assert_eq!(limit("4:memory:/elsewhere/abc", mounts, &files), Some(1 << 30));
        let inner = [("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "5000"), files[0]];
        assert_eq!(limit("4:memory:/docker/abc/inner", mounts, &inner), Some(5000));
    }

    #[test]
    fn a_container_with_its_own_view_has_the_limit_at_the_root() {
        assert_eq!(limit("0::/", V2, &[("sys/fs/cgroup/memory.max", "1073741824")]), Some(1 << 30));
    }

    #[test]
    fn with_both_versions_mounted_the_smaller_limit_counts() {
        let mounts = format!("{V1}38 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
        let files =
            [("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "7000"), ("sys/fs/cgroup/unified/b/memory.max", "6000")];
        assert_eq!(limit("4:memory:/a\n0::/b", &mounts, &files), Some(6000));
    }

    #[test]
    fn a_mount_point_with_a_blank_in_its_path_is_found() {
        let mounts = "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n";
        assert_eq!(limit("0::/", mounts, &[("my groups/memory.max", "8000")]), Some(8000));
    }

    #[test]
    fn no_limit_is_none_and_never_a_number() {
        let v1 = [("sys/fs/cgroup/memory/a/memory.limit_in_bytes", V1_NO_LIMIT)];
        assert_eq!(limit("4:memory:/a", V1, &v1), None);
        // The limit that kernels with pages of 64 KiB write.
        let large_pages = [("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854710272")];
        assert_eq!(limit("4:memory:/a", V1, &large_pages), None);
        assert_eq!(limit("0::/a", V2, &[("sys/fs/cgroup/a/memory.max", "max")]), None);
        assert_eq!(limit("0::/a", V2, &[("sys/fs/cgroup/a/memory.max", "garbled")]), None);
        assert_eq!(limit("4:memory:/a", "", &v1), None);
        assert_eq!(limit("", V1, &v1), None);
        assert_eq!(memory_limit(tempfile::tempdir().unwrap().path()), None);
    }
}
