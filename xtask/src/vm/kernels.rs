//! The kernels, and where they come from. Each is Debian's own build for clouds, pinned by what it hashes to, fetched by
//! apt through the mirror that this machine uses, and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::run;

/// A row of [`KERNELS`].
pub(super) struct Kernel {
    /// As `--kernel` takes it: the series.
    pub(super) name: &'static str,
    /// Whether it must allow every hook of the full layer.
    pub(super) full: bool,
    archive: Archive,
    /// The packages in the archive's pool that hold the kernel and its modules, with their SHA-256.
    packages: &'static [(&'static str, &'static str)],
}

/// A kernel and what belongs to it, ready to boot.
pub(super) struct Bootable {
    pub(super) image: PathBuf,
    /// Modules, in the order in which they can be loaded.
    pub(super) modules: Vec<PathBuf>,
}

/// Modules that tests need and none of the kernels has built in: none of them needs another.
const MODULES: [&str; 2] = ["overlay", "veth"];

/// One of Debian's archives.
#[derive(Clone, Copy)]
enum Archive {
    Main,
    Security,
}

impl Archive {
    /// How apt labels it.
    fn label(self) -> &'static str {
        match self {
            Archive::Main => "Debian",
            Archive::Security => "Debian-Security",
        }
    }
}

/// To renew a row: `apt-cache show` in the suite named beside it gives `Filename` and `SHA256` of the newest package. Since
/// 6.19, `linux-binary-*` holds the kernel and `linux-modules-*` its modules.
pub(super) const KERNELS: &[Kernel] = &[
    // bullseye-security: the oldest that the sensor promises to run on.
    Kernel {
        name: "5.10",
        full: false,
        archive: Archive::Security,
        packages: &[(
            "pool/updates/main/l/linux-signed-amd64/linux-image-5.10.0-46-cloud-amd64_5.10.262-1_amd64.deb",
            "18d94781d1b3052e21967ac2262239e5f14fbf511d6c3e110629d7aa35340760",
        )],
    },
    // bookworm-security
    Kernel {
        name: "6.1",
        full: true,
        archive: Archive::Security,
        packages: &[(
            "pool/updates/main/l/linux-signed-amd64/linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb",
            "e7d02b943971edcb8790e256c02cfab3bca6c3d37c1bf25392a57c71300615ee",
        )],
    },
    // trixie
    Kernel {
        name: "6.12",
        full: true,
        archive: Archive::Main,
        packages: &[(
            "pool/main/l/linux-signed-amd64/linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb",
            "e9893e5295d0549b8852611f12a4b8b5f6cc4b8128dcc2086b9847793b904ab7",
        )],
    },
    // trixie-backports
    Kernel {
        name: "6.18",
        full: true,
        archive: Archive::Main,
        packages: &[(
            "pool/main/l/linux-signed-amd64/linux-image-6.18.15+deb13-cloud-amd64_6.18.15-1~bpo13+1_amd64.deb",
            "5a507681ea8c978d02265a7fec2f02c9588fb48b54b7f71edc1059e86007f3ec",
        )],
    },
    // trixie-backports
    Kernel {
        name: "7.3",
        full: true,
        archive: Archive::Main,
        packages: &[
            (
                "pool/main/l/linux-signed-amd64/linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
                "c4fbc8e404958693b28825474c20742d70594d65ca58aea7be6a279c81eb6fa0",
            ),
            (
                "pool/main/l/linux/linux-modules-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
                "359f04c363b7d3c5f9ce999ccb7351e00cc8eec0a30d6bc1cda37734987fc43d",
            ),
        ],
    },
];

