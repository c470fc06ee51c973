//! The in-kernel half of the sensor, one hook family a file. Nothing here knows what an event means: the programs read
//! the kernel's structures, write records (`lanner-collector-abi`) into one ring buffer, and count what did not fit.
//!
//! Programs of the base layer are tracepoints, BTF tracepoints, iterators or at the root of the control groups, and use no
//! helper newer than Linux 5.10. Those of the full layer stand on kernel functions; where the kernel refuses one, the sensor
//! sees less and says so.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod alive;
mod arguments;
mod attributes;
mod bpf;
mod call;
mod code;
mod comm;
mod compat;
mod connect;
mod credentials;
mod dns;
mod dup;
mod environment;
mod exact;
mod exact_sockets;
mod exec;
mod exit;
mod file_open;
mod files;
mod flow;
mod fork;
mod io_uring;
mod kernel;
mod link;
mod magic;
mod make;
mod memfd;
mod mount;
mod names;
mod namespace;
mod news;
mod often;
mod open;
mod packet;
mod passed;
mod path;
mod record;
mod rename;
mod ring;
mod root;
mod script;
mod seal;
mod signal;
mod socket;
mod socket_call;
mod sockets;
mod stdio;
mod task;
mod tcp;
mod trace;
mod traffic;
mod turn;
mod udp;
mod unix;
mod unlink;
mod uring_names;
mod uring_sockets;
mod walk;

/// Helpers that read kernel memory want a licence compatible with the GPL, declared in these words.
// SAFETY: the loader looks for this section and this name; nothing else defines them.
#[unsafe(link_section = "license")]
// SAFETY: as above.
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses a program that can get here: it would not end.
    loop {}
}
