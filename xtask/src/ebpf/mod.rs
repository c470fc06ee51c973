//! `cargo xtask ebpf`: builds the in-kernel programs, which are committed ready-made, for they need another compiler.
//!
//! - `toolchain`: finds that compiler, or makes one.
//! - `build`: runs it so that the result depends on nothing but the sources and the compiler.
//! - `strip`: leaves of the object what the loader needs.
//! - `stamp`: records what the object was made of.

mod build;
mod stamp;
mod strip;
mod toolchain;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use stamp::Stamp;
use toolchain::Toolchain;

/// Build the in-kernel programs into collector-ebpf/prebuilt
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build, and compare with what is committed instead of replacing it
    #[arg(long)]
    check: bool,
    /// Where a compiler that has to be made is kept [default: lanner-ebpf in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let root = root();
    let committed = root.join("collector-ebpf/prebuilt/lanner.bpf.o");
    let record = root.join("collector-ebpf/prebuilt/lanner.bpf.txt");
    let toolchain = Toolchain::find(options.prefix.as_deref())?;
    let object = build::build(&root, &toolchain)?;
    let stamp = Stamp { compiler: toolchain.compiler()?, linker: toolchain.linker()?, sources: stamp::sources(&root)? };
    if options.check {
        return check(&committed, &record, &object, &stamp);
    }
    std::fs::create_dir_all(root.join("collector-ebpf/prebuilt"))?;
    std::fs::write(&committed, &object).with_context(|| committed.display().to_string())?;
    std::fs::write(&record, stamp.to_string()).with_context(|| record.display().to_string())?;
    eprintln(&format!("{} bytes, by {} and {}", object.len(), stamp.compiler, stamp.linker));
    Ok(())
}

fn check(committed: &Path, record: &Path, object: &[u8], stamp: &Stamp) -> anyhow::Result<()> {
    let recorded: Stamp = std::fs::read_to_string(record).with_context(|| record.display().to_string())?.parse()?;
    ensure!(
        recorded.sources == stamp.sources,
        "the committed object is older than its sources: run `cargo xtask ebpf`"
    );
    if (&recorded.compiler, &recorded.linker) != (&stamp.compiler, &stamp.linker) {
        let fresh = std::env::temp_dir().join("lanner.bpf.o");
        std::fs::write(&fresh, object)?;
        eprintln(&format!(
            "not compared: the committed object was made by {} and {}, this one by {} and {}.\nRun the sensor's tests \
             against it: LANNER_EBPF_OBJECT={} cargo test -p lanner-collector",
            recorded.compiler,
            recorded.linker,
            stamp.compiler,
            stamp.linker,
            fresh.display()
        ));
        return Ok(());
    }
    if std::fs::read(committed)? != object {
        bail!(
            "the same compiler makes another object of the same sources: {} was not built from them",
            committed.display()
        );
    }
    eprintln("the committed object is what its sources make");
    Ok(())
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

#[allow(clippy::print_stderr)]
fn eprintln(message: &str) {
    eprintln!("{message}");
}
