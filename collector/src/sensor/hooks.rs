//! The places in the kernel where the sensor listens, and what is not seen where one is refused.

use std::fmt::Write as _;
use std::io;

use aya::programs::{BtfTracePoint, Iter, ProgramError, TracePoint};
use aya::{Btf, Ebpf};
use lanner_core::event::{BootTime, Hook, HookLayer, HookState};

use super::decode::Found;
use super::{backfill, clock};

/// How a program is attached.
#[derive(Debug, Clone, Copy)]
enum Attach {
    /// A tracepoint with typed arguments.
    Typed(&'static str),
    /// System call tracepoints. Not every architecture has all of them; one is enough.
    Syscalls(&'static [&'static str]),
    /// An iterator over tasks, run when asked.
    Tasks,
}

/// A hook.
struct Spec {
    name: &'static str,
    /// The program in the object.
    program: &'static str,
    attach: Attach,
    without: &'static str,
}

/// The iterator's program.
pub(super) const ALIVE: &str = "alive";
/// The program that tells of new processes.
const FORK: &str = "fork";

/// In the order in which they are attached: births and deaths first.
const SPECS: &[Spec] = &[
    Spec {
        name: "sched_process_fork",
        program: FORK,
        attach: Attach::Typed("sched_process_fork"),
        without: "processes that never exec, and the lineage that runs through them",
    },
    Spec {
        name: "sched_process_exit",
        program: "exit",
        attach: Attach::Typed("sched_process_exit"),
        without: "when and how processes end",
    },
    Spec {
        name: "sched_process_exec",
        program: "exec",
        attach: Attach::Typed("sched_process_exec"),
        without: "what processes run",
    },
    Spec {
        name: "sys_exit_open*",
        program: "open",
        attach: Attach::Syscalls(&["sys_exit_openat", "sys_exit_openat2", "sys_exit_open", "sys_exit_creat"]),
        without: "files opened, and what links who wrote one to who reads it",
    },
    Spec {
        name: "sys_exit_memfd_create",
        program: "memfd",
        attach: Attach::Syscalls(&["sys_exit_memfd_create"]),
        without: "files made in memory",
    },
    Spec {
        name: "inet_sock_set_state",
        program: "tcp_state",
        attach: Attach::Typed("inet_sock_set_state"),
        without: "TCP connections",
    },
    Spec {
        name: "sys_exit_accept*",
        program: "accept",
        attach: Attach::Syscalls(&["sys_exit_accept4", "sys_exit_accept"]),
        without: "which process accepted a TCP connection",
    },
    Spec {
        name: "sys_enter_setns, sys_enter_unshare",
        program: "namespace_enter",
        attach: Attach::Syscalls(&["sys_enter_setns", "sys_enter_unshare"]),
        without: "processes that move to other namespaces",
    },
    Spec {
        name: "sys_exit_setns",
        program: "setns",
        attach: Attach::Syscalls(&["sys_exit_setns"]),
        without: "processes that enter existing namespaces",
    },
    Spec {
        name: "sys_exit_unshare",
        program: "unshare",
        attach: Attach::Syscalls(&["sys_exit_unshare"]),
        without: "processes that make new namespaces",
    },
    Spec {
        name: "iter/task",
        program: ALIVE,
        attach: Attach::Tasks,
        without: "processes that ran before the sensor did, until they exec",
    },
];

/// The outcome of [`attach_all`].
pub(super) struct Attached {
    pub(super) hooks: Vec<Hook>,
    /// Every process that began at this time or later is told of as it is forked; `None`: none is.
    pub(super) forks_from: Option<BootTime>,
    /// What ran then. Who is gone when the last hook is attached would be missed otherwise.
    pub(super) early: Vec<Found>,
}

/// Loads and attaches what the kernel allows, program by program. All are loaded before the first is attached: the
/// verifier takes its time, and attaching is to be over soon.
pub(super) fn attach_all(ebpf: &mut Ebpf, btf: &Btf) -> Attached {
    let loaded: Vec<Result<(), String>> = SPECS.iter().map(|spec| load(ebpf, btf, spec)).collect();
    let mut attached = Attached { hooks: Vec::new(), forks_from: None, early: Vec::new() };
    for (spec, loaded) in SPECS.iter().zip(loaded) {
        let state = match loaded.and_then(|()| attach(ebpf, spec)) {
            Ok(()) => HookState::Attached,
            Err(reason) => HookState::Refused(reason),
        };
        if spec.program == FORK && state == HookState::Attached {
            attached.forks_from = Some(clock::now());
            // When it is refused, the backfill says so.
            attached.early = backfill::list(ebpf).unwrap_or_default();
        }
        attached.hooks.push(Hook {
            name: spec.name.to_owned(),
            layer: HookLayer::Base,
            state,
            without: spec.without.to_owned(),
        });
    }
    attached
}

fn load(ebpf: &mut Ebpf, btf: &Btf, spec: &Spec) -> Result<(), String> {
    let program = ebpf.program_mut(spec.program).ok_or("the object has no such program")?;
    match spec.attach {
        Attach::Typed(tracepoint) => {
            let program: &mut BtfTracePoint = program.try_into().map_err(words)?;
            program.load(tracepoint, btf).map_err(words)
        }
        Attach::Syscalls(_) => {
            let program: &mut TracePoint = program.try_into().map_err(words)?;
            program.load().map_err(words)
        }
        Attach::Tasks => {
            let program: &mut Iter = program.try_into().map_err(words)?;
            program.load("task", btf).map_err(words)
        }
    }
}

fn attach(ebpf: &mut Ebpf, spec: &Spec) -> Result<(), String> {
    let program = ebpf.program_mut(spec.program).ok_or("the object has no such program")?;
    match spec.attach {
        Attach::Typed(_) => {
            let program: &mut BtfTracePoint = program.try_into().map_err(words)?;
            program.attach().map_err(words)?;
        }
        Attach::Syscalls(names) => {
            let program: &mut TracePoint = program.try_into().map_err(words)?;
            let outcomes: Vec<_> = names.iter().map(|name| program.attach("syscalls", name)).collect();
            if outcomes.iter().all(Result::is_err)
                && let Some(Err(error)) = outcomes.into_iter().next()
            {
                return Err(words(error));
            }
        }
        // Run when asked.
        Attach::Tasks => {}
    }
    Ok(())
}

/// An error with its causes, on one line, without the verifier's pages.
pub(super) fn words(error: impl Into<ProgramError>) -> String {
    let error = error.into();
    if let ProgramError::LoadError { io_error, verifier_log } = &error {
        return refusal(io_error, &verifier_log.to_string());
    }
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        let _ = write!(words, ": {error}");
        source = error.source();
    }
    words.replace('\n', " ")
}

fn refusal(error: &io::Error, log: &str) -> String {
    // The verifier's reason stands above its statistics.
    const STATISTICS: [&str; 3] = ["processed ", "verification time", "stack depth"];
    let is_reason = |line: &&str| !line.is_empty() && !STATISTICS.iter().any(|s| line.starts_with(s));
    match log.lines().map(str::trim).rfind(is_reason) {
        Some(reason) => format!("the kernel's verifier refused it: {reason}"),
        None => format!("the kernel refused it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::SPECS;

    #[test]
    fn every_hook_is_documented() {
        let page = include_str!("../../../docs/events.md");
        for spec in SPECS {
            assert!(page.contains(&format!("`{}`", spec.name)), "docs/events.md does not name {}", spec.name);
        }
    }
}
