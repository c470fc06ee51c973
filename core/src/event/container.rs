//! Containers, as those who run them tell: names, images, pods.

use super::{ContainerId, Text};

/// The most labels of a container, or of a pod, and the most mounts, that are kept; what is left out is marked.
pub const MAX_LISTED: usize = 64;

/// What is known of a container from others than the kernel. It may come long after the container was first seen, and
/// more than once; the last one holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct ContainerInfo {
    /// The container.
    pub id: ContainerId,
    /// Who told.
    pub told_by: ToldBy,
    /// Why nobody did; empty when somebody did.
    pub why: Text,
    /// The container that is its node, where a node is itself one (kind, k3d).
    pub node: Option<ContainerId>,
    /// The runtime that answered: `containerd`, `cri-o`, `docker`, `podman`.
    pub runtime: Text,
    /// The container's name, in its pod where it has one.
    pub name: Text,
    /// The image it was made from.
    pub image: ImageName,
    /// What it is in its pod.
    pub role: Role,
    /// Its pod.
    pub pod: Option<PodName>,
    /// When it was made: nanoseconds since 1970 (UTC). `None` when unknown.
    pub created: Option<u64>,
    /// Whether it runs with every capability and device. `None` when unknown.
    pub privileged: Option<bool>,
    /// Which namespaces it was given of its host; those that it has of its own are not listed.
    pub host_namespaces: Vec<HostNamespace>,
    /// Files of the host that it was given.
    pub mounts: Vec<HostMount>,
    /// Its own labels.
    pub labels: Vec<Label>,
    /// Some labels or mounts were left out.
    pub cut: bool,
}

/// Who knew a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToldBy {
    /// Nobody who could be asked.
    #[default]
    Nobody,
    /// The runtime, through the interface that the kubelet uses.
    Cri,
    /// The runtime, through an interface of its own.
    Runtime,
    /// Files that the runtime keeps.
    Files,
}

/// A container image's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct ImageName {
    /// As the user named it, such as `docker.io/library/nginx:1.25`; empty when unknown.
    pub reference: Text,
    /// What the registry calls its content, `sha256:...`; empty when unknown.
    pub digest: Text,
    /// What the runtime calls it, mostly `sha256:...` of its configuration; empty when unknown.
    pub id: Text,
}

impl ImageName {
    /// The reference without tag and digest.
    pub fn repository(&self) -> &[u8] {
        let named = self.without_digest();
        match tag_at(named) {
            Some(at) => &named[..at],
            None => named,
        }
    }

    /// The tag, when the reference has one.
    pub fn tag(&self) -> Option<&[u8]> {
        let named = self.without_digest();
        tag_at(named).map(|at| &named[at + 1..])
    }

    /// The reference up to `@`; nothing where it is but an image's id.
    fn without_digest(&self) -> &[u8] {
        let reference = self.reference.as_bytes();
        if reference.starts_with(b"sha256:") {
            return b"";
        }
        reference.split(|b| *b == b'@').next().unwrap_or(reference)
    }
}

/// Where a reference's tag begins: at a colon behind the last slash, for one before it belongs to the registry's port.
fn tag_at(reference: &[u8]) -> Option<usize> {
    let colon = reference.iter().rposition(|b| *b == b':')?;
    (!reference[colon..].contains(&b'/')).then_some(colon)
}

/// What a container is in its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// One that runs a program of its user's.
    #[default]
    Container,
    /// The one that holds a pod's namespaces.
    Sandbox,
}

/// A pod's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct PodName {
    /// Its name.
    pub name: Text,
    /// Its namespace in Kubernetes.
    pub namespace: Text,
    /// Its uid, as whoever made it wrote it.
    pub uid: Text,
    /// The container that holds its namespaces.
    pub sandbox: Option<ContainerId>,
    /// Where the kubelet had it from, by the annotation `kubernetes.io/config.source`: `api`, or `file` and `http` for
    /// pods that no API server need know of. Empty when unknown.
    pub source: Text,
    /// Its labels.
    pub labels: Vec<Label>,
}

