//! What already runs when the sensor starts.

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::bindings::seq_file;
use aya_ebpf::helpers::generated;
use lanner_collector_abi::{ExecRecord, PrivilegeFacts, kind};

use crate::kernel::{Place as _, launder, task_struct};
use crate::record::{Record, Slot, header_of};
use crate::{exec, task};

/// `task_struct.flags`: a kernel thread.
const PF_KTHREAD: u32 = 0x0020_0000;

/// `struct bpf_iter__task`.
#[repr(C)]
pub struct IterTask {
    pub meta: *const IterMeta,
    pub task: *const c_void,
}

/// `struct bpf_iter_meta`, its beginning.
#[repr(C)]
pub struct IterMeta {
    pub seq: *mut seq_file,
}

/// Called once for every thread; writes a record for each process. Arguments are in the process's memory, which cannot
/// be read from here.
// SAFETY: the loader finds the program by section and name; nothing else defines them.
#[unsafe(link_section = "iter/task")]
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn alive(ctx: *mut IterTask) -> i32 {
    // SAFETY: the context of this program type; the verifier checks each of these loads.
    let (seq, found) = unsafe { ((*(*ctx).meta).seq, (*ctx).task) };
    if found.is_null() {
        return 0;
    }
    let found = task_struct::at(launder(found as u64));
    if found.pid() != found.tgid() || found.signal().live() == 0 {
        return 0;
    }
    let Some(record) = Record::<ExecRecord>::begin(Slot::Iterator) else { return 0 };
    let head = &mut *record.head;
    head.header = header_of(kind::ALIVE, task::key(found));
    head.args_len = 0;
    head.args_cut = 0;
    head.args_unknown = 1;
    head.is_script = 0;
    head.script = exec::NO_FILE;
    head.kernel_thread = u8::from(found.flags() & PF_KTHREAD != 0);
    head.env_len = 0;
    head.env_cut = 0;
    head.before_known = 0;
    head.before = PrivilegeFacts { cap_effective: 0, cap_permitted: 0, euid: 0, egid: 0 };
    head.zero = [0; 4];
    task::describe(found, &mut head.task, record.tail);
    exec::image(found, head, record.tail);
    head.header.len = size_of::<ExecRecord>() as u32 + record.tail.used();
    let len = record.len();
    // SAFETY: `len` is at most the fixed part and the tail's limit. When the reader's buffer is full the kernel calls
    // again for the same thread.
    unsafe { generated::bpf_seq_write(seq, ptr::from_mut(record.head).cast::<c_void>(), len) };
    0
}
