//! The places in the kernel where the sensor listens, and what is not seen where one is refused.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;

use aya::programs::{
    BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSock, CgroupSockAddr, FEntry, FExit,
    ProgramError, TracePoint,
};
use aya::{Btf, Ebpf};
use lanner_core::event::{BootTime, Hook, HookLayer, HookState};

use super::btf::Types;
use super::family::{FORK, Found, HOOKS};
use super::hold::Hold;
use super::{backfill, cgroup, clock, load, tracefs};

/// No flag: what is attached by a link, as all kernels since 5.7 can, always lets the programs of others at the same
/// place, and below, run as well.
const SHARED: CgroupAttachMode = CgroupAttachMode::Single;

pub(super) const NO_PROGRAM: &str = "the object has no such program";

/// How a program is attached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attach {
    /// A tracepoint with typed arguments.
    Typed(&'static str),
    /// The first of these tracepoints that the kernel has with this many arguments: their order changed over time.
    Shaped(&'static [(&'static str, usize)]),
    /// System call tracepoints. Not every architecture has all of them; one is enough.
    Syscalls(&'static [&'static str]),
    /// System calls that not every kernel or architecture has. Where none of them is, nothing escapes for it, and the hook is
    /// left out.
    SyscallsIfAny(&'static [&'static str]),
    /// Several programs, each with system calls that not every kernel has, as with [`Attach::SyscallsIfAny`]; those that it
    /// has must all be attached.
    Calls(&'static [(&'static str, &'static [&'static str])]),
    /// The two tracepoints that all system calls pass, 32-bit ones included.
    EveryCall,
    /// An iterator over everything of a kind, run when asked.
    Iterator(&'static str),
    /// Packets at the sockets of all control groups.
    CgroupPackets(CgroupSkbAttachType),
    /// Beginnings or ends of the sockets of all control groups: the object says which.
    CgroupSocket,
    /// Calls with an address on the sockets of all control groups: the object says which.
    CgroupAddress,
    /// Full layer: the entry of a kernel function.
    Entry(&'static str),
    /// Full layer: its return.
    Return(&'static str),
}

impl Attach {
    pub(super) fn layer(self) -> HookLayer {
        match self {
            Attach::Entry(_) | Attach::Return(_) => HookLayer::Full,
            _ => HookLayer::Base,
        }
    }

    /// Whether this kernel has what it listens to, or ought to.
    fn applies(self) -> bool {
        match self {
            Attach::SyscallsIfAny(names) => names.iter().any(|name| tracefs::has_syscall(name)),
            Attach::Calls(programs) => {
                programs.iter().flat_map(|(_, names)| names.iter()).any(|name| tracefs::has_syscall(name))
            }
            _ => true,
        }
    }
}

/// A hook.
pub(super) struct Spec {
    /// As people see it, and docs/events.md names it.
    pub(super) name: &'static str,
    /// The program in the object; of several, the one that tells.
    pub(super) program: &'static str,
    pub(super) attach: Attach,
    /// What is not seen when it is refused.
    pub(super) without: &'static str,
    /// A program, attached before, that tells the same and better: with it, this hook is left out. Empty: none.
    pub(super) unless: &'static str,
}

/// The outcome of [`attach_all`].
pub(super) struct Attached {
    pub(super) hooks: Vec<Hook>,
    /// Every process that began at this time or later is told of as it is forked; `None`: none is.
    pub(super) forks_from: Option<BootTime>,
    /// What ran then. Who is gone when the last hook is attached would be missed otherwise.
    pub(super) early: Vec<Found>,
    /// What is attached stays so for as long as this lives.
    pub(super) hold: Hold,
}

/// Loads and attaches what the kernel allows, program by program. All are loaded before the first is attached: the
/// verifier takes its time, and attaching is to be over soon.
pub(super) fn attach_all(ebpf: &mut Ebpf, btf: &Btf, types: &Types<'_>) -> Attached {
    let specs: Vec<&Spec> = HOOKS.iter().copied().flatten().filter(|spec| spec.attach.applies()).collect();
    let loaded = load::all(ebpf, btf, types, &specs);
    let mut attached = Attached { hooks: Vec::new(), forks_from: None, early: Vec::new(), hold: Hold::new() };
    let mut programs = HashSet::new();
    for spec in specs {
        if programs.contains(spec.unless) {
            continue;
        }
        let state = match loaded.of(spec).and_then(|()| attach(ebpf, spec, &mut attached.hold)) {
            Ok(()) => HookState::Attached,
            Err(reason) => HookState::Refused(reason),
        };
        if spec.program == FORK && state == HookState::Attached {
            attached.forks_from = Some(clock::now());
            // When it is refused, the backfill says so.
            attached.early = backfill::list(ebpf).unwrap_or_default();
        }
        if state == HookState::Attached {
            programs.insert(spec.program);
        }
        attached.hooks.push(Hook {
            name: spec.name.to_owned(),
            layer: spec.attach.layer(),
            state,
            without: spec.without.to_owned(),
        });
    }
    attached
}

pub(super) fn attach(ebpf: &mut Ebpf, spec: &Spec, hold: &mut Hold) -> Result<(), String> {
    if let Attach::Calls(programs) = spec.attach {
        return programs.iter().try_for_each(|(name, tracepoints)| {
            let program = tracepoint(ebpf, name)?;
            let mut here = tracepoints.iter().filter(|name| tracefs::has_syscall(name));
            here.try_for_each(|name| hold.attach_call(program, name)).map_err(words)
        });
    }
    let program = ebpf.program_mut(spec.program).ok_or(NO_PROGRAM)?;
    match spec.attach {
        Attach::Typed(_) | Attach::Shaped(_) => {
            let program: &mut BtfTracePoint = program.try_into().map_err(words)?;
            hold.attach(program, BtfTracePoint::attach, BtfTracePoint::take_link).map_err(words)?;
        }
        Attach::Syscalls(names) | Attach::SyscallsIfAny(names) => {
            let program: &mut TracePoint = program.try_into().map_err(words)?;
            let outcomes: Vec<_> = names.iter().map(|name| hold.attach_call(program, name)).collect();
            if outcomes.iter().all(Result::is_err)
                && let Some(Err(error)) = outcomes.into_iter().next()
            {
                return Err(words(error));
            }
        }
        Attach::CgroupPackets(way) => {
            let program: &mut CgroupSkb = program.try_into().map_err(words)?;
            program.attach(cgroup::root()?, way, SHARED).map_err(words)?;
        }
        Attach::CgroupSocket => {
            let program: &mut CgroupSock = program.try_into().map_err(words)?;
            program.attach(cgroup::root()?, SHARED).map_err(words)?;
        }
        Attach::CgroupAddress => {
            let program: &mut CgroupSockAddr = program.try_into().map_err(words)?;
            program.attach(cgroup::root()?, SHARED).map_err(words)?;
        }
        Attach::Calls(_) => {}
        // Attached and detached in the course of time.
        Attach::EveryCall => {}
        // Run when asked.
        Attach::Iterator(_) => {}
        Attach::Entry(_) => {
            let program: &mut FEntry = program.try_into().map_err(words)?;
            hold.attach(program, FEntry::attach, FEntry::take_link).map_err(words)?;
        }
        Attach::Return(_) => {
            let program: &mut FExit = program.try_into().map_err(words)?;
            hold.attach(program, FExit::attach, FExit::take_link).map_err(words)?;
        }
    }
    Ok(())
}

fn tracepoint<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut TracePoint, String> {
    ebpf.program_mut(name).ok_or(NO_PROGRAM)?.try_into().map_err(words)
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