/// A namespace that a container may share with its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum HostNamespace {
    Pid,
    Net,
    Ipc,
    Uts,
}

impl HostNamespace {
    /// Its name, as `/proc/PID/ns` has it.
    pub fn name(self) -> &'static str {
        match self {
            HostNamespace::Pid => "pid",
            HostNamespace::Net => "net",
            HostNamespace::Ipc => "ipc",
            HostNamespace::Uts => "uts",
        }
    }
}

/// Files of the host that a container was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct HostMount {
    /// Where they lie on the host.
    pub host: Text,
    /// Where the container sees them.
    pub container: Text,
    /// It may not write to them.
    pub read_only: bool,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[allow(missing_docs)]
pub struct Label {
    pub key: Text,
    pub value: Text,
}

impl ContainerInfo {
    /// That nobody knows this container, and why.
    pub fn unknown(id: ContainerId, why: &str) -> Self {
        ContainerInfo { id, why: Text::from(why), ..ContainerInfo::default() }
    }

    /// Whether somebody knew it.
    pub fn is_known(&self) -> bool {
        self.told_by != ToldBy::Nobody
    }

    /// What a person calls it: `namespace/pod/container`, `namespace/pod` for what holds a pod's namespaces, or its
    /// name. `None` when it has no name.
    pub fn title(&self) -> Option<Text> {
        let mut title = Vec::new();
        self.write_title(&mut title);
        (!title.is_empty()).then(|| Text::from(title))
    }

    /// Appends [`ContainerInfo::title`], or nothing.
    pub fn write_title(&self, out: &mut Vec<u8>) {
        let name = (self.role == Role::Container || self.pod.is_none()).then_some(&self.name);
        let pod = self.pod.as_ref();
        let parts = [pod.map(|pod| &pod.namespace), pod.map(|pod| &pod.name), name];
        let mut first = true;
        for part in parts.into_iter().flatten().filter(|part| !part.is_empty()) {
            if !std::mem::take(&mut first) {
                out.push(b'/');
            }
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// The value of a label of its own.
    pub fn label(&self, key: &[u8]) -> Option<&Text> {
        find(&self.labels, key)
    }
}

impl PodName {
    /// The value of one of its labels.
    pub fn label(&self, key: &[u8]) -> Option<&Text> {
        find(&self.labels, key)
    }
}

fn find<'a>(labels: &'a [Label], key: &[u8]) -> Option<&'a Text> {
    labels.iter().find(|label| label.key.as_bytes() == key).map(|label| &label.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_images_reference_comes_apart_into_repository_and_tag() {
        for (reference, repository, tag) in [
            ("docker.io/library/nginx:1.25", "docker.io/library/nginx", Some("1.25")),
            ("registry:5000/team/app", "registry:5000/team/app", None),
            ("registry:5000/team/app:v2@sha256:abc", "registry:5000/team/app", Some("v2")),
            ("nginx@sha256:abc", "nginx", None),
            ("sha256:abc", "", None),
            ("", "", None),
        ] {
            let image = ImageName { reference: reference.into(), ..ImageName::default() };
            assert_eq!(image.repository(), repository.as_bytes(), "{reference}");
            assert_eq!(image.tag(), tag.map(str::as_bytes), "{reference}");
        }
    }

    #[test]
    fn a_title_has_what_is_known_and_nothing_else() {
        let pod = PodName { name: "web".into(), namespace: "shop".into(), ..PodName::default() };
        let mut info = ContainerInfo { name: "nginx".into(), pod: Some(pod), ..ContainerInfo::default() };
        let title = |info: &ContainerInfo| info.title().map(|t| t.to_string());
        assert_eq!(title(&info).as_deref(), Some("shop/web/nginx"));
        info.role = Role::Sandbox;
        assert_eq!(title(&info).as_deref(), Some("shop/web"));
        info.pod = None;
        assert_eq!(title(&info).as_deref(), Some("nginx"));
        info.name = Text::empty();
        assert_eq!(title(&info), None);
    }
}
