//! `cargo xtask proto`: the wire format's Rust code, generated without `protoc` and committed, so that building Lanner
//! needs no generator.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

/// What `cargo xtask proto` does.
#[derive(Args)]
pub(crate) struct Options {
    /// Only check that the committed code is what would be generated.
    #[arg(long)]
    check: bool,
}

const GENERATED: &str = "lanner.v1.rs";

/// Generates the code, or checks it.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let fresh = generate()?;
    let path = generated();
    if options.check {
        return check(&path, &fresh);
    }
    fs::write(&path, fresh).with_context(|| format!("cannot write {}", path.display()))
}

fn check(path: &Path, fresh: &str) -> anyhow::Result<()> {
    let committed = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if committed != fresh {
        bail!("{} is not what proto/proto says; run `cargo xtask proto` and commit the result", path.display());
    }
    Ok(())
}

fn crate_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}

fn generated() -> PathBuf {
    crate_dir().join("src/generated").join(GENERATED)
}

/// Every .proto file, as others name it in an import.
fn sources() -> anyhow::Result<Vec<String>> {
    let folder = crate_dir().join("proto/lanner/v1");
    let list = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let names: Result<Vec<_>, _> = list.map(|entry| entry.map(|e| e.file_name())).collect();
    let mut names: Vec<String> = names?.iter().map(|name| format!("lanner/v1/{}", name.display())).collect();
    names.sort();
    Ok(names)
}

fn generate() -> anyhow::Result<String> {
    let descriptors = protox::compile(sources()?, [crate_dir().join("proto")])?;
    let out = tempdir()?;
    let result = tonic_prost_build::configure()
        .client_mod_attribute("lanner.v1", "#[cfg(feature = \"client\")]")
        .server_mod_attribute("lanner.v1", "#[cfg(feature = \"server\")]")
        // An event costs little memory whatever its family: a hostile message can hold very many.
        .boxed(".lanner.v1.Event.payload.exec")
        .boxed(".lanner.v1.Event.payload.alive")
        .boxed(".lanner.v1.Event.payload.fork")
        .boxed(".lanner.v1.Event.payload.open")
        .boxed(".lanner.v1.Event.payload.connect")
        .boxed(".lanner.v1.Event.payload.accept")
        .boxed(".lanner.v1.Event.payload.close")
        .boxed(".lanner.v1.Event.payload.rename")
        .boxed(".lanner.v1.Event.payload.link")
        .boxed(".lanner.v1.Event.payload.unlink")
        .boxed(".lanner.v1.Event.payload.make")
        .boxed(".lanner.v1.Event.payload.attribute")
        .boxed(".lanner.v1.Event.payload.traffic")
        .boxed(".lanner.v1.Event.payload.unix")
        .boxed(".lanner.v1.Event.payload.bind")
        .boxed(".lanner.v1.Event.payload.udp")
        .boxed(".lanner.v1.Event.payload.dns")
        .boxed(".lanner.v1.Event.payload.credentials")
        .boxed(".lanner.v1.Event.payload.root")
        .boxed(".lanner.v1.Event.payload.mount")
        .boxed(".lanner.v1.Event.payload.trace")
        .boxed(".lanner.v1.Event.payload.kernel")
        .boxed(".lanner.v1.Event.payload.bpf")
        .boxed(".lanner.v1.Event.payload.stdio")
        .boxed(".lanner.v1.Event.payload.container")
        .out_dir(&out)
        .compile_fds(descriptors)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(fs::read_to_string(out.join(GENERATED))?));
    fs::remove_dir_all(&out)?;
    result
}

/// The generator writes files only.
fn tempdir() -> anyhow::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("lanner-proto-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_code_is_what_the_proto_files_say() {
        let fresh = super::generate().expect("proto/proto compiles");
        super::check(&super::generated(), &fresh).unwrap();
    }
}
