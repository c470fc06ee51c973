//! Which file a script is. The kernel opens what exec names, finds that another program is to run it, opens that one, and
//! lets the first go; but a file that a thread lets go is only put aside, to be closed on the way back to user space. When
//! `sched_process_exec` tells of the new image, every script on the way to it still lies there, with its name and its inode.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{fentry, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::FEntryContext;
use lanner_collector_abi::{ExecRecord, FileFlags};

use crate::files::{self, S_IFMT, S_IFREG};
use crate::kernel::{Place as _, callback_head, file, launder, linux_binprm, task_struct};
use crate::path::{self, Spot};
use crate::record::{Tail, bounded};

/// What is put aside and looked at. More can lie there when many descriptors are closed by the exec.
const STEPS: u32 = 512;
/// `file.f_flags` (include/linux/fs.h): opened by exec, to be run.
const FMODE_EXEC: u32 = 0x20;

/// Full layer: the files that exec was given, by thread. Addresses, good until the exec ends.
#[map]
static GIVEN: LruHashMap<u64, u64> = LruHashMap::with_max_entries(1024, 0);

/// `security_bprm_check(binprm)`: asked of what exec names, then of each program that is to run what came before.
#[fentry(function = "security_bprm_check")]
pub fn script_check(ctx: FEntryContext) -> i32 {
    let binprm = linux_binprm::at(launder(ctx.arg::<*const u8>(0) as u64));
    if binprm.filename() == binprm.interp() {
        // A least-recently-used map makes room for itself.
        let _ = GIVEN.insert(bpf_get_current_pid_tgid(), binprm.file().address, 0);
    }
    0
}

/// Fills in the script, if there is one: then the program loaded (`interp`) is another than the one named (`filename`).
/// `thread` is the one that called exec.
#[inline(always)]
pub fn describe(current: task_struct, thread: u64, binprm: linux_binprm, head: &mut ExecRecord, tail: Tail) {
    // SAFETY: the map's own element; no other thread has this key.
    let given = GIVEN.get_ptr(thread).map_or(0, |given| unsafe { *given });
    if given != 0 {
        let _ = GIVEN.remove(thread);
    }
    head.is_script = u16::from(binprm.filename() != binprm.interp());
    if head.is_script == 0 {
        return;
    }
    let mut script = file::at(given);
    if !is_run(script) {
        script = match binprm.execfd() {
            0 => file::at(first_put_aside(current.works().address)),
            // The interpreter is handed the script open.
            fd => files::by_fd(current, fd),
        };
    }
    if is_run(script) {
        files::identify(script.f_inode(), &mut head.script);
        files::locate(script.f_inode(), script.f_path(), &mut head.script, tail);
    } else {
        as_passed(current, binprm.filename(), head, tail);
    }
}

/// The first of the files to run that was put aside since the thread entered the kernel: new ones are put before old ones.
/// 0: there is none, or more lies there than is looked at.
#[inline(never)]
fn first_put_aside(newest: u64) -> u64 {
    let offset = file::at(0).work().address;
    let mut work = newest;
    let mut first = 0;
    for _ in 0..STEPS {
        if work == 0 {
            return first;
        }
        let put_aside = work.wrapping_sub(offset);
        if is_run(file::at(put_aside)) {
            first = put_aside;
        }
        work = callback_head::at(work).next().address;
    }
    0
}

/// Whether a regular file that exec opened lies there. What lies there may be no file at all.
#[inline(always)]
fn is_run(file: file) -> bool {
    let inode = file.f_inode();
    file.f_flags() & FMODE_EXEC != 0
        && !inode.is_null()
        && inode.address == file.f_path().dentry().inode().address
        && inode.mode() & S_IFMT == S_IFREG
}

/// The name as it was passed, behind the working directory if it does not begin with a slash.
#[inline(always)]
fn as_passed(current: task_struct, name: u64, head: &mut ExecRecord, tail: Tail) {
    let start = tail.used();
    tail.push_long_str(name);
    let mut flags = FileFlags::AS_PASSED;
    if crate::kernel::probe::<u8>(name) != b'/' {
        flags |= path::push(tail, &Spot::of(current.fs().pwd())) as u16;
    }
    head.script.flags = flags;
    head.script.path_len = bounded::<0xffff>(tail.used().wrapping_sub(start)) as u16;
}
