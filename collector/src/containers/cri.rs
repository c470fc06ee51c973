//! The Container Runtime Interface, the part of it that tells who a container is. The messages are those fields of the
//! public `runtime.v1` (kubernetes/cri-api, `api.proto`) that are read here, under their numbers; `runtime.v1alpha2`,
//! which older runtimes speak, has the same.

use std::collections::HashMap;

use lanner_core::event::{ContainerId, ContainerInfo, HostMount, HostNamespace, PodName, Role, Text, ToldBy};
use prost::Message;
use serde_json::Value;

use super::facts;
use super::rpc::{Line, Silent};

const VERSIONS: [&str; 2] = ["runtime.v1", "runtime.v1alpha2"];

/// What the runtime knows of a container.
pub(super) async fn ask(line: &Line, id: &ContainerId) -> Result<ContainerInfo, Silent> {
    let mut foreign = Err(Silent::Foreign);
    for version in VERSIONS {
        foreign = Cri { line, version }.ask(id).await;
        if !matches!(foreign, Err(Silent::Foreign)) {
            break;
        }
    }
    foreign
}

struct Cri<'a> {
    line: &'a Line,
    version: &'static str,
}

impl Cri<'_> {
    async fn call<A: Message + Default + 'static>(
        &self,
        method: &str,
        question: impl Message + 'static,
    ) -> Result<A, Silent> {
        self.line.call(&format!("/{}.RuntimeService/{method}", self.version), question).await
    }

    async fn ask(&self, id: &ContainerId) -> Result<ContainerInfo, Silent> {
        let id = id.0.to_str_lossy().into_owned();
        let filter = Some(ContainerFilter { id: id.clone() });
        let listed: ListContainersResponse = self.call("ListContainers", ListContainersRequest { filter }).await?;
        // A runtime takes the beginning of an id for the id.
        let listed = listed.containers.into_iter().find(|container| container.id == id);
        let runtime: VersionResponse = self.call("Version", VersionRequest { version: "0.1.0".to_owned() }).await?;
        let mut info = ContainerInfo {
            id: ContainerId(facts::text(&id)),
            told_by: ToldBy::Cri,
            runtime: facts::text(&runtime.runtime_name),
            ..ContainerInfo::default()
        };
        match listed {
            Some(container) => {
                let question = StatusRequest { id, verbose: true };
                let status: ContainerStatusResponse = self.call("ContainerStatus", question).await?;
                describe(&mut info, &status.status.unwrap_or_default(), &status.info);
                self.pod(&mut info, container.pod_sandbox_id).await?;
            }
            None => {
                info.role = Role::Sandbox;
                self.pod(&mut info, id).await?;
            }
        }
        Ok(info)
    }

    /// Fills in the pod that this sandbox holds.
    async fn pod(&self, info: &mut ContainerInfo, sandbox: String) -> Result<(), Silent> {
        let question = StatusRequest { id: sandbox.clone(), verbose: true };
        let answer: PodSandboxStatusResponse = self.call("PodSandboxStatus", question).await?;
        let status = answer.status.ok_or(Silent::Unknown)?;
        let metadata = status.metadata.unwrap_or_default();
        let of = |map: &HashMap<String, String>, key: &str| map.get(key).map(|v| facts::text(v)).unwrap_or_default();
        info.pod = Some(PodName {
            name: facts::text(&metadata.name),
            namespace: facts::text(&metadata.namespace),
            uid: facts::text(&metadata.uid),
            sandbox: Some(ContainerId(facts::text(&sandbox))),
            source: of(&status.annotations, facts::SOURCE),
            labels: facts::pod_labels(status.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())), &mut info.cut),
        });
        let mounts = std::mem::take(&mut info.mounts);
        facts::mount(info, mounts.into_iter());
        let options = status.linux.and_then(|l| l.namespaces).and_then(|n| n.options).unwrap_or_default();
        info.host_namespaces = options.of_host();
        if info.role == Role::Sandbox {
            info.created = u64::try_from(status.created_at).ok().filter(|at| *at > 0);
            let verbose = answer.info.get("info").and_then(|json| serde_json::from_str::<Value>(json).ok());
            info.privileged = verbose.as_ref().and_then(privileged);
            if let Some(image) = verbose.as_ref().and_then(|v| v.get("image")).and_then(Value::as_str) {
                info.image = facts::image(image, "");
            }
        }
        Ok(())
    }
}

