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
    /// The package in the archive's pool.
    package: &'static str,
    sha256: &'static str,
}

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
/// 6.19, `linux-binary-*` holds the kernel.
pub(super) const KERNELS: &[Kernel] = &[
    // bullseye-security: the oldest that the sensor promises to run on.
    Kernel {
        name: "5.10",
        full: false,
        archive: Archive::Security,
        package: "pool/updates/main/l/linux-signed-amd64/linux-image-5.10.0-46-cloud-amd64_5.10.262-1_amd64.deb",
        sha256: "18d94781d1b3052e21967ac2262239e5f14fbf511d6c3e110629d7aa35340760",
    },
    // bookworm-security
    Kernel {
        name: "6.1",
        full: true,
        archive: Archive::Security,
        package: "pool/updates/main/l/linux-signed-amd64/linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb",
        sha256: "e7d02b943971edcb8790e256c02cfab3bca6c3d37c1bf25392a57c71300615ee",
    },
    // trixie
    Kernel {
        name: "6.12",
        full: true,
        archive: Archive::Main,
        package: "pool/main/l/linux-signed-amd64/linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb",
        sha256: "e9893e5295d0549b8852611f12a4b8b5f6cc4b8128dcc2086b9847793b904ab7",
    },
    // trixie-backports
    Kernel {
        name: "6.18",
        full: true,
        archive: Archive::Main,
        package: "pool/main/l/linux-signed-amd64/linux-image-6.18.15+deb13-cloud-amd64_6.18.15-1~bpo13+1_amd64.deb",
        sha256: "5a507681ea8c978d02265a7fec2f02c9588fb48b54b7f71edc1059e86007f3ec",
    },
    // trixie-backports
    Kernel {
        name: "7.3",
        full: true,
        archive: Archive::Main,
        package: "pool/main/l/linux-signed-amd64/linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
        sha256: "c4fbc8e404958693b28825474c20742d70594d65ca58aea7be6a279c81eb6fa0",
    },
];

impl Kernel {
    /// The row of that name.
    pub(super) fn named(name: &str) -> anyhow::Result<&'static Kernel> {
        let names = || KERNELS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
        KERNELS.iter().find(|k| k.name == name).with_context(|| format!("no kernel {name}: there are {}", names()))
    }

    /// The bootable image, from `cache` or, the first time, from the archive.
    pub(super) fn image(&self, cache: &Path) -> anyhow::Result<PathBuf> {
        let kept = cache.join(format!("{}-{}", self.name, &self.sha256[..12]));
        let image = kept.join("vmlinuz");
        if image.exists() {
            return Ok(image);
        }
        // Made whole beside it, for a run that is interrupted must not leave half a kernel behind.
        let new = cache.join(format!("{}.new-{}", self.name, std::process::id()));
        fs::create_dir_all(&new).with_context(|| new.display().to_string())?;
        let made = self.fetch(&new).and_then(|()| Ok(fs::rename(&new, &kept)?));
        let _ = fs::remove_dir_all(&new);
        // Another run may have been quicker.
        if !image.exists() {
            made?;
        }
        Ok(image)
    }

    fn fetch(&self, into: &Path) -> anyhow::Result<()> {
        let (deb, unpacked) = (into.join("kernel.deb"), into.join("unpacked"));
        let url = format!("{}/{}", site(self.archive)?, self.package);
        run(Command::new("/usr/lib/apt/apt-helper")
            .args(["-qq", "-o", "APT::Sandbox::User=root", "download-file", &url])
            .arg(&deb)
            .arg(format!("SHA256:{}", self.sha256)))
        .with_context(|| {
            format!(
                "no kernel {}: if the archive has dropped it, pin a newer one in xtask/src/vm/kernels.rs",
                self.name
            )
        })?;
        run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&unpacked))?;
        fs::rename(find_image(&unpacked)?, into.join("vmlinuz"))?;
        fs::remove_dir_all(unpacked)?;
        Ok(fs::remove_file(deb)?)
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

/// The image in an unpacked package: `/boot/vmlinuz-*`, or `vmlinuz` below `/usr/lib` since 6.19.
fn find_image(unpacked: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = vec![unpacked.join("boot"), unpacked.join("usr/lib")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with("vmlinuz") {
                return Ok(entry.path());
            }
        }
    }
    bail!("the package holds no kernel")
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
            assert!(kernel.package.contains(&format!("-{}.", kernel.name)), "{}", kernel.package);
            assert!(kernel.package.contains("-cloud-amd64_") && kernel.package.ends_with(".deb"), "{}", kernel.package);
            assert!(kernel.sha256.len() == 64 && kernel.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