impl Kernel {
    /// The row of that name.
    pub(super) fn named(name: &str) -> anyhow::Result<&'static Kernel> {
        let names = || KERNELS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
        KERNELS.iter().find(|k| k.name == name).with_context(|| format!("no kernel {name}: there are {}", names()))
    }

    /// The kernel, from `cache` or, the first time, from the archive.
    pub(super) fn bootable(&self, cache: &Path) -> anyhow::Result<Bootable> {
        let kept = cache.join(format!("{}-{}", self.name, &self.packages[0].1[..12]));
        let in_it = || Bootable {
            image: kept.join("vmlinuz"),
            modules: MODULES.iter().map(|name| kept.join(format!("{name}.ko"))).collect(),
        };
        let is_whole = |b: &Bootable| b.image.exists() && b.modules.iter().all(|module| module.exists());
        if is_whole(&in_it()) {
            return Ok(in_it());
        }
        // Made whole beside it, for a run that is interrupted must not leave half a kernel behind.
        let new = cache.join(format!("{}.new-{}", self.name, std::process::id()));
        fs::create_dir_all(&new).with_context(|| new.display().to_string())?;
        let fetched = self.fetch(&new);
        let _ = fs::remove_dir_all(&kept);
        let made = fetched.and_then(|()| Ok(fs::rename(&new, &kept)?));
        let _ = fs::remove_dir_all(&new);
        // Another run may have been quicker.
        if !is_whole(&in_it()) {
            made?;
        }
        Ok(in_it())
    }

    fn fetch(&self, into: &Path) -> anyhow::Result<()> {
        let (deb, unpacked) = (into.join("package.deb"), into.join("unpacked"));
        for (package, sha256) in self.packages {
            let url = format!("{}/{package}", site(self.archive)?);
            run(Command::new("/usr/lib/apt/apt-helper")
                .args(["-qq", "-o", "APT::Sandbox::User=root", "download-file", &url])
                .arg(&deb)
                .arg(format!("SHA256:{sha256}")))
            .with_context(|| {
                format!(
                    "no kernel {}: if the archive has dropped it, pin a newer one in xtask/src/vm/kernels.rs",
                    self.name
                )
            })?;
            run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&unpacked))?;
            fs::remove_file(&deb)?;
        }
        fs::rename(find(&unpacked, "vmlinuz")?, into.join("vmlinuz"))?;
        for name in MODULES {
            let (module, plain) = (find(&unpacked, &format!("{name}.ko"))?, into.join(format!("{name}.ko")));
            if module.extension().is_some_and(|kind| kind == "xz") {
                run(Command::new("xz").arg("-dc").arg(&module).stdout(fs::File::create(plain)?))?;
            } else {
                fs::rename(module, plain)?;
            }
        }
        Ok(fs::remove_dir_all(unpacked)?)
    }
}

/// Where this machine fetches from that archive.
fn site(archive: Archive) -> anyhow::Result<String> {
    let label = format!("Label: {}", archive.label());
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", "$(SITE)", "Identifier: Packages", &label])
        .output()
        .context("apt-get does not start: kernels are Debian's")?;
    let list = String::from_utf8(targets.stdout)?;
    match list.lines().next() {
        Some(site) => Ok(site.to_owned()),
        None => bail!("apt knows no archive with `{label}`: run `apt-get update`, on a Debian machine"),
    }
}

/// The file in an unpacked package whose name begins so. Where it lies has changed more than once.
fn find(unpacked: &Path, begins: &str) -> anyhow::Result<PathBuf> {
    let mut folders = vec![unpacked.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with(begins) {
                return Ok(entry.path());
            }
        }
    }
    bail!("the packages hold no {begins}")
}

/// Where kernels are kept: `lanner-vm` in the user's cache directory.
pub(super) fn cache() -> anyhow::Result<PathBuf> {
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME says where to keep kernels"),
    };
    ensure!(cache.is_absolute(), "{} is no absolute path", cache.display());
    Ok(cache.join("lanner-vm"))
}

#[cfg(test)]
mod tests {
    use super::KERNELS;

    #[test]
    fn every_row_names_a_package_of_its_series_and_its_hash() {
        for kernel in KERNELS {
            for (package, sha256) in kernel.packages {
                assert!(package.contains(&format!("-{}.", kernel.name)), "{package}");
                assert!(package.contains("-cloud-amd64_") && package.ends_with(".deb"), "{package}");
                assert!(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()), "{package}");
            }
        }
    }
}
