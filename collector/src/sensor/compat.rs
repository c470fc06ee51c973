//! The hook on 32-bit system calls, which is too dear to be attached for nothing: it comes with the first 32-bit program,
//! and goes some time after the last one has ended.

use std::collections::HashSet;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aya::maps::{MapData, ProgramArray};
use aya::programs::TracePoint;
use aya::programs::trace_point::TracePointLink;
use aya::{Btf, Ebpf};
use lanner_core::event::{BootTime, Event, Hook, HookLayer, HookState, Payload, ProcessKey};

use super::btf::Types;
use super::config::{CompatWatch, SensorConfig};
use super::family::{COMPAT, EVERY_CALL, narrow_stands};
use super::{hooks, load, tracefs, with_causes};

/// What is not seen by a hook that waits.
const NATIVE: &str = "32-bit system calls of 64-bit programs (int 0x80)";
const WAITS: &str = "a 32-bit program: it costs every system call 150 ns";

/// Processes that are remembered to make 32-bit calls. Should there be more, the hook stays for good.
const MOST: usize = 4096;

/// The hook.
#[derive(Debug)]
pub(super) struct Compat {
    when: When,
    /// How long it stays when nobody makes such calls any more.
    lingers: Duration,
    /// Empty: it is not attached.
    links: Vec<TracePointLink>,
    /// Lets go of those before.
    lets_go: Option<JoinHandle<()>>,
    /// Who makes such calls.
    living: HashSet<ProcessKey>,
    /// When the last of them ended.
    quiet_since: Option<BootTime>,
}

#[derive(Debug, PartialEq, Eq)]
enum When {
    Never,
    Wanted,
    Always,
}

impl Compat {
    /// Loads the programs, and attaches them when that is wanted from the beginning.
    pub(super) fn begin(ebpf: &mut Ebpf, btf: &Btf, types: &Types<'_>, config: &SensorConfig) -> (Self, Hook) {
        let loaded = load::all(ebpf, btf, types, &[&COMPAT]).of(&COMPAT).and_then(|()| fill(ebpf));
        let when = match (&loaded, config.compat) {
            (Err(_), _) => When::Never,
            (Ok(()), CompatWatch::OnSight) => When::Wanted,
            (Ok(()), CompatWatch::Always) => When::Always,
        };
        let mut compat = Compat {
            when,
            lingers: config.compat_lingers,
            links: Vec::new(),
            lets_go: None,
            living: HashSet::new(),
            quiet_since: None,
        };
        let (state, without) = match loaded {
            Ok(()) if compat.when == When::Wanted => waiting(),
            Ok(()) => (compat.attach(ebpf), COMPAT.without),
            Err(reason) => (HookState::Refused(reason), COMPAT.without),
        };
        let (name, without) = (COMPAT.name.to_owned(), without.to_owned());
        (compat, Hook { name, layer: HookLayer::Base, state, without })
    }

    /// Looks at an event: it may tell of a 32-bit program, or of the end of one.
    pub(super) fn see(&mut self, event: &Event, ebpf: &mut Ebpf, all: &mut [Hook]) {
        if self.when != When::Wanted {
            return;
        }
        let process = event.header.process;
        match &event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) if exec.image.compat => self.sighted(process, ebpf, all),
            // What else a 64-bit program does by such calls is seen as long as it lives.
            Payload::Compat(_) => self.sighted(process, ebpf, all),
            Payload::Exec(_) | Payload::Exit(_) if self.living.remove(&process) && self.living.is_empty() => {
                self.quiet_since = Some(event.header.time);
            }
            Payload::Exec(_) | Payload::Exit(_) => {}
            Payload::Fork(fork) if self.living.contains(&process) => self.sighted(fork.child, ebpf, all),
            // Told by a hook that stands on no system call.
            _ if event.header.compat => self.sighted(process, ebpf, all),
            _ => {}
        }
    }

    fn sighted(&mut self, process: ProcessKey, ebpf: &mut Ebpf, all: &mut [Hook]) {
        self.quiet_since = None;
        if self.living.len() >= MOST {
            self.when = When::Always;
        }
        self.living.insert(process);
        if self.links.is_empty() {
            let state = self.attach(ebpf);
            if matches!(state, HookState::Refused(_)) {
                self.when = When::Never;
            }
            tell(all, &state, COMPAT.without);
        }
    }

    /// Lets go when nobody has made such calls for some time.
    pub(super) fn look(&mut self, now: BootTime, all: &mut [Hook]) {
        let lapsed = |since: BootTime| now.since(since) >= self.lingers;
        if self.when != When::Wanted || !self.quiet_since.is_some_and(lapsed) {
            return;
        }
        self.quiet_since = None;
        let links = std::mem::take(&mut self.links);
        // The kernel waits until no processor can still be in them. Without a thread, so does the sensor.
        self.lets_go = thread::Builder::new().spawn(move || drop(links)).ok();
        let (state, without) = waiting();
        tell(all, &state, without);
    }

    fn attach(&mut self, ebpf: &mut Ebpf) -> HookState {
        // The kernel refuses a program that is still there.
        if let Some(lets_go) = self.lets_go.take() {
            drop(lets_go.join());
        }
        let attach = |(program, tracepoint): &(&str, &str)| {
            let program: &mut TracePoint =
                ebpf.program_mut(program).ok_or(hooks::NO_PROGRAM)?.try_into().map_err(hooks::words)?;
            let id = program.attach("raw_syscalls", tracepoint).map_err(hooks::words)?;
            program.take_link(id).map_err(hooks::words)
        };
        // The exit first: who is within a call then comes out of none that is remembered.
        match EVERY_CALL.iter().rev().map(attach).collect::<Result<_, String>>() {
            Ok(links) => {
                self.links = links;
                HookState::Attached
            }
            Err(reason) => HookState::Refused(reason),
        }
    }
}

/// A hook that waits, and what is not seen meanwhile.
fn waiting() -> (HookState, &'static str) {
    (HookState::Waiting(WAITS.to_owned()), NATIVE)
}

fn tell(all: &mut [Hook], state: &HookState, without: &str) {
    for hook in all.iter_mut().filter(|hook| hook.name == COMPAT.name) {
        hook.state = state.clone();
        hook.without = without.to_owned();
    }
}

/// Tells the programs which of the others to go on to. Those that the kernel refused it has been told of by their own hooks.
fn fill(ebpf: &mut Ebpf) -> Result<(), String> {
    for (map, exit) in [("COMPAT_ENTERS", false), ("COMPAT_EXITS", true)] {
        let mut programs = Vec::new();
        for stand in narrow_stands().filter(|stand| stand.exit == exit && tracefs::has_syscall(stand.tracepoint)) {
            if let Some(Ok(fd)) = ebpf.program(stand.program).map(|program| program.fd().map(|fd| fd.try_clone())) {
                programs.push((stand.number, fd.map_err(|e| with_causes(&e))?));
            }
        }
        let map = ebpf.map_mut(map).ok_or("the object has no map of 32-bit calls")?;
        let mut map: ProgramArray<&mut MapData> = map.try_into().map_err(|e| with_causes(&e))?;
        programs.iter().try_for_each(|(number, fd)| map.set(*number, fd, 0)).map_err(|e| with_causes(&e))?;
    }
    Ok(())
}
