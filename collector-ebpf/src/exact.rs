//! The full layer of calls that take names: while such a call runs, the kernel asks its security modules about the very
//! objects that it is about to change. They are kept until the call's exit, which then needs no walk: no thread can have
//! changed a string, and no link is too long to follow.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{fentry, map};
use aya_ebpf::maps::{LruHashMap, PerCpuArray};
use aya_ebpf::programs::FEntryContext;

use crate::call;
use crate::kernel::{Place as _, dentry, file, launder, mount, path, vfsmount};
use crate::path::{Spot, mount_of};

/// A name as the kernel has it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Exact {
    /// Zero: nothing is known.
    pub mount: u64,
    pub dentry: u64,
    /// 1: the dentry is the directory, and `name` is or was in it.
    pub absent: u64,
    pub name: [u8; 256],
}

/// What a call's two names are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Both {
    pub first: Exact,
    pub second: Exact,
}

/// By thread. Written within a call and read at its exit; the next call begins with none.
#[map]
static EXACT: LruHashMap<u64, Both> = LruHashMap::with_max_entries(1024, 0);

/// Too much for the stack.
#[map]
static DRAFT: PerCpuArray<Both> = PerCpuArray::with_max_entries(1, 0);

/// `enum kernel_read_file_id` (include/linux/kernel_read_file.h).
const READING_MODULE: u32 = 2;
const READING_KEXEC_IMAGE: u32 = 3;
const READING_KEXEC_INITRAMFS: u32 = 4;

/// What is known of the call that this thread is in.
#[inline(always)]
pub fn of_call() -> Option<&'static Both> {
    // SAFETY: the map's own element; it is this thread's until it begins another call.
    EXACT.get_ptr(bpf_get_current_pid_tgid()).map(|both| unsafe { &*both })
}

/// Nothing is known of a call that begins.
#[inline(always)]
pub fn forget() {
    let _ = EXACT.remove(bpf_get_current_pid_tgid());
}

impl Exact {
    /// The object itself; `None`: nothing is known.
    #[inline(always)]
    pub fn spot(&self) -> Option<Spot> {
        (self.mount != 0).then_some(Spot { mount: mount::at(self.mount), dentry: dentry::at(self.dentry) })
    }
}

#[inline(always)]
fn keep(first: Option<(Spot, Option<dentry>)>, second: Option<(Spot, Option<dentry>)>) {
    let Some(draft) = DRAFT.get_ptr_mut(0) else { return };
    // SAFETY: the map's own element; programs on a CPU do not nest in process context.
    let draft = unsafe { &mut *draft };
    fill(&mut draft.first, first);
    fill(&mut draft.second, second);
    // A least-recently-used map makes room for itself.
    let _ = EXACT.insert(bpf_get_current_pid_tgid(), &*draft, 0);
}

#[inline(always)]
fn fill(exact: &mut Exact, from: Option<(Spot, Option<dentry>)>) {
    exact.mount = 0;
    exact.dentry = 0;
    exact.absent = 0;
    let Some((spot, name)) = from else { return };
    exact.mount = spot.mount.address;
    exact.dentry = spot.dentry.address;
    if let Some(name) = name {
        exact.absent = 1;
        // SAFETY: 256 bytes are there; the kernel checks the source.
        unsafe {
            generated::bpf_probe_read_kernel_str(exact.name.as_mut_ptr().cast(), 256, name.name().address as *const _)
        };
    }
}

#[inline(always)]
fn spot(ctx: &FEntryContext, n: usize) -> Spot {
    Spot::of(path::at(launder(ctx.arg::<*const u8>(n) as u64)))
}

#[inline(always)]
fn entry(ctx: &FEntryContext, n: usize) -> dentry {
    dentry::at(launder(ctx.arg::<*const u8>(n) as u64))
}

/// `security_path_rename(old directory, old entry, new directory, new entry)`.
#[fentry(function = "security_path_rename")]
pub fn exact_rename(ctx: FEntryContext) -> i32 {
    let (from, to) = (spot(&ctx, 0), spot(&ctx, 2));
    let (old, new) = (entry(&ctx, 1), entry(&ctx, 3));
    call::found_before(old.inode());
    // Of two names of one file the kernel changes neither: the walk shows that.
    if old.inode().address != new.inode().address {
        let first = if call::exchanges() { (Spot { mount: from.mount, dentry: new }, None) } else { (from, Some(old)) };
        keep(Some(first), Some((Spot { mount: to.mount, dentry: old }, None)));
    }
    0
}

