use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "inner_pids",
    idea: "processes in pid namespaces of their own, two deep",
    shows: "each process, with the machine's pid and its own",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let program = dir.path().join("nested");
    sys::program(&program)?;
    let deeper = || sys::call(libc::SYS_unshare, &[libc::CLONE_NEWPID as usize]).map(drop);
    sys::apart(|| {
        deeper()?;
        sys::apart(|| {
            deeper()?;
            sys::apart(|| Err(sys::exec(&program, &["nested"], &[])))
        })
    })
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("nested, as pid 1 of the inner of three pid namespaces", |e| {
        e.image.exe.path.file_name() == b"nested" && e.task.ns_pid == 1 && e.task.context.pid_namespaces.len() >= 3
    })
}
