//! Containers, as those who run them tell.

use lanner_core::event::{
    ContainerId, ContainerInfo, HostMount, HostNamespace, ImageName, Label, MAX_LISTED, PodName, Role, Text, ToldBy,
};

use super::{Refused, bytes, text};
use crate::v1;

impl From<&ContainerInfo> for v1::ContainerInfo {
    fn from(info: &ContainerInfo) -> Self {
        let told_by = match info.told_by {
            ToldBy::Nobody => v1::ContainerToldBy::Unspecified,
            ToldBy::Cri => v1::ContainerToldBy::Cri,
            ToldBy::Runtime => v1::ContainerToldBy::Runtime,
            ToldBy::Files => v1::ContainerToldBy::Files,
        };
        let too_many = info.labels.len() > MAX_LISTED
            || info.mounts.len() > MAX_LISTED
            || info.pod.as_ref().is_some_and(|pod| pod.labels.len() > MAX_LISTED);
        v1::ContainerInfo {
            id: bytes(&info.id.0),
            told_by: told_by.into(),
            why: bytes(&info.why),
            node: info.node.as_ref().map(|id| bytes(&id.0)),
            runtime: bytes(&info.runtime),
            name: bytes(&info.name),
            image: (info.image != ImageName::default()).then(|| (&info.image).into()),
            sandbox: info.role == Role::Sandbox,
            pod: info.pod.as_ref().map(Into::into),
            created: info.created,
            privileged: info.privileged,
            host_namespaces: info.host_namespaces.iter().map(|ns| v1::HostNamespace::from(*ns).into()).collect(),
            mounts: info.mounts.iter().take(MAX_LISTED).map(Into::into).collect(),
            labels: labels(&info.labels),
            cut: info.cut || too_many,
        }
    }
}

impl TryFrom<v1::ContainerInfo> for ContainerInfo {
    type Error = Refused;

    fn try_from(info: v1::ContainerInfo) -> Result<Self, Refused> {
        let told_by = match v1::ContainerToldBy::try_from(info.told_by).map_err(|_| Refused::Unknown)? {
            v1::ContainerToldBy::Unspecified => ToldBy::Nobody,
            v1::ContainerToldBy::Cri => ToldBy::Cri,
            v1::ContainerToldBy::Runtime => ToldBy::Runtime,
            v1::ContainerToldBy::Files => ToldBy::Files,
        };
        if info.mounts.len() > MAX_LISTED {
            return Err(Refused::Malformed("mounts"));
        }
        if info.host_namespaces.len() > 4 {
            return Err(Refused::Malformed("host_namespaces"));
        }
        Ok(ContainerInfo {
            id: ContainerId(text(info.id, "id")?),
            told_by,
            why: text(info.why, "why")?,
            node: info.node.map(|id| text(id, "node")).transpose()?.map(ContainerId),
            runtime: text(info.runtime, "runtime")?,
            name: text(info.name, "name")?,
            image: info.image.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            role: if info.sandbox { Role::Sandbox } else { Role::Container },
            pod: info.pod.map(TryInto::try_into).transpose()?,
            created: info.created,
            privileged: info.privileged,
            host_namespaces: info.host_namespaces.into_iter().map(namespace).collect::<Result<_, _>>()?,
            mounts: info.mounts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            labels: from_labels(info.labels)?,
            cut: info.cut,
        })
    }
}

impl From<&ImageName> for v1::ImageName {
    fn from(image: &ImageName) -> Self {
        v1::ImageName { reference: bytes(&image.reference), digest: bytes(&image.digest), id: bytes(&image.id) }
    }
}

impl TryFrom<v1::ImageName> for ImageName {
    type Error = Refused;

    fn try_from(image: v1::ImageName) -> Result<Self, Refused> {
        Ok(ImageName {
            reference: text(image.reference, "reference")?,
            digest: text(image.digest, "digest")?,
            id: text(image.id, "image")?,
        })
    }
}

impl From<&PodName> for v1::PodName {
    fn from(pod: &PodName) -> Self {
        v1::PodName {
            name: bytes(&pod.name),
            namespace: bytes(&pod.namespace),
            uid: bytes(&pod.uid),
            sandbox: pod.sandbox.as_ref().map(|id| bytes(&id.0)),
            source: bytes(&pod.source),
            labels: labels(&pod.labels),
        }
    }
}

impl TryFrom<v1::PodName> for PodName {
    type Error = Refused;

    fn try_from(pod: v1::PodName) -> Result<Self, Refused> {
        Ok(PodName {
            name: text(pod.name, "name")?,
            namespace: text(pod.namespace, "namespace")?,
            uid: text(pod.uid, "uid")?,
            sandbox: pod.sandbox.map(|id| text(id, "sandbox")).transpose()?.map(ContainerId),
            source: text(pod.source, "source")?,
            labels: from_labels(pod.labels)?,
        })
    }
}

impl From<HostNamespace> for v1::HostNamespace {
    fn from(namespace: HostNamespace) -> Self {
        match namespace {
            HostNamespace::Pid => v1::HostNamespace::Pid,
            HostNamespace::Net => v1::HostNamespace::Net,
            HostNamespace::Ipc => v1::HostNamespace::Ipc,
            HostNamespace::Uts => v1::HostNamespace::Uts,
        }
    }
}

fn namespace(wire: i32) -> Result<HostNamespace, Refused> {
    match v1::HostNamespace::try_from(wire) {
        Ok(v1::HostNamespace::Pid) => Ok(HostNamespace::Pid),
        Ok(v1::HostNamespace::Net) => Ok(HostNamespace::Net),
        Ok(v1::HostNamespace::Ipc) => Ok(HostNamespace::Ipc),
        Ok(v1::HostNamespace::Uts) => Ok(HostNamespace::Uts),
        Ok(v1::HostNamespace::Unspecified) | Err(_) => Err(Refused::Unknown),
    }
}

impl From<&HostMount> for v1::HostMount {
    fn from(mount: &HostMount) -> Self {
        v1::HostMount { host: bytes(&mount.host), container: bytes(&mount.container), read_only: mount.read_only }
    }
}

impl TryFrom<v1::HostMount> for HostMount {
    type Error = Refused;

    fn try_from(mount: v1::HostMount) -> Result<Self, Refused> {
        let [host, container] = [text(mount.host, "host")?, text(mount.container, "container")?];
        Ok(HostMount { host, container, read_only: mount.read_only })
    }
}

fn labels(labels: &[Label]) -> Vec<v1::Label> {
    let label = |label: &Label| v1::Label { key: bytes(&label.key), value: bytes(&label.value) };
    labels.iter().take(MAX_LISTED).map(label).collect()
}

fn from_labels(labels: Vec<v1::Label>) -> Result<Vec<Label>, Refused> {
    if labels.len() > MAX_LISTED {
        return Err(Refused::Malformed("labels"));
    }
    let part = |bytes: Vec<u8>| -> Result<Text, Refused> { text(bytes, "labels") };
    labels.into_iter().map(|label| Ok(Label { key: part(label.key)?, value: part(label.value)? })).collect()
}
