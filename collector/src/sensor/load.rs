//! Loads the programs: the kernel's verifier takes its time over each, and looks at as many at once as it has processors.

use std::collections::HashMap;
use std::io;
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
/// Signals come one by one, and each is gone when its call has returned.
const TRIES: usize = 20;

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
    let mut load_as = |attach| persist(|| load_as(program, btf, attach)).map_err(words);
    let Attach::Shaped(shapes) = attach else { return load_as(attach) };
    let known = shapes.iter().find(|(name, arguments)| types.arguments(name) == Some(*arguments));
    let (tracepoint, _) = known.ok_or("this kernel's tracepoint has other arguments, or it has none")?;
    load_as(Attach::Typed(tracepoint))
}

/// Loads a program, however many signals come. The verifier gives up (EAGAIN) where one waits for the thread, be it one that
/// nobody minds: a window has another size, a child has ended (`do_check`, kernel/bpf/verifier.c).
pub(super) fn persist(load: impl FnMut() -> Result<(), ProgramError>) -> Result<(), ProgramError> {
    try_again(load, |error| match error {
        ProgramError::LoadError { io_error, .. } => io_error.kind() == io::ErrorKind::WouldBlock,
        _ => false,
    })
}

fn try_again<E>(mut load: impl FnMut() -> Result<(), E>, is_cut_short: impl Fn(&E) -> bool) -> Result<(), E> {
    for _ in 1..TRIES {
        match load() {
            Err(error) if is_cut_short(&error) => {}
            outcome => return outcome,
        }
    }
    load()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it is tried, where it fails so.
    fn tries(error: &str) -> usize {
        let mut times = 0;
        let load = || {
            times += 1;
            Err(error)
        };
        assert_eq!(try_again(load, |error| *error == "cut short"), Err(error));
        times
    }

    #[test]
    fn a_load_that_signals_cut_short_is_tried_again_and_one_that_is_refused_is_not() {
        assert_eq!((tries("refused"), tries("cut short")), (1, TRIES));
        let mut outcomes = vec![Ok(()), Err("cut short"), Err("cut short")];
        assert_eq!(try_again(|| outcomes.pop().expect("no more is asked"), |_| true), Ok(()));
        assert!(outcomes.is_empty());
    }
}
