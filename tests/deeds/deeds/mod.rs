//! All deeds, by what they are about.

pub(crate) mod files;
pub(crate) mod kernel;
pub(crate) mod network;
pub(crate) mod programs;

use crate::deed::Deed;

/// All, each once.
pub(crate) static ALL: &[&Deed] = &[
    &files::CLIMBING,
    &files::READ_LATE,
    &files::READ,
    &files::LOG_EMPTIED,
    &files::LINK,
    &files::HARD_LINK,
    &files::LEVER,
    &programs::SHELL_OF_SERVER,
    &programs::ACCOUNT,
    &programs::TERMINAL,
    &programs::NETCAT,
    &programs::KEYS_SOUGHT,
    &programs::TOKENS_SOUGHT,
    &programs::DISK_WIPED,
    &programs::FROM_SHARED_MEMORY,
    &programs::DROPPED,
    &programs::FROM_MEMORY,
    &programs::DISK_EDITED,
    &network::CLUSTER,
    &network::PACKETS,
    &network::SHELL_ON_SOCKET,
    &network::ODD_PORT,
    &kernel::MODULE,
    &kernel::TRACES,
    &kernel::TRACED,
];
