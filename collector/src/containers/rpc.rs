//! One call to a runtime over gRPC.

use std::time::Duration;

use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::root::Socket;

/// How long a runtime may take to answer: it runs on the same machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The longest answer: a verbose status has a container's whole specification in it.
pub(super) const ANSWER_MAX: usize = 4 << 20;

/// A connection to a runtime.
#[derive(Debug)]
pub(super) struct Line {
    channel: Channel,
    /// containerd's way to say whose containers are meant.
    namespace: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silent {
    /// It does not know what it was asked about.
    Unknown,
    /// It does not speak this language, or this version of it.
    Foreign,
    /// It has ended, and all that shared its file system with it.
    Gone,
    /// It cannot be reached or is in trouble, and why.
    Failed(String),
}

impl From<Status> for Silent {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::NotFound => Silent::Unknown,
            Code::Unimplemented => Silent::Foreign,
            _ => Silent::Failed(status.message().to_owned()),
        }
    }
}

impl Line {
    /// Connects. The socket need not stay open afterwards.
    pub(super) async fn open(socket: &Socket, namespace: Option<String>) -> Result<Line, Silent> {
        let failed = |error: tonic::transport::Error| Silent::Failed(root_cause(&error));
        let endpoint = Endpoint::from_shared(format!("unix:{}", socket.path())).map_err(failed)?;
        let channel = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).connect().await.map_err(failed)?;
        Ok(Line { channel, namespace })
    }

    /// Calls `path`, such as `/runtime.v1.RuntimeService/Version`.
    pub(super) async fn call<Q, A>(&self, path: &str, question: Q) -> Result<A, Silent>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let path = PathAndQuery::try_from(path).map_err(|e| Silent::Failed(e.to_string()))?;
        let mut request = Request::new(question);
        if let Some(namespace) = &self.namespace {
            let namespace = namespace.parse().map_err(|_| Silent::Failed("no namespace's name".to_owned()))?;
            request.metadata_mut().insert("containerd-namespace", namespace);
        }
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX);
        grpc.ready().await.map_err(|e| Silent::Failed(root_cause(&e)))?;
        let answer = grpc.unary(request, path, ProstCodec::<Q, A>::default());
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => Ok(answer?.into_inner()),
            Err(_) => Err(Silent::Failed("it does not answer".to_owned())),
        }
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
