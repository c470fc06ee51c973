//! Why the sensor cannot run.

/// Nothing can be seen. Each message is one sentence that says what is missing and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SensorError {
    /// The process may not load programs.
    #[error(
        "the capabilities {0} are missing: run as root, or give them to the program (setcap, or the container's securityContext)"
    )]
    Capabilities(String),
    /// The kernel does not describe its types.
    #[error("/sys/kernel/btf/vmlinux cannot be used ({0}): a kernel built with CONFIG_DEBUG_INFO_BTF=y is needed")]
    NoBtf(String),
    /// The kernel's types are not those that the programs know.
    #[error("this kernel lacks {0}: it is older than Linux 5.10, or newer than this version of Lanner knows")]
    Fields(String),
    /// The size of the ring buffer is not usable.
    #[error("a ring buffer of {0} bytes is not possible: it must be a power of two, at least 4096")]
    RingSize(u32),
    /// The object could not be loaded at all.
    #[error("the kernel did not take the sensor's maps or types ({0}): `lanner doctor` shows what this kernel allows")]
    Object(String),
    /// Every hook was refused.
    #[error("the kernel refused every hook, the first because {0}: `lanner doctor` shows what this kernel allows")]
    Nothing(String),
}