/// `security_path_link(old entry, new directory, new entry)`.
#[fentry(function = "security_path_link")]
pub fn exact_link(ctx: FEntryContext) -> i32 {
    keep(None, Some((Spot { mount: spot(&ctx, 1).mount, dentry: entry(&ctx, 2) }, None)));
    0
}

/// `security_path_symlink(directory, entry)`.
#[fentry(function = "security_path_symlink")]
pub fn exact_symlink(ctx: FEntryContext) -> i32 {
    keep(None, Some((Spot { mount: spot(&ctx, 0).mount, dentry: entry(&ctx, 1) }, None)));
    0
}

/// `security_path_unlink(directory, entry)`.
#[fentry(function = "security_path_unlink")]
pub fn exact_unlink(ctx: FEntryContext) -> i32 {
    removed(&ctx)
}

/// `security_path_rmdir(directory, entry)`.
#[fentry(function = "security_path_rmdir")]
pub fn exact_rmdir(ctx: FEntryContext) -> i32 {
    removed(&ctx)
}

/// `security_path_mkdir(directory, entry)`.
#[fentry(function = "security_path_mkdir")]
pub fn exact_mkdir(ctx: FEntryContext) -> i32 {
    made(&ctx)
}

/// `security_path_mknod(directory, entry)`.
#[fentry(function = "security_path_mknod")]
pub fn exact_mknod(ctx: FEntryContext) -> i32 {
    made(&ctx)
}

/// `security_path_chmod(path)`.
#[fentry(function = "security_path_chmod")]
pub fn exact_mode(ctx: FEntryContext) -> i32 {
    changed(&ctx)
}

/// `security_path_chown(path)`.
#[fentry(function = "security_path_chown")]
pub fn exact_owner(ctx: FEntryContext) -> i32 {
    changed(&ctx)
}

/// `security_path_truncate(path)`.
#[fentry(function = "security_path_truncate")]
pub fn exact_size(ctx: FEntryContext) -> i32 {
    changed(&ctx)
}

/// `security_sb_mount(source, place, type, flags, data)`.
#[fentry(function = "security_sb_mount")]
pub fn exact_mount(ctx: FEntryContext) -> i32 {
    keep(None, Some((spot(&ctx, 1), None)));
    0
}

/// `security_move_mount(from, to)`.
#[fentry(function = "security_move_mount")]
pub fn exact_move(ctx: FEntryContext) -> i32 {
    keep(Some((spot(&ctx, 0), None)), Some((spot(&ctx, 1), None)));
    0
}

/// `security_sb_umount(mount, flags)`: what lies beneath, and its own root.
#[fentry(function = "security_sb_umount")]
pub fn exact_umount(ctx: FEntryContext) -> i32 {
    let mount = mount_of(vfsmount::at(launder(ctx.arg::<*const u8>(0) as u64)));
    let beneath = Spot { mount: mount.parent(), dentry: mount.mountpoint() };
    keep(Some((beneath, None)), Some((Spot { mount, dentry: mount.vfs().root() }, None)));
    0
}

/// `security_kernel_read_file(file, what for, whole)`.
#[fentry(function = "security_kernel_read_file")]
pub fn exact_code(ctx: FEntryContext) -> i32 {
    let file = file::at(launder(ctx.arg::<*const u8>(0) as u64));
    let at = Some((Spot::of(file.f_path()), None));
    match ctx.arg::<u32>(1) {
        READING_MODULE | READING_KEXEC_IMAGE => keep(at, None),
        READING_KEXEC_INITRAMFS => {
            if let Some(both) = EXACT.get_ptr_mut(bpf_get_current_pid_tgid()) {
                // SAFETY: the map's own element; no other thread has this key.
                fill(unsafe { &mut (*both).second }, at);
            }
        }
        _ => {}
    }
    0
}

#[inline(always)]
fn removed(ctx: &FEntryContext) -> i32 {
    let gone = entry(ctx, 1);
    call::found_before(gone.inode());
    keep(Some((spot(ctx, 0), Some(gone))), None);
    0
}

#[inline(always)]
fn made(ctx: &FEntryContext) -> i32 {
    keep(Some((Spot { mount: spot(ctx, 0).mount, dentry: entry(ctx, 1) }, None)), None);
    0
}

#[inline(always)]
fn changed(ctx: &FEntryContext) -> i32 {
    let at = spot(ctx, 0);
    call::found_before(at.dentry.inode());
    keep(Some((at, None)), None);
    0
}
