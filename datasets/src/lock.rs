//! File locks, and file systems without locks.

use std::io;

use rustix::io::Errno;

/// Whether a lock was refused because the file system has no locks. Some network and FUSE file systems have none.
pub fn has_no_locks(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let none = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP];
    error.kind() == io::ErrorKind::Unsupported || errno.is_some_and(|errno| none.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told_from_one_without_room_or_permission() {
        for errno in [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP] {
            assert!(has_no_locks(&io::Error::from(errno)), "{errno}");
        }
        assert!(has_no_locks(&io::ErrorKind::Unsupported.into()));
        for errno in [Errno::NOSPC, Errno::ACCESS, Errno::ROFS, Errno::IO, Errno::INTR] {
            assert!(!has_no_locks(&io::Error::from(errno)), "{errno}");
        }
    }
}
