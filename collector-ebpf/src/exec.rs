//! A process begins a new image.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{btf_tracepoint, map, tracepoint};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::{BtfTracePointContext, TracePointContext};
use lanner_collector_abi::{ExecRecord, FileFacts, PrivilegeFacts, kind};

use crate::compat;
use crate::environment;
use crate::files;
use crate::kernel::{Place as _, launder, linux_binprm, mm_struct, task_struct};
use crate::record::{Record, Slot, Tail, header};
use crate::script;
use crate::stdio;
use crate::task;

/// Bytes of arguments that one read takes, and how many reads there are; more are cut.
const ARGS_STEP: u64 = 4095;
const ARGS_STEPS: u64 = 2;

/// No script.
pub const NO_FILE: FileFacts = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };

/// The privilege of threads that are about to exec.
#[map]
static BEFORE_EXEC: LruHashMap<u64, PrivilegeFacts> = LruHashMap::with_max_entries(1024, 0);

/// The entry of execve and execveat.
#[tracepoint]
pub fn exec_enter(_: TracePointContext) -> u32 {
    let privilege = task::privilege(task_struct::current());
    // A least-recently-used map makes room for itself.
    let _ = BEFORE_EXEC.insert(bpf_get_current_pid_tgid(), privilege, 0);
    0
}

/// `sched_process_exec(task, old pid, binprm)`: in the process's own context, with its new memory.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn exec(ctx: BtfTracePointContext) -> i32 {
    let binprm = linux_binprm::at(launder(ctx.arg::<*const u8>(2) as u64));
    let Some(record) = Record::<ExecRecord>::begin(Slot::Hook) else { return 0 };
    let current = task_struct::current();
    record.head.header = header(kind::EXEC, current);
    let head = &mut *record.head;
    // By now that tells of the new image, not of the call.
    head.header.compat = 0;
    head.kernel_thread = 0;
    head.zero = [0; 4];
    head.script = NO_FILE;
    // A thread that is not the leader becomes it on the way.
    let thread = u64::from(current.tgid()) << 32 | u64::from(ctx.arg::<i32>(1) as u32);
    before(thread, head);
    arguments(current.mm(), head, record.tail);
    environment::push(current.mm(), head, record.tail);
    task::describe(current, &mut head.task, record.tail);
    image(current, head, record.tail);
    script::describe(current, thread, binprm, head, record.tail);
    head.header.len = size_of::<ExecRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

/// Executable, working directory and standard descriptors, which can be read of any process.
#[inline(always)]
pub fn image(of: task_struct, head: &mut ExecRecord, tail: Tail) {
    head.compat = u8::from(compat::is_compat(of));
    let exe = of.mm().exe_file();
    files::identify(exe.f_inode(), &mut head.exe);
    files::locate(exe.f_inode(), exe.f_path(), &mut head.exe, tail);
    let pwd = of.fs().pwd();
    files::identify(pwd.dentry().inode(), &mut head.cwd);
    files::locate(pwd.dentry().inode(), pwd, &mut head.cwd, tail);
    stdio::describe(of, &mut head.stdio);
}

/// What was noted at the entry, by the thread that called.
#[inline(always)]
fn before(thread: u64, head: &mut ExecRecord) {
    head.before_known = 0;
    head.before = PrivilegeFacts { cap_effective: 0, cap_permitted: 0, euid: 0, egid: 0 };
    if let Some(noted) = BEFORE_EXEC.get_ptr(thread) {
        // SAFETY: the map's own element; no other thread has this key.
        head.before = unsafe { *noted };
        head.before_known = 1;
        // Gone already when the map made room meanwhile.
        let _ = BEFORE_EXEC.remove(thread);
    }
}

#[inline(always)]
fn arguments(mm: mm_struct, head: &mut ExecRecord, tail: Tail) {
    let start = mm.arg_start();
    let there = mm.arg_end().wrapping_sub(start);
    let mut failed = false;
    for step in 0..ARGS_STEPS {
        let done = step * ARGS_STEP;
        if done >= there {
            break;
        }
        let left = there - done;
        if !tail.push_user(start + done, if left > ARGS_STEP { ARGS_STEP } else { left } as u32) {
            failed = true;
            break;
        }
    }
    let read = tail.used();
    head.args_len = read as u16;
    head.args_cut = u8::from(u64::from(read) < there);
    head.args_unknown = u8::from(failed && read == 0);
}
