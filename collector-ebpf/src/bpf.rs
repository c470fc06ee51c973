//! Other people's BPF: programs that are loaded and attached, and maps. Attempts that fail are told too. Of what was made
//! the kernel's own objects tell; of what was refused, the caller's words.

use core::ptr;

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{BpfRecord, kind};

use crate::arguments;
use crate::files;
use crate::kernel::{Place as _, bpf_link, bpf_map, bpf_prog, file, task_struct};
use crate::record::header;
use crate::ring;
use crate::task;

/// `enum bpf_cmd`.
const MAP_CREATE: u64 = 0;
const PROG_LOAD: u64 = 5;
const PROG_ATTACH: u64 = 8;
const RAW_TRACEPOINT_OPEN: u64 = 17;
const LINK_CREATE: u64 = 28;

/// The beginning of `union bpf_attr`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Attr([u32; 18]);

/// The entry of bpf, which programs also call to read and write their maps, often.
#[tracepoint]
pub fn bpf_enter(ctx: TracePointContext) -> u32 {
    if matches!(
        arguments::int(arguments::arg::<0>(&ctx)),
        MAP_CREATE | PROG_LOAD | PROG_ATTACH | RAW_TRACEPOINT_OPEN | LINK_CREATE
    ) && !ring::is_own(task_struct::current())
    {
        arguments::keep(&ctx, [0; 2]);
    }
    0
}

/// Its exit.
#[tracepoint]
pub fn bpf(ctx: TracePointContext) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    let command = arguments::int(call.args[0]);
    let result = arguments::result(&ctx);
    let current = task_struct::current();
    let mut attr = Attr([0; 18]);
    let given = if call.args[2] < size_of::<Attr>() as u64 { call.args[2] as u32 } else { size_of::<Attr>() as u32 };
    // SAFETY: at most as many bytes as the local has; the kernel checks the source.
    unsafe { generated::bpf_probe_read_user((&raw mut attr).cast(), given, call.args[1] as *const _) };
    let attr = attr.0;
    let mut record = BpfRecord {
        header: header(kind::BPF, current),
        command: command as u32,
        errno: arguments::errno(result),
        ..BpfRecord::default()
    };
    record.header.len = size_of::<BpfRecord>() as u32;
    let made = if result >= 0 { files::by_fd(current, result as u32) } else { file::at(0) };
    match command {
        MAP_CREATE if result >= 0 => {
            let map = bpf_map::at(made.private_data().address);
            record.object_type = map.kind();
            record.id = map.id();
            record.size = map.entries();
            task::string16(&mut record.name, map.name().address);
        }
        MAP_CREATE => {
            record.object_type = attr[0];
            record.size = attr[3];
            words(&attr, 7, &mut record.name);
        }
        PROG_LOAD if result >= 0 => describe(bpf_prog::at(made.private_data().address), &mut record),
        PROG_LOAD => {
            record.object_type = attr[0];
            record.size = attr[1];
            record.attach_type = attr[17];
            words(&attr, 12, &mut record.name);
        }
        PROG_ATTACH => {
            describe(bpf_prog::at(files::by_fd(current, attr[1]).private_data().address), &mut record);
            record.attach_type = attr[2];
        }
        _ => {
            let given = if command == LINK_CREATE { attr[0] } else { attr[2] };
            let of_link = bpf_link::at(made.private_data().address).prog();
            let prog =
                if result >= 0 { of_link } else { bpf_prog::at(files::by_fd(current, given).private_data().address) };
            describe(prog, &mut record);
        }
    }
    ring::output_small(&mut record);
    0
}

#[inline(always)]
fn describe(prog: bpf_prog, record: &mut BpfRecord) {
    record.object_type = prog.kind();
    record.attach_type = prog.attach();
    record.size = prog.len();
    record.id = prog.aux().id();
    task::string16(&mut record.name, prog.aux().name().address);
}

/// The name that begins with word `at`.
#[inline(always)]
fn words(attr: &[u32; 18], at: usize, name: &mut [u8; 16]) {
    let words = [attr[at], attr[at + 1], attr[at + 2], attr[at + 3]];
    // SAFETY: both have 16 bytes.
    *name = unsafe { ptr::read((&raw const words).cast()) };
}
