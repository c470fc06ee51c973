//! Containers, as the control groups of their processes tell.

use super::Ask;
use crate::event::{BootTime, ContainerId, ContainerInfo, FileId, Namespaces, ProcessKey, Text};

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// The pod's uid, when the control group names one (dashes removed).
    pub pod: Option<String>,
    /// The pod is one that the kubelet made from a file: its uid is a hash and not a UUID, or the runtime says so.
    pub static_pod: bool,
    /// The first program that ran in it; until one is seen, its first process.
    pub root: ProcessKey,
    /// The exec (`header.seq`) that began [`Container::root`]; `None` while none was seen.
    pub began: Option<u64>,
    /// The process outside that started it: its runtime's shim.
    pub runtime: Option<ProcessKey>,
    /// The namespaces of its runtime, which are "the host's" for it.
    pub host: Option<Namespaces>,
    /// The root directory of its runtime; `None` where that is not known.
    pub host_root: Option<FileId>,
    /// When it was first seen.
    pub since: BootTime,
    /// Why it was started, as far as files tell.
    pub cause: Option<Cause>,
    /// Who asked its runtime shortly before, when no file tells.
    pub asked: Option<Ask>,
    /// The mount namespace that it is known to be at home in; 0 while none is.
    pub(super) home: u32,
}

impl Container {
    /// Whether these are the mount namespace of its runtime still: a process on its way in, or one that broke out.
    pub(super) fn is_on_host(&self, namespaces: &Namespaces) -> bool {
        self.host.is_some_and(|host| host.mnt != 0 && host.mnt == namespaces.mnt)
    }

    /// Takes in what those who run it tell.
    pub(super) fn learn(&mut self, info: &ContainerInfo) {
        let Some(pod) = &info.pod else { return };
        self.static_pod |= matches!(pod.source.as_bytes(), b"file" | b"http");
        if self.pod.is_none() && !pod.uid.is_empty() {
            self.pod = Some(pod.uid.to_str_lossy().chars().filter(char::is_ascii_alphanumeric).collect());
        }
    }
}

/// A file that made an orchestrator start a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The file.
    pub path: Text,
    /// Who wrote it.
    pub writer: ProcessKey,
    /// Who read it, and started the container.
    pub reader: ProcessKey,
    /// The latest write before it was read (`header.seq`).
    pub written: u64,
    /// The read (`header.seq`).
    pub read: u64,
    /// When it was read.
    pub read_at: BootTime,
}

/// The pod's uid in a control group's path, dashes removed, and whether it is a static pod's. The kubelet names a pod's
/// group `pod<uid>` (cgroupfs driver) or `kubepods-...-pod<uid with underscores>.slice` (systemd driver). A uid from the
/// API server is a UUID; that of a pod read from a file is the MD5 of its manifest, 32 hex digits without dashes.
pub(super) fn pod_of(cgroup: &[u8]) -> Option<(String, bool)> {
    cgroup.split(|b| *b == b'/').rev().find_map(|component| {
        let component = std::str::from_utf8(component).ok()?;
        let uid = match component.strip_suffix(".slice") {
            Some(slice) => slice.starts_with("kubepods").then(|| slice.rsplit_once("-pod")).flatten()?.1,
            None => component.strip_prefix("pod")?,
        };
        let digits: String = uid.chars().filter(char::is_ascii_hexdigit).collect();
        let separators = uid.chars().filter(|c| matches!(c, '-' | '_')).count();
        let is_uid = digits.len() == 32 && digits.len() + separators == uid.len() && matches!(separators, 0 | 4);
        is_uid.then_some((digits, separators == 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_uid_is_read_from_its_control_group() {
        let hash = "0123456789abcdef0123456789abcdef";
        let dashed = "01234567-89ab-cdef-0123-456789abcdef";
        let underscored = dashed.replace('-', "_");
        for (path, expected) in [
            (format!("/kubepods/besteffort/pod{dashed}/abc"), Some(false)),
            (format!("/kubepods/besteffort/pod{hash}/abc"), Some(true)),
            (
                format!("/kubepods.slice/kubepods-besteffort-pod{underscored}.slice/cri-containerd-abc.scope"),
                Some(false),
            ),
            (format!("/kubepods.slice/kubepods-burstable-pod{hash}.slice/crio-abc.scope"), Some(true)),
            ("/docker/abc".to_owned(), None),
            ("/podman".to_owned(), None),
            ("/poddeadbeef/abc".to_owned(), None),
            ("/user.slice/app-pod1.slice".to_owned(), None),
        ] {
            let found = pod_of(path.as_bytes());
            assert_eq!(found.as_ref().map(|(_, is_static)| *is_static), expected, "{path}");
            assert!(found.is_none_or(|(uid, _)| uid == hash), "{path}");
        }
    }
}
