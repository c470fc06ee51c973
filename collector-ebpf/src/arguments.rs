//! System calls whose arguments are wanted when they return: they are kept from the entry to the exit.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::TracePointContext;

use crate::{compat, exact};

/// A call under way.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    /// Its arguments; what lies behind the last one means nothing.
    pub args: [u64; 6],
    /// What else its family wants to remember.
    pub note: [u64; 2],
}

/// By thread. One that blocks for long may be forgotten when very many others call: the map makes room for itself.
#[map]
static ARGUMENTS: LruHashMap<u64, Call> = LruHashMap::with_max_entries(2048, 0);

/// The entry of calls that need no more than their arguments.
#[tracepoint]
pub fn call_enter(ctx: TracePointContext) -> u32 {
    exact::forget();
    keep(&ctx, [0; 2]);
    0
}

/// Word `N` of the tracepoint's data: at an entry the arguments begin at word 2.
#[inline(always)]
fn word<const N: usize>(ctx: &TracePointContext) -> u64 {
    const { assert!(N < 8) };
    // SAFETY: both system call tracepoints have this word (`N` is 1 or 2 at an exit); the verifier and the kernel check
    // it when the program is attached. A plain load, where `read_at` would call a helper.
    unsafe { *ctx.as_ptr().cast::<u64>().add(N) }
}

/// Argument `N` of the call, at its entry.
#[inline(always)]
pub fn arg<const N: usize>(ctx: &TracePointContext) -> u64 {
    match N {
        0 => word::<2>(ctx),
        1 => word::<3>(ctx),
        2 => word::<4>(ctx),
        3 => word::<5>(ctx),
        4 => word::<6>(ctx),
        _ => word::<7>(ctx),
    }
}

/// An argument of which the kernel takes 32 bits: a program can leave anything in the others.
#[inline(always)]
pub fn int(argument: u64) -> u64 {
    argument & 0xffff_ffff
}

/// The first three arguments of a call that may have fewer: what lies behind the last one means nothing.
#[inline(always)]
pub fn first(ctx: &TracePointContext) -> [u64; 3] {
    let mut args = [0; 3];
    // SAFETY: the destination is a live local of this size; the kernel checks the source.
    unsafe {
        let from = ctx.as_ptr().cast::<u64>().add(2);
        generated::bpf_probe_read_kernel(args.as_mut_ptr().cast(), 24, from.cast());
    }
    args
}

/// The number of the call.
#[inline(always)]
pub fn number(ctx: &TracePointContext) -> u32 {
    word::<1>(ctx) as u32
}

/// What the call returns, at its exit.
#[inline(always)]
pub fn result(ctx: &TracePointContext) -> i64 {
    word::<2>(ctx) as i64
}

/// The errno in what a call returned; 0: it did not fail.
#[inline(always)]
pub fn errno(result: i64) -> u32 {
    if result < 0 { result.wrapping_neg() as u32 } else { 0 }
}

/// Keeps the arguments, at the entry.
#[inline(always)]
pub fn keep(ctx: &TracePointContext, note: [u64; 2]) {
    let mut args = [0; 6];
    // Most calls have fewer arguments, and a program may load only those that all its calls have: a helper may read on.
    // SAFETY: the destination is a live local of this size; the kernel checks the source.
    unsafe {
        let from = ctx.as_ptr().cast::<u64>().add(2);
        generated::bpf_probe_read_kernel(args.as_mut_ptr().cast(), 48, from.cast());
    }
    let taken = compat::taken();
    args = args.map(|arg| arg & taken);
    let _ = ARGUMENTS.insert(bpf_get_current_pid_tgid(), Call { args, note }, 0);
}

/// Takes them back, at the exit; `None`: the entry was not seen, or is no news.
#[inline(always)]
pub fn take() -> Option<Call> {
    let thread = bpf_get_current_pid_tgid();
    // SAFETY: the map's own element; no other thread has this key.
    let call = unsafe { *ARGUMENTS.get_ptr(thread)? };
    let _ = ARGUMENTS.remove(thread);
    Some(call)
}
