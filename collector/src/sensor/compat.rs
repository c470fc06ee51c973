//! The hook on 32-bit system calls, which is too dear to be attached for nothing.

use aya::{Btf, Ebpf};
use lanner_core::event::{Hook, HookLayer, HookState};

use super::btf::Types;
use super::config::CompatWatch;
use super::family::COMPAT;
use super::hold::Hold;
use super::{hooks, load};

/// What is not seen by a hook that waits.
const NATIVE: &str = "32-bit system calls of 64-bit programs (int 0x80), until a 32-bit program runs";
const WAITS: &str = "it waits for a 32-bit program: it costs every system call 35 ns";

/// The hook.
#[derive(Debug)]
pub(super) struct Compat {
    waits: bool,
}

impl Compat {
    /// Loads the program, and attaches it when it is wanted from the beginning.
    pub(super) fn begin(
        ebpf: &mut Ebpf,
        btf: &Btf,
        types: &Types<'_>,
        hold: &mut Hold,
        when: CompatWatch,
    ) -> (Self, Hook) {
        let loaded = load::all(ebpf, btf, types, &[&COMPAT]).of(&COMPAT);
        let waits = loaded.is_ok() && when == CompatWatch::OnSight;
        let state = match loaded {
            Ok(()) if waits => HookState::Refused(WAITS.to_owned()),
            Ok(()) => outcome(hooks::attach(ebpf, &COMPAT, hold)),
            Err(reason) => HookState::Refused(reason),
        };
        let without = if waits { NATIVE } else { COMPAT.without };
        let hook = Hook { name: COMPAT.name.to_owned(), layer: HookLayer::Base, state, without: without.to_owned() };
        (Compat { waits }, hook)
    }

    /// A 32-bit program runs: attaches the hook, once.
    pub(super) fn sighted(&mut self, ebpf: &mut Ebpf, hold: &mut Hold, all: &mut [Hook]) {
        if !std::mem::take(&mut self.waits) {
            return;
        }
        let state = outcome(hooks::attach(ebpf, &COMPAT, hold));
        for hook in all.iter_mut().filter(|hook| hook.name == COMPAT.name) {
            hook.state = state.clone();
            hook.without = COMPAT.without.to_owned();
        }
    }
}

fn outcome(attached: Result<(), String>) -> HookState {
    match attached {
        Ok(()) => HookState::Attached,
        Err(reason) => HookState::Refused(reason),
    }
}
