use std::io;

use lanner_core::event::Payload;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "clone3",
    idea: "a process made by a newer call than the sensor may know (clone3), in namespaces of its own",
    shows: "the fork, with the child's namespaces",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
    let flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWPID) as u64;
    let arguments = [flags, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
    match sys::call(libc::SYS_clone3, &[arguments.as_ptr() as usize, size_of_val(&arguments)])? {
        0 => std::process::exit(0),
        child => sys::wait(child as i32),
    }
}

fn seen(scene: &Scene) -> Result<(), String> {
    let own =
        |p: &Payload| matches!(p, Payload::Fork(fork) if fork.task.ns_pid == 1 && fork.task.context.pid_namespaces.len() >= 2);
    scene.tells("a fork into another pid namespace", own)
}
