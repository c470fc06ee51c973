//! Loads the programs: the kernel's verifier takes its time over each, and looks at as many at once as it has processors.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use aya::programs::{
    BtfTracePoint, CgroupSkb, CgroupSock, CgroupSockAddr, FEntry, FExit, Iter, Program, ProgramError, TracePoint,
};
use aya::{Btf, Ebpf};

use super::btf::Types;
use super::family::EVERY_CALL;
use super::hooks::{Attach, NO_PROGRAM, Spec, words};

/// More would wait for each other.
const THREADS: usize = 8;

/// How it went, by program.
pub(super) struct Loaded(HashMap<String, Result<(), String>>);

impl Loaded {
    /// Whether all of a hook's programs are loaded; if not, why not.
    pub(super) fn of(&self, spec: &Spec) -> Result<(), String> {
        let of = |name: &str| self.0.get(name).cloned().unwrap_or_else(|| Err(NO_PROGRAM.to_owned()));
        match spec.attach {
            Attach::Calls(programs) => programs.iter().try_for_each(|(name, _)| of(name)),
            Attach::EveryCall => EVERY_CALL.iter().try_for_each(|(name, _)| of(name)),
            _ => of(spec.program),
        }
    }
}

/// Loads the programs of these hooks.
pub(super) fn all(ebpf: &mut Ebpf, btf: &Btf, types: &Types<'_>, specs: &[&Spec]) -> Loaded {
    let mut wanted: HashMap<&str, Attach> = HashMap::new();
    for spec in specs {
        match spec.attach {
            // Several families share the program that keeps a call's arguments.
            Attach::Calls(programs) => wanted.extend(programs.iter().map(|(name, _)| (*name, spec.attach))),
            Attach::EveryCall => wanted.extend(EVERY_CALL.iter().map(|(name, _)| (*name, spec.attach))),
            attach => drop(wanted.insert(spec.program, attach)),
        }
    }
    let jobs: Vec<_> = ebpf.programs_mut().filter_map(|(n, p)| Some((n.to_owned(), p, *wanted.get(n)?))).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let (jobs, loaded) = (Mutex::new(jobs.into_iter()), Mutex::new(HashMap::new()));
    let work = || {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((name, program, attach)) = job else { return };
            let outcome = load(program, btf, types, attach);
            loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(name, outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    Loaded(loaded.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn load(program: &mut Program, btf: &Btf, types: &Types<'_>, attach: Attach) -> Result<(), String> {
    let Attach::Shaped(shapes) = attach else { return load_as(program, btf, attach).map_err(words) };
    let known = shapes.iter().find(|(name, arguments)| types.arguments(name) == Some(*arguments));
    let (tracepoint, _) = known.ok_or("this kernel's tracepoint has other arguments, or it has none")?;
    load_as(program, btf, Attach::Typed(tracepoint)).map_err(words)
}

fn load_as(program: &mut Program, btf: &Btf, attach: Attach) -> Result<(), ProgramError> {
    match attach {
        // Of which shape it is, is known by now.
        Attach::Shaped(_) => Ok(()),
        Attach::Typed(tracepoint) => <&mut BtfTracePoint>::try_from(program)?.load(tracepoint, btf),
        Attach::Syscalls(_) | Attach::SyscallsIfAny(_) | Attach::Calls(_) | Attach::EveryCall => {
            <&mut TracePoint>::try_from(program)?.load()
        }
        Attach::Iterator(of) => <&mut Iter>::try_from(program)?.load(of, btf),
        Attach::CgroupPackets(_) => <&mut CgroupSkb>::try_from(program)?.load(),
        Attach::CgroupSocket => <&mut CgroupSock>::try_from(program)?.load(),
        Attach::CgroupAddress => <&mut CgroupSockAddr>::try_from(program)?.load(),
        Attach::Entry(function) => <&mut FEntry>::try_from(program)?.load(function, btf),
        Attach::Return(function) => <&mut FExit>::try_from(program)?.load(function, btf),
    }
}
