//! containerd's own interface: it knows a container from the moment in which it is made, also a pod's sandbox whose
//! making the kubelet's interface does not admit yet, and those that no kubelet made. The messages are the fields of its
//! public API (`containerd.services.containers.v1`) that are read here.

use std::collections::HashMap;

use lanner_core::event::{ContainerId, ContainerInfo, ImageName, PodName, Role, ToldBy};
use prost::Message;
use serde_json::Value;

use super::bundle;
use super::facts::{self, at};
use super::rpc::{Line, Silent};

/// Where containerd's CRI keeps what the kubelet told it.
const SANDBOX: &str = "io.cri-containerd.sandbox.metadata";
const CONTAINER: &str = "io.cri-containerd.container.metadata";

/// What containerd knows of a container.
pub(super) async fn ask(line: &Line, id: &ContainerId) -> Result<ContainerInfo, Silent> {
    let question = GetRequest { id: id.0.to_str_lossy().into_owned() };
    let answer: GetResponse = line.call("/containerd.services.containers.v1.Containers/Get", question).await?;
    Ok(describe(id, &answer.container.ok_or(Silent::Unknown)?))
}

fn describe(id: &ContainerId, container: &Container) -> ContainerInfo {
    let mut info = ContainerInfo { id: id.clone(), told_by: ToldBy::Runtime, ..ContainerInfo::default() };
    if let Some(spec) = container.spec.as_ref().and_then(|any| serde_json::from_slice::<Value>(&any.value).ok()) {
        bundle::describe(&mut info, &spec);
    }
    info.runtime = "containerd".into();
    let mounts = std::mem::take(&mut info.mounts);
    facts::label(&mut info, container.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    info.created = container.created_at.as_ref().and_then(Timestamp::nanos);
    let of = |name: &str| -> Option<Value> { serde_json::from_slice(&container.extensions.get(name)?.value).ok() };
    if let Some(json) = of(SANDBOX) {
        let labels = std::mem::take(&mut info.labels);
        sandbox(&mut info, json.get("Metadata").unwrap_or(&Value::Null));
        // A sandbox has its pod's labels for its own.
        if let Some(pod) = &mut info.pod {
            pod.labels = labels;
        }
    } else if let Some(json) = of(CONTAINER) {
        let json = json.get("Metadata").unwrap_or(&Value::Null);
        info.privileged = Some(privileged(json));
        info.image.id = at(json, &["ImageRef"]);
    }
    if info.image.reference.is_empty() {
        info.image = ImageName { id: info.image.id, ..facts::image(&container.image, "") };
    }
    // Without a kubelet, an id is a name.
    if info.pod.is_none() && info.name.is_empty() {
        info.name = id.0.clone();
    }
    facts::mount(&mut info, mounts.into_iter());
    info
}

fn sandbox(info: &mut ContainerInfo, json: &Value) {
    info.role = Role::Sandbox;
    info.privileged = Some(privileged(json));
    info.pod = facts::pod(PodName {
        name: at(json, &["Config", "metadata", "name"]),
        namespace: at(json, &["Config", "metadata", "namespace"]),
        uid: at(json, &["Config", "metadata", "uid"]),
        sandbox: Some(info.id.clone()),
        source: at(json, &["Config", "annotations", facts::SOURCE]),
        labels: Vec::new(),
    });
}

fn privileged(json: &Value) -> bool {
    let context = json.get("Config").and_then(|c| c.get("linux")).and_then(|l| l.get("security_context"));
    context.and_then(|c| c.get("privileged")).and_then(Value::as_bool).unwrap_or(false)
}

#[derive(Clone, PartialEq, Message)]
struct GetRequest {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct GetResponse {
    #[prost(message, optional, tag = "1")]
    container: Option<Container>,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(map = "string, string", tag = "2")]
    labels: HashMap<String, String>,
    #[prost(string, tag = "3")]
    image: String,
    #[prost(message, optional, tag = "5")]
    spec: Option<Any>,
    #[prost(message, optional, tag = "8")]
    created_at: Option<Timestamp>,
    #[prost(map = "string, message", tag = "10")]
    extensions: HashMap<String, Any>,
}

/// `google.protobuf.Any`; what containerd puts into it here is JSON.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Timestamp {
    fn nanos(&self) -> Option<u64> {
        u64::try_from(self.seconds.checked_mul(1_000_000_000)?.checked_add(self.nanos.into())?).ok()
    }
}