fn describe(info: &mut ContainerInfo, status: &ContainerStatus, verbose: &HashMap<String, String>) {
    facts::label(info, status.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    // The pod is told by its sandbox.
    info.pod = None;
    info.name = status.metadata.as_ref().map(|m| facts::text(&m.name)).unwrap_or_default();
    let named = status.image.as_ref().map(|image| image.image.as_str()).unwrap_or_default();
    info.image = facts::image(named, &status.image_ref);
    info.created = u64::try_from(status.created_at).ok().filter(|at| *at > 0);
    info.mounts = status.mounts.iter().map(Mount::of_host).collect();
    let verbose = verbose.get("info").and_then(|json| serde_json::from_str::<Value>(json).ok());
    info.privileged = verbose.as_ref().and_then(privileged);
}

/// Whether it is privileged: no part of the interface, but runtimes tell when asked for everything.
fn privileged(verbose: &Value) -> Option<bool> {
    let direct = verbose.get("privileged").and_then(Value::as_bool);
    let config = verbose.get("config")?;
    let context = config.get("linux").and_then(|linux| linux.get("security_context"));
    // What is false is left out.
    direct.or(Some(context.and_then(|c| c.get("privileged")).and_then(Value::as_bool).unwrap_or(false)))
}

#[derive(Clone, PartialEq, Message)]
struct VersionRequest {
    #[prost(string, tag = "1")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct VersionResponse {
    #[prost(string, tag = "2")]
    runtime_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListContainersRequest {
    #[prost(message, optional, tag = "1")]
    filter: Option<ContainerFilter>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerFilter {
    #[prost(string, tag = "1")]
    id: String,
}

#[derive(Clone, PartialEq, Message)]
struct ListContainersResponse {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<Container>,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    pod_sandbox_id: String,
}

/// `ContainerStatusRequest` and `PodSandboxStatusRequest` are alike.
#[derive(Clone, PartialEq, Message)]
struct StatusRequest {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(bool, tag = "2")]
    verbose: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatusResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<ContainerStatus>,
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerStatus {
    #[prost(message, optional, tag = "2")]
    metadata: Option<ContainerMetadata>,
    #[prost(int64, tag = "4")]
    created_at: i64,
    #[prost(message, optional, tag = "8")]
    image: Option<ImageSpec>,
    #[prost(string, tag = "9")]
    image_ref: String,
    #[prost(map = "string, string", tag = "12")]
    labels: HashMap<String, String>,
    #[prost(message, repeated, tag = "14")]
    mounts: Vec<Mount>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerMetadata {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ImageSpec {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, Message)]
struct Mount {
    #[prost(string, tag = "1")]
    container_path: String,
    #[prost(string, tag = "2")]
    host_path: String,
    #[prost(bool, tag = "3")]
    readonly: bool,
}

impl Mount {
    fn of_host(&self) -> HostMount {
        let [host, container]: [Text; 2] = [facts::text(&self.host_path), facts::text(&self.container_path)];
        HostMount { host, container, read_only: self.readonly }
    }
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxStatusResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<PodSandboxStatus>,
    #[prost(map = "string, string", tag = "2")]
    info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxStatus {
    #[prost(message, optional, tag = "2")]
    metadata: Option<PodSandboxMetadata>,
    #[prost(int64, tag = "4")]
    created_at: i64,
    #[prost(message, optional, tag = "6")]
    linux: Option<LinuxPodSandboxStatus>,
    #[prost(map = "string, string", tag = "7")]
    labels: HashMap<String, String>,
    #[prost(map = "string, string", tag = "8")]
    annotations: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct PodSandboxMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxPodSandboxStatus {
    #[prost(message, optional, tag = "1")]
    namespaces: Option<Namespace>,
}

#[derive(Clone, PartialEq, Message)]
struct Namespace {
    #[prost(message, optional, tag = "2")]
    options: Option<NamespaceOption>,
}

#[derive(Clone, PartialEq, Message)]
struct NamespaceOption {
    #[prost(int32, tag = "1")]
    network: i32,
    #[prost(int32, tag = "2")]
    pid: i32,
    #[prost(int32, tag = "3")]
    ipc: i32,
}

impl NamespaceOption {
    /// Those whose mode is `NODE`.
    fn of_host(&self) -> Vec<HostNamespace> {
        const NODE: i32 = 2;
        let all = [(HostNamespace::Pid, self.pid), (HostNamespace::Net, self.network), (HostNamespace::Ipc, self.ipc)];
        all.into_iter().filter(|(_, mode)| *mode == NODE).map(|(namespace, _)| namespace).collect()
    }
}
