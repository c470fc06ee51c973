//! What a program passed to a call, beside what became of it.

use super::Text;

/// What was passed to an open.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Passed {
    /// The name; absent when it is the path that the kernel came to, or could not be read. Another thread may have changed
    /// it under the call.
    pub name: Option<Text>,
    /// How the file was to be opened.
    pub flags: OpenFlags,
    /// The permissions that a file was to get if it was made, before what the process takes from all (`umask`).
    pub mode: u16,
}

impl Passed {
    /// Whether a file was to be made, and everybody, its owner or its group might run it.
    pub fn makes_program(&self) -> bool {
        self.flags.may_create() && self.mode & 0o111 != 0
    }
}

/// The `O_*` flags of an open, as `asm-generic/fcntl.h` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenFlags(pub u32);

impl OpenFlags {
    /// Bits, and those that must not be set beside them.
    const NAMES: [(u32, u32, &str); 16] = [
        (0o100, 0, "O_CREAT"),
        (0o200, 0, "O_EXCL"),
        (0o400, 0, "O_NOCTTY"),
        (0o1_000, 0, "O_TRUNC"),
        (0o2_000, 0, "O_APPEND"),
        (0o4_000, 0, "O_NONBLOCK"),
        (0o10_000, 0o4_000_000, "O_DSYNC"),
        (0o40_000, 0, "O_DIRECT"),
        (0o100_000, 0, "O_LARGEFILE"),
        (0o200_000, 0o20_000_000, "O_DIRECTORY"),
        (0o400_000, 0, "O_NOFOLLOW"),
        (0o1_000_000, 0, "O_NOATIME"),
        (0o2_000_000, 0, "O_CLOEXEC"),
        (0o4_000_000, 0, "O_SYNC"),
        (0o10_000_000, 0, "O_PATH"),
        (0o20_000_000, 0, "O_TMPFILE"),
    ];

    /// Whether the file was to lose what it held.
    pub fn truncates(self) -> bool {
        self.0 & 0o1_000 != 0
    }

    /// Whether a file was to be made where there is none: `O_CREAT`, and what `O_TMPFILE` has besides.
    pub fn may_create(self) -> bool {
        self.0 & 0o20_000_100 != 0
    }

    /// Their names, the access first: `O_WRONLY`, `O_CREAT`, `O_TRUNC`, ...
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let access = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"][self.0 as usize & 3];
        let set = Self::NAMES.iter().filter(move |(bit, not, _)| self.0 & bit != 0 && self.0 & not == 0);
        std::iter::once(access).chain(set.map(|(_, _, name)| *name))
    }
}

impl serde::Serialize for OpenFlags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_names() {
        let names = |flags| OpenFlags(flags).names().collect::<Vec<_>>().join("|");
        assert_eq!(names(0), "O_RDONLY");
        assert_eq!(names(0o1_101), "O_WRONLY|O_CREAT|O_TRUNC");
        assert_eq!(names(0o4_010_002), "O_RDWR|O_SYNC");
        assert_eq!(names(0o20_200_002), "O_RDWR|O_TMPFILE");
        assert!(OpenFlags(0o1_000).truncates() && !OpenFlags(0o2_000).truncates());
    }
}
