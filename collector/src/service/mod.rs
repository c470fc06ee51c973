//! The hub over gRPC: `lanner.v1.Collector`, and the standard health service.

mod listen;
mod subscribe;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lanner_core::condition::Filter;
use lanner_proto::v1;
use lanner_proto::v1::collector_server::{Collector, CollectorServer};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

pub use listen::{ListenError, Listener};

use listen::Incoming;

use crate::hub::{Cursor, Hub, Subscribe};
use subscribe::{Responses, responses};

/// The longest filter that is looked at, in bytes.
const MAX_FILTER: usize = 64 * 1024;
/// How long clients that do not read may hold up the end.
const LINGER: Duration = Duration::from_secs(2);

/// Serves a hub at `listener` until `end` comes true; the subscriptions themselves end with the hub.
///
/// # Errors
/// The transport failed.
pub async fn serve(
    hub: Arc<Hub>,
    listener: Listener,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<CollectorServer<Service>>().await;
    let (ending, mut ended) = tokio::sync::watch::channel(false);
    let end = async move {
        end.await;
        // Nobody is left to tell when the receiver is gone.
        let _ = ending.send(true);
    };
    let server = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .add_service(health_service)
        .add_service(CollectorServer::new(Service { hub }));
    // The socket's file goes when this is over.
    let Listener { incoming, file: _file, .. } = listener;
    let serving = async {
        match incoming {
            Incoming::Unix(incoming) => server.serve_with_incoming_shutdown(incoming, end).await,
            Incoming::Loopback(incoming) => server.serve_with_incoming_shutdown(incoming, end).await,
        }
    };
    tokio::select! {
        result = serving => result,
        () = async {
            let _ = ended.wait_for(|over| *over).await;
            tokio::time::sleep(LINGER).await;
        } => Ok(()),
    }
}

/// The `lanner.v1.Collector` service.
struct Service {
    hub: Arc<Hub>,
}

#[tonic::async_trait]
impl Collector for Service {
    async fn node_info(&self, _: Request<v1::NodeInfoRequest>) -> Result<Response<v1::NodeInfoResponse>, Status> {
        Ok(Response::new(v1::NodeInfoResponse { node: Some(self.hub.node().into()) }))
    }

    type SubscribeStream = Responses;

    async fn subscribe(&self, request: Request<v1::SubscribeRequest>) -> Result<Response<Responses>, Status> {
        let request = request.into_inner();
        if request.filter.len() > MAX_FILTER {
            return Err(Status::invalid_argument(format!("it is longer than {MAX_FILTER} bytes")));
        }
        let filter = match request.filter.trim() {
            "" => None,
            text => Some(Filter::parse(text).map_err(|error| Status::invalid_argument(error.to_string()))?),
        };
        let cursor = request.cursor.map(|c| Cursor { stream: c.stream, seq: c.seq });
        let subscription = self
            .hub
            .subscribe(Subscribe { filter, cursor })
            .map_err(|error| Status::resource_exhausted(error.to_string()))?;
        Ok(Response::new(responses(self.hub.stream(), subscription)))
    }
}
