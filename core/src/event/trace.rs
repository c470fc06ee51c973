//! What one process does to another.

use super::{Call, File, ProcessKey};

/// A process reached into another, or tried: what the kernel allows those that it allows ptrace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Trace {
    /// `ptrace`, `process_vm_readv`, `process_vm_writev` or `pidfd_getfd`; `proc_mem` when `/proc/PID/mem` was opened.
    pub call: Call,
    /// ptrace's request.
    pub request: u32,
    /// To whom it was done; of `PTRACE_TRACEME`, the parent that was asked to trace. Unknown when there is no such process.
    #[serde(skip)]
    pub target: ProcessKey,
    /// To which of its threads, a pid of the machine; 0 when unknown.
    pub target_tid: u32,
    /// Whether memory, registers or the like were written, or may be from now on.
    pub write: bool,
    /// Bytes of memory that were read or written.
    pub bytes: u64,
    /// How often this process did this to that one, this time included: the first, second, fourth, ... time is told.
    pub count: u64,
    /// The file whose descriptor was taken.
    pub file: Option<File>,
    /// The descriptor it got.
    pub fd: Option<i32>,
    /// Why it failed; 0: it did not.
    pub errno: u32,
}

impl Trace {
    /// The name of ptrace's request, of those that are told.
    pub fn request_name(&self) -> Option<&'static str> {
        if self.call.name() != "ptrace" {
            return None;
        }
        REQUESTS.iter().find(|(number, _)| *number == self.request).map(|(_, name)| *name)
    }

    /// Whether the process asks to be traced itself.
    pub fn is_request_to_be_traced(&self) -> bool {
        self.request_name() == Some("PTRACE_TRACEME")
    }
}

/// The requests of ptrace that are told: those that only watch or steer the other are too many.
const REQUESTS: &[(u32, &str)] = &[
    (0, "PTRACE_TRACEME"),
    (4, "PTRACE_POKETEXT"),
    (5, "PTRACE_POKEDATA"),
    (6, "PTRACE_POKEUSR"),
    (13, "PTRACE_SETREGS"),
    (15, "PTRACE_SETFPREGS"),
    (16, "PTRACE_ATTACH"),
    (0x4205, "PTRACE_SETREGSET"),
    (0x4206, "PTRACE_SEIZE"),
];

/// A process sent a signal to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SignalSent {
    /// Its number.
    pub signal: u32,
    /// To whom.
    #[serde(skip)]
    pub target: ProcessKey,
    /// To which thread, a pid of the machine.
    pub target_tid: u32,
    /// To that thread alone, and not to its process.
    pub thread_only: bool,
    /// What became of it.
    pub outcome: SignalOutcome,
    /// How often this process sent it to that one, this time included: the first, second, fourth, ... time is told.
    pub count: u64,
}

/// What the kernel does with a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalOutcome {
    /// It is on its way.
    Delivered,
    /// The target ignores it.
    Ignored,
    /// One of its kind waits already.
    Pending,
    /// Lost for lack of room, all of it or its particulars.
    Lost,
}

/// The name of a signal, as on all architectures but Alpha, MIPS, PA-RISC and SPARC.
pub fn signal_name(signal: u32) -> Option<&'static str> {
    SIGNALS.get(signal as usize).copied().filter(|name| !name.is_empty())
}

const SIGNALS: [&str; 32] = [
    "",
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];
