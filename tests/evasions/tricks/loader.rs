use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "loader",
    idea: "a program that the kernel does not run: the loader does (`ld.so PROGRAM`)",
    shows: "the loader, with the program as its argument",
    perform,
    seen,
    cannot: || loader().is_none().then(|| "there is no dynamic loader".to_owned()),
    ..Trick::PLAIN
};

/// Where the processor's calling convention puts it.
fn loader() -> Option<&'static str> {
    ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|l| std::path::Path::new(l).exists())
}

fn perform() -> io::Result<()> {
    let loader = loader().ok_or_else(|| io::Error::other("it was there before"))?;
    sys::apart(|| Err(sys::exec(loader, &["ld.so", "/bin/true"], &[])))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.ran("the loader, with /bin/true", |e| {
        e.image.exe.path.file_name().starts_with(b"ld-") && e.image.args.list.iter().any(|a| *a == "/bin/true")
    })
}
